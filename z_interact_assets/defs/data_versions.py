"""Data versions: what Dagster compares to tell whether something is out of date.

An event an asset logs itself carries no provenance of Dagster's. Without one Dagster compares times, and each planning
would call every batch ever done out of date; so such events get the tags Dagster gives its own.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from z_interact_assets.core.findings import ON_R2_STATES
from z_interact_assets.core.records import LedgerItem

# A batch once planned never changes its rows, and batches are only added: what a partition of `migrated_images` depends
# on is always as it was. A new batch is a new partition, which is missing, and makes none of the others out of date.
BATCHES = dg.DataVersion("append-only")

_VERSION = "dagster/data_version"
_GIVEN = "dagster/data_version_is_user_provided"


def version_of(content: Any) -> dg.DataVersion:
    """Return a version that is the same for the same content (anything JSON can hold)."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return dg.DataVersion(hashlib.sha256(text.encode()).hexdigest()[:16])


def batch_version(items: Iterable[LedgerItem]) -> dg.DataVersion:
    """Return the version of a migrated batch: which images of it are on R2, and which objects they are.

    It is the same when a batch that is done is reported again, and when its base64 was reclaimed.
    """
    return version_of([[item.item_id, item.object_key, item.etag] for item in items if item.state in ON_R2_STATES])


def observed(version: dg.DataVersion) -> dict[str, str]:
    """Return the tags of an observation that is logged."""
    return {_VERSION: version.value, _GIVEN: "true"}


def input_version(asset: str, version: dg.DataVersion) -> dict[str, str]:
    """Return the tag that says which version of `asset` was worked from, in place of the one Dagster saw last."""
    return {f"dagster/input_data_version/{asset}": version.value}


def materialized(
    version: dg.DataVersion, *, run_id: str, inputs: Mapping[str, tuple[dg.DataVersion, int | None]]
) -> dict[str, str]:
    """Return the tags of a materialisation that is logged.

    `inputs` names the version of each asset it was made from, and the storage id of the event that told of it, which
    Dagster goes by where that asset has partitions.
    """
    tags = {"dagster/code_version": run_id, **observed(version)}
    for asset, (found, storage_id) in inputs.items():
        tags |= input_version(asset, found)
        tags[f"dagster/input_event_pointer/{asset}"] = "NULL" if storage_id is None else str(storage_id)
    return tags
