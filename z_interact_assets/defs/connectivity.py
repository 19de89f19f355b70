"""The doctor's probes as a job, for whoever has the UI and no shell: is everything within reach and as it should be?"""

from collections.abc import Sequence

import dagster as dg

from z_interact_assets.core.showing import plain
from z_interact_assets.defs.metadata import TAGS, numbers, table, text_column
from z_interact_assets.defs.timeouts import TWO_HOURS
from z_interact_assets.doctor import Finding, exit_code
from z_interact_assets.workspace import diagnose_all

_COLUMNS = [
    text_column("probe"),
    text_column("state", "ok, warn, fail, or skipped since what it needs failed"),
    text_column("message"),
    text_column("remedy", "What to do"),
]


@dg.op(
    out=dg.Out(dg.Nothing),
    tags=TAGS,
    description=(
        "Probe settings, table, ledger, bucket and public URL. Writes one tiny object under `doctor/` and deletes it; "
        "changes nothing else."
    ),
)
def connectivity(context: dg.OpExecutionContext) -> dg.Output[None]:
    """Probe everything; fail if a probe does. Settings are read here, so that wrong ones are a finding, too."""
    findings = diagnose_all()
    for finding in findings:
        say = context.log.info if finding.status in ("ok", "skipped") else context.log.warning
        say(f"{finding.name}: {finding.status}. {plain(finding.message)}")
    metadata = _metadata(findings)
    bad = [finding.name for finding in findings if finding.status == "fail"]
    if bad:
        raise dg.Failure(
            description=f"{len(bad)} probes failed: {', '.join(bad)}. The table of findings has the remedies.",
            metadata=metadata,
            allow_retries=exit_code(findings) == _MAY_PASS,
        )
    return dg.Output(None, metadata=metadata)


@dg.job(
    tags=TWO_HOURS,
    description=(
        "Is everything within reach and as it should be: settings, table, ledger, bucket, a round trip, conditional "
        "writes, public URL, CORS? The op's metadata lists each probe with its remedy; the run fails if one does. Run "
        "it first, and when something is odd. Writes one tiny object under `doctor/`, and deletes it."
    ),
)
def r2_connectivity() -> None:
    """Run the one op."""
    connectivity()


_MAY_PASS = 3  # the exit code of `doctor` when something did not answer


def _metadata(findings: Sequence[Finding]) -> dict[str, dg.MetadataValue]:
    states = [finding.status for finding in findings]
    ordered = sorted(findings, key=lambda finding: _ORDER[finding.status])
    records = ((each.name, each.status, plain(each.message), plain(each.remedy)) for each in ordered)
    return {
        **numbers({f"probes_{state}": states.count(state) for state in _ORDER}),
        "findings": table(_COLUMNS, records),
    }


_ORDER = {"fail": 0, "warn": 1, "skipped": 2, "ok": 3}
