"""The manifest as a document: it is believed only if it is whole and makes sense."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from z_interact_assets.backup.cells import columns_of
from z_interact_assets.backup.manifest import Manifest, Part, Progress, seal, unseal
from z_interact_assets.core.errors import BackupDamagedError, BackupUnusableError

ROWS = Part(name="rows-00001.parquet", bytes=10, sha256="0" * 64, rows=3, first_id="a", last_id="c")
ITEMS = Part(name="ledger-items-00001.parquet", bytes=5, sha256="1" * 64, rows=2)
MANIFEST = Manifest(
    created_at="2025-11-14T00:00:00Z", finished_at="2025-11-14T00:00:01Z", tool_version="1", table="images",
    columns=columns_of(("id", "prompt"), ("TEXT", "TEXT")), parts=(ROWS,), unaddressable=1, ledger_revision="0002",
    ledger={"items": (ITEMS,)},
)  # fmt: skip


def test_a_manifest_is_read_as_it_was_written():
    document, checksum = unseal(seal(MANIFEST.document()), file="manifest.json")
    assert Manifest.parse(document) == MANIFEST
    assert len(checksum) == 64


def test_a_progress_file_is_read_as_it_was_written():
    progress = Progress(created_at="2025", table="images", columns=MANIFEST.columns, parts=(ROWS,))
    assert Progress.parse(unseal(seal(progress.document()), file="progress.json")[0]) == progress


def test_any_changed_byte_is_noticed():
    raw = seal(MANIFEST.document())
    for position in range(len(raw)):
        changed = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        with pytest.raises((BackupDamagedError, BackupUnusableError)):
            unseal(changed, file="manifest.json")


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"7", b'"text"', b"{}", b"\xff\xfe", b"[" * 100_000, seal(MANIFEST.document())[:-9]],
    ids=lambda raw: repr(raw[:8]),
)
def test_what_is_no_whole_document_is_damaged(raw: bytes):
    with pytest.raises(BackupDamagedError) as caught:
        unseal(raw, file="manifest.json")
    assert caught.value.file == "manifest.json"


def test_a_newer_format_is_not_guessed_at():
    with pytest.raises(BackupUnusableError):
        unseal(seal({**MANIFEST.document(), "format": 2}), file="manifest.json")


def table(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda document: change(document["table"])


def part(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda document: document["table"]["parts"][0].update(changes)


FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a path out of the folder": part(name="../rows-00001.parquet"),
    "an absolute path": part(name="/etc/passwd"),
    "another file's name": part(name="manifest.json"),
    "a name with a line break": part(name="rows-00001.parquet\n"),
    "a name that is no text": part(name=7),
    "fewer than no bytes": part(bytes=-1),
    "fewer than no rows": part(rows=-3),
    "rows that are no number": part(rows="3"),
    "other rows than the sum": part(rows=4),
    "an id that is no text": part(last_id=7),
    "a field too many": part(path="/"),
    "a part named twice": table(lambda found: found.update(parts=found["parts"] * 2, rows=6)),
    "rows of no part": table(lambda found: found.update(rows=10**30)),
    "parts that are no list": table(lambda found: found.update(parts=None)),
    "no columns": table(lambda found: found.update(columns=[])),
    "no id": table(lambda found: found["columns"].pop(0)),
    "a column twice": table(lambda found: found["columns"].append(found["columns"][1])),
    "a column of an unknown kind": table(lambda found: found["columns"][1].update(kind="pickle")),
    "our own column": table(lambda found: found["columns"][1].update(name="__exact")),
    "no table": lambda document: document.pop("table"),
    "no ledger": lambda document: document.pop("ledger"),
    "a ledger that is a list": lambda document: document.update(ledger=[]),
    "a ledger that does not add up": lambda document: document["ledger"]["tables"]["items"].update(rows=9),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_manifest_is_refused_though_its_checksum_is_right(name: str):
    document = json.loads(json.dumps(MANIFEST.document()))
    FORGERIES[name](document)
    found, _ = unseal(seal(document), file="manifest.json")
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        Manifest.parse(found)
