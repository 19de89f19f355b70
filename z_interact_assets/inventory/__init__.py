"""Counting what is there: the bucket matched with ledger and table, and the storage statistics. Nothing is changed."""

from z_interact_assets.inventory.bucket import Inventory, take_inventory
from z_interact_assets.inventory.statistics import breakdown, collect_stats, count_table

__all__ = ["Inventory", "breakdown", "collect_stats", "count_table", "take_inventory"]
