"""Rows with their base64 and the ledger to a folder, and back. The formats are told in `cells` and `manifest`."""

from z_interact_assets.backup.backup import Backup
from z_interact_assets.backup.parts import PartLimits
from z_interact_assets.backup.report import BackupReport, LedgerFate, Moment, MomentListener, Refusal, RestoreReport
from z_interact_assets.backup.restore import Restore, RestoreOptions

__all__ = [
    "Backup", "BackupReport", "LedgerFate", "Moment", "MomentListener", "PartLimits", "Refusal", "Restore",
    "RestoreOptions", "RestoreReport",
]  # fmt: skip
