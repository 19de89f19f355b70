"""Taking a migration back (rollback), and clearing the base64 it made superfluous (reclaim)."""

from z_interact_assets.reverse.carrying_out import Means
from z_interact_assets.reverse.reclaim import Reclaim, reclaimable
from z_interact_assets.reverse.report import ReclaimReport, RollbackReport
from z_interact_assets.reverse.rollback import Chosen, Rollback

__all__ = ["Chosen", "Means", "Reclaim", "ReclaimReport", "Rollback", "RollbackReport", "reclaimable"]
