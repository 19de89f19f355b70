"""Published reports: the files of a report in a bucket, under names nobody can guess. Links are made, never kept.

    private/reports/{name of the report}-{128 random bits}/{file}

Whoever knows a key can read it where the bucket has a public URL; so only who may see the report may see its keys. The
inventory lists `images/` alone and does not count them.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from z_interact_assets.core.errors import StorageRefusedError
from z_interact_assets.core.models import ObjectSummary
from z_interact_assets.report.catalogue import NAMES, PAGE, ReportFile
from z_interact_assets.report.folder import age_rank
from z_interact_assets.storage.objects import FileHeaders

PREFIX = "private/reports/"

_REMEDY = "Reports go to REPORT_BUCKET_NAME, or to R2_BUCKET_NAME where that is not set."
_RANDOM_BYTES = 16
_KEY = re.compile(re.escape(PREFIX) + r"(?P<folder>(?P<name>[0-9TZ-]+)-[0-9a-f]{32})/(?P<file>[a-z_.]+)")


class ReportStore(Protocol):
    """What publishing needs of a bucket."""

    def check(self) -> None:
        """Prove that it is reachable."""
        ...

    def upload_file(self, key: str, path: Path, headers: FileHeaders) -> str:
        """Stream a file to the key."""
        ...

    def list(self, prefix: str = "") -> Iterable[ObjectSummary]:
        """Every object under the prefix."""
        ...

    def delete_many(self, keys: Iterable[str]) -> int:
        """Delete objects."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """A file of a report in the bucket. Its key is as good as a password where the bucket has a public URL."""

    name: str
    key: str


def publish_report(
    store: ReportStore, folder: Path, files: Sequence[ReportFile], *, keep: int
) -> tuple[PublishedFile, ...]:
    """Upload the files of a report, the page last: whoever has its link finds all the others there.

    Then the oldest published reports beyond `keep` go. Errors are the store's.
    """
    try:
        store.check()
    except StorageRefusedError as error:
        error.remedy = f"{error.remedy} {_REMEDY}".strip()
        raise
    published = _upload(store, folder, files)
    retire_published(store, keep=keep)
    return published


def _upload(store: ReportStore, folder: Path, files: Sequence[ReportFile]) -> tuple[PublishedFile, ...]:
    prefix = f"{PREFIX}{folder.name}-{secrets.token_hex(_RANDOM_BYTES)}/"
    published = []
    for file in sorted(files, key=lambda file: file.name == PAGE):
        key = prefix + file.name
        store.upload_file(key, folder / file.name, _headers(file, folder.name))
        published.append(PublishedFile(name=file.name, key=key))
    return tuple(published[-1:] + published[:-1])


def retire_published(store: ReportStore, *, keep: int) -> int:
    """Delete the oldest published reports beyond `keep`; how many files went. What is not one of ours stays."""
    reports: dict[tuple[tuple[str, int], str], list[str]] = {}
    for entry in store.list(PREFIX):
        match = _KEY.fullmatch(entry.key)
        rank = age_rank(match["name"]) if match else None
        if match and rank and match["file"] in NAMES:
            reports.setdefault((rank, match["folder"]), []).append(entry.key)
    return store.delete_many(key for report in sorted(reports)[:-keep] for key in reports[report])


def _headers(file: ReportFile, report: str) -> FileHeaders:
    name = f"{report}-{file.name}"
    return FileHeaders(
        content_type=file.media_type,
        content_disposition=None if file.name == PAGE else f'attachment; filename="{name}"',
        metadata={"sha256": file.sha256},
    )
