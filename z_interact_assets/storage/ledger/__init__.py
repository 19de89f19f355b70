"""The ledger: batches, one item an image, its objects and proofs, an append-only event log, snapshots. Ours alone.

It is enough to undo everything and to audit everything. SQLite by default, any SQLAlchemy database else. Every method
is one transaction; nothing stays open between calls.
"""

from z_interact_assets.storage.ledger.connect import ledger_exists, open_ledger
from z_interact_assets.storage.ledger.ledger import Ledger

__all__ = ["Ledger", "ledger_exists", "open_ledger"]
