"""Is everything in order before anything starts? Each probe is one line with its remedy; none stops the others.

The only thing ever written is one tiny object under `doctor/`, which is deleted again. `findings` are the values,
`examination` runs probes and turns errors into findings, `table`, `ledger` and `bucket` hold the probes, `diagnosis`
their order.
"""

from z_interact_assets.doctor.diagnosis import diagnose
from z_interact_assets.doctor.findings import Finding, Status, exit_code

__all__ = ["Finding", "Status", "diagnose", "exit_code"]
