"""The app's `images` table: finding work, reading one row, compare-and-swap of one row. R2 is unknown here.

The interface asks for nothing that a database behind HTTP (Cloudflare D1) could not do: no transaction stays open
between calls, payloads come one row at a time, work is found without reading payloads, rows are paged by primary key.
"""

from z_interact_assets.storage.legacy.connect import open_table
from z_interact_assets.storage.legacy.space import DatabaseSize
from z_interact_assets.storage.legacy.table import LegacyTable

__all__ = ["DatabaseSize", "LegacyTable", "open_table"]
