"""What strangers wrote into ids and keys comes to Dagster's UI as plain short text: no markdown, link or control."""

from collections.abc import Iterator

import dagster as dg
import pytest

from tests.integration.dagster.installation import Installation
from tests.support.hostile import NEEDLE, TEXTS, obeyed_by_a_terminal
from tests.support.images import base64_of, make_png
from z_interact_assets.core.rows import TableShape
from z_interact_assets.core.showing import LONGEST_NAME
from z_interact_assets.defs.legacy import column_schema

pytestmark = pytest.mark.slow


def metadata(result: dg.ExecuteInProcessResult) -> Iterator[dg.MetadataValue]:
    """Every metadata value of a run: materialisations, observations, checks, failures."""
    for event in result.all_events:
        data = event.event_specific_data
        for part in (data, *(getattr(data, name, None) for name in (
            "materialization", "asset_observation", "user_failure_data"
        ))):  # fmt: skip
            yield from (getattr(part, "metadata", None) or {}).values()


def texts(value: object) -> Iterator[str]:
    """Every text inside a metadata value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from (*texts(name), *texts(each))
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, dg.TableMetadataValue):
        yield from texts([dict(record.data) for record in value.records])
    elif isinstance(value, dg.MetadataValue) and value.value is not value:
        yield from texts(value.value)


@pytest.fixture
def values(installation: Installation) -> list[dg.MetadataValue]:
    """The metadata of every job on a table and a bucket full of hostile texts."""
    for number, text in enumerate(TEXTS.values()):
        installation.add_row(text, base64_of(make_png(number + 1)))
        installation.add_row(f"bad {text}", "*")
        installation.store.client.put_object(
            Bucket=installation.store.bucket, Key=f"images/{text[:200]}", Body=b"x", ContentType="text/html"
        )
    results = [installation.run("plan_batches"), installation.run("take_stock")]
    results.append(installation.migrate())
    for row_id in list(TEXTS.values())[::4]:
        if "i" * 100 not in row_id:
            installation.store.delete(installation.key_of(row_id))
    installation.add_row(f"new {TEXTS['bidi override']}", base64_of(make_png(500)))
    installation.store.upload(installation.key_of(next(iter(TEXTS.values()))), make_png(501), overwrite=True)
    jobs = (
        "take_stock",
        "validate_migration",
        "sample_public_urls",
        "storage_report",
        "r2_connectivity",
        "plan_batches",
    )
    results += [installation.run(job) for job in jobs]
    return [value for result in results for value in metadata(result)]


def test_metadata_hold_strangers_texts_only_where_the_ui_shows_plain_text(values: list[dg.MetadataValue]) -> None:
    shown = {type(value).__name__: 0 for value in values}
    for value in values:
        inside = [text for text in texts(value) if NEEDLE in text]
        shown[type(value).__name__] += len(inside)
        for text in inside:
            assert not obeyed_by_a_terminal(text), ascii(text)
            assert "\n" not in text
            assert len(text) <= LONGEST_NAME
    # Tables and JSON are shown as they are; markdown, links and names of things are interpreted.
    assert {kind for kind, count in shown.items() if count} <= {"TableMetadataValue", "JsonMetadataValue"}
    assert shown["TableMetadataValue"]
    assert shown["JsonMetadataValue"]


def test_names_and_types_of_columns_are_plain() -> None:
    shape = TableShape(table="images", columns=tuple(TEXTS.values()), types=tuple(TEXTS.values()))
    for column in column_schema(shape).columns:
        assert not obeyed_by_a_terminal(column.name + column.type)
