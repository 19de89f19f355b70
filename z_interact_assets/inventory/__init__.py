"""Counting what is there: table, ledger and bucket reconciled, and the storage statistics. Nothing is changed.

`claims` reads the table, `matching` merges the three sides, `confirming` asks again about what did not fit,
`reconciling` puts them together; `inventory` is the result, `statistics` the numbers of it all.
"""

from z_interact_assets.inventory.inventory import Inventory
from z_interact_assets.inventory.reconciling import take_inventory
from z_interact_assets.inventory.statistics import breakdown, collect_stats, count_table

__all__ = ["Inventory", "breakdown", "collect_stats", "count_table", "take_inventory"]
