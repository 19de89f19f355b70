"""Counting what is there: table, ledger and bucket reconciled. Nothing is changed.

`claims` reads the table, `matching` merges the three sides, `confirming` asks again about what did not fit,
`reconciling` puts them together; `inventory` is the result.
"""

from z_interact_assets.inventory.inventory import Inventory
from z_interact_assets.inventory.reconciling import take_inventory

__all__ = ["Inventory", "take_inventory"]
