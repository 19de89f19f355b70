"""The code location. It loads with an empty environment; settings are read when a run starts."""

from z_interact_assets.defs.build import build_defs

__all__ = ["build_defs", "defs"]

defs = build_defs()
