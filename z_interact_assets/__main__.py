"""`python -m z_interact_assets`."""

from z_interact_assets.cli import main

main()
