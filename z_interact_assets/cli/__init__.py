"""The command line `z-interact-assets`. Commands import what they need when they run, so that --help is quick."""

from z_interact_assets.cli.app import main

__all__ = ["main"]
