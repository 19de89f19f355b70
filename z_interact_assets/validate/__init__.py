"""Re-proving what the ledger claims: each object is there with the right bytes, each row points at it.

Nothing here changes the table or the bucket; only fresh proofs are written, into the ledger. Matching table, ledger and
bucket over all pages is the inventory's. `claims` says what is to be proved, `provers` prove an object, `examiner` an
image, `validation` is the run, `tally` its sum, `report` its result.
"""

from z_interact_assets.validate.report import Mode, Progress, ProgressListener, Reconciliation, ValidationReport
from z_interact_assets.validate.validation import Validation

__all__ = ["Mode", "Progress", "ProgressListener", "Reconciliation", "Validation", "ValidationReport"]
