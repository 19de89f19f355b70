"""The probes in their order, each with what it needs."""

import secrets
from collections.abc import Callable, Sequence

from z_interact_assets.core.ports import ObjectStore
from z_interact_assets.doctor.bucket import BucketProbes, look_at_bucket
from z_interact_assets.doctor.databases import (
    look_at_ids,
    look_at_ledger,
    look_at_shape,
    look_at_table,
    look_at_writing,
)
from z_interact_assets.doctor.examination import Examination
from z_interact_assets.doctor.findings import Finding
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.public import PublicReader

# Nobody's origin: only a policy that allows every origin answers it.
ANY_ORIGIN = "https://any-origin.invalid"


def diagnose(
    *,
    settings_problems: Sequence[str],
    open_table: Callable[[], LegacyTable] | None,
    open_ledger: Callable[[], Ledger] | None,
    open_store: Callable[[], ObjectStore] | None,
    open_public: Callable[[], PublicReader] = PublicReader,
    origin: str = ANY_ORIGIN,
    new_token: Callable[[], str] = lambda: secrets.token_hex(8),
) -> list[Finding]:
    """Probe everything; return one finding a probe. What a probe raises becomes its finding.

    A part that cannot even be tried, its settings being wrong, is None: its probes are skipped. What is opened here is
    closed here. `origin` is the app's, for CORS; `new_token` names the probe's object.
    """
    with Examination() as examination:
        _settings(examination, settings_problems)
        _table(examination, open_table)
        examination.open("ledger", open_ledger, look_at_ledger)
        store = examination.open("bucket_access", open_store, look_at_bucket)
        probes = None if store is None else BucketProbes(store, open_public, origin, f"doctor/{new_token()}.png")
        _bucket(examination, probes)
        return examination.findings


def _settings(examination: Examination, problems: Sequence[str]) -> None:
    remedy = "Set it in the environment or in .env; .env.example explains each setting."
    for problem in problems:
        examination.add(Finding(name="settings", status="fail", message=problem, remedy=remedy))
    if not problems:
        examination.add(Finding(name="settings", status="ok", message="All settings are valid."))


def _table(examination: Examination, open_table: Callable[[], LegacyTable] | None) -> None:
    table = examination.open("table", open_table, look_at_table)
    examination.probe("table_shape", table, look_at_shape, needs=("table",))
    examination.probe("table_ids", table, look_at_ids, needs=("table",))
    examination.probe("table_writable", table, look_at_writing, needs=("table",))


def _bucket(examination: Examination, probes: BucketProbes | None) -> None:
    uploaded = False
    try:
        uploaded = examination.probe("upload", probes, BucketProbes.upload, needs=("bucket_access",))
        examination.probe("download", probes, BucketProbes.download, needs=("upload",))
        examination.probe("metadata", probes, BucketProbes.metadata, needs=("upload",))
        # Before the conditional PUT, which replaces the object where it is not honoured.
        examination.probe("public_url", probes, BucketProbes.public_url, needs=("upload",))
        examination.probe("cors", probes, BucketProbes.cors, needs=("public_url",))
        examination.probe("conditional_put", probes, BucketProbes.conditional_put, needs=("upload",))
    finally:
        if probes is not None and not uploaded:
            probes.delete_if_any()
        examination.probe("cleanup", probes, BucketProbes.delete, needs=("upload",))
