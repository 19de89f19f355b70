"""What examples/ shows works on a report of the sample table, and says what the report's own document says."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.sites import NOW_MS, Site, r2_store
from tests.support.tables import AppTable
from z_interact_assets.core.stats import BucketCounts
from z_interact_assets.demo.sample import make_sample_table
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.report import ReportOptions, write_report
from z_interact_assets.stats import Sources, collect_stats

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[3] / "examples"
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of reports of a migrated sample table, with a history of three days."""
    folder = tmp_path_factory.mktemp("examples")
    with StandIn(folder / "standin") as standin:
        store = r2_store(standin)

        def upload(key: str, data: bytes, content_type: str) -> None:
            store.upload(key, data, content_type=content_type)

        sample = make_sample_table(folder / "local.db", public_url=standin.public_url, uploader=upload, rows=110)
        with closing(Site(folder, AppTable(sample.path), store)) as site:
            sources = Sources(table=site.table, ledger=site.ledger, bases=site.bases)
            for day in range(3):
                if day == 1:
                    site.migrate()
                at = NOW_MS + day * DAY_MS
                bucket: BucketCounts = site.inventory().counts()
                site.ledger.snapshots.add_stats(collect_stats(sources, bucket, now_ms=at), now_ms=at, run_id=None)
            write_report(sources, ReportOptions(directory=folder / "reports"), now_ms=NOW_MS + 2 * DAY_MS)
            yield folder / "reports"


@pytest.fixture(scope="module")
def answers(reports: Path) -> list[list[tuple[Any, ...]]]:
    """What DuckDB answers to each query of the file, in order."""
    with duckdb.connect() as connection:
        connection.execute(f"SET file_search_path = '{reports}'")
        text = (EXAMPLES / "queries.sql").read_text()
        return [connection.execute(query).fetchall() for query in duckdb.extract_statements(text)]


@pytest.fixture(scope="module")
def document(reports: Path) -> dict[str, Any]:
    return json.loads((reports / "latest" / "storage_stats.json").read_text())


def test_every_query_has_an_answer(answers: list[list[tuple[Any, ...]]]) -> None:
    assert len(answers) == 8
    assert all(answers)


def test_the_queries_say_what_the_document_says(answers: list[list[tuple[Any, ...]]], document: dict[str, Any]) -> None:
    personas, waiting, quarantined, copies, moved, formats, history, costs = answers
    assert sum(row[1] for row in personas) == document["total_images"]
    assert sum(row[1] for row in waiting) == document["base64_images"]
    assert {reason: count for reason, count, _ in quarantined} == document["quarantine"]
    duplicates = document["duplicates"]
    assert (len(copies), sum(row[3] for row in copies)) == (duplicates["groups"], duplicates["bytes"])
    assert sum(row[1] for row in moved) == sum(day["images"] for day in document["throughput"])
    types = {group["value"]: group["images"] for group in document["breakdowns"]["type"] if group["value"]}
    assert {row[0]: row[1] for row in formats} == types
    assert [row[1] for row in history][-1] == document["r2_images"] + document["mixed_images"]
    assert costs[0][0] == pytest.approx(document["costs"]["now"]["total"], abs=0.001)


def test_the_query_in_the_readme_has_an_answer(reports: Path, document: dict[str, Any]) -> None:
    (query,) = re.findall(r'duckdb -c "(.+)"', (EXAMPLES.parent / "README.md").read_text())
    with duckdb.connect() as connection:
        connection.execute(f"SET file_search_path = '{reports}'")
        assert dict(connection.execute(query).fetchall()) == document["quarantine"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own machinery
def test_the_notebook_runs_to_its_end_and_its_totals_agree(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTS", str(reports))
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    notebook = nbformat.read(EXAMPLES / "analysis.ipynb", as_version=4)
    assert [cell for cell in notebook.cells if cell.get("outputs")] == []
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not [output for output in shown if output.output_type == "error"]
    assert sum(kind == "image/png" for output in shown for kind in output.get("data", {})) == 3
    *_, last = shown
    for line in last["data"]["text/plain"].splitlines()[1:]:
        _, told, counted = line.split()
        assert told == counted
