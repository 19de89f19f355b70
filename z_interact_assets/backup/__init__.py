"""Rows with their base64 and the ledger to a folder, and back. The formats are told in `cells` and `manifest`."""

from z_interact_assets.backup.backup import Backup
from z_interact_assets.backup.parts import PartLimits
from z_interact_assets.backup.report import BackupReport, Moment, MomentListener, RestoreReport

__all__ = ["Backup", "BackupReport", "Moment", "MomentListener", "PartLimits", "RestoreReport"]
