"""Planted secrets turn up nowhere: no output, no log, no file of Dagster's home, no ledger, no object, no metadata.

Every command runs, as it should, and against every outage and mistake we know; then everything that was said and
written is searched, what is compressed or encoded in it too.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from werkzeug.wrappers import Response

from tests.integration.cli.commandline import Site
from tests.integration.cli.every_command import lines, without_arguments
from tests.support.planted import MISTAKES, SECRETS, SETTINGS, add_rows
from tests.support.traces import contents, traces
from z_interact_assets.cli import main
from z_interact_assets.core.rows import RowChange, spelt
from z_interact_assets.demo.standin import StandIn
from z_interact_assets.demo.standin_app import IncomingRequest
from z_interact_assets.migrate.worker import Worker
from z_interact_assets.settings import setting_names
from z_interact_assets.storage.legacy import LegacyTable
from z_interact_assets.storage.objects.retrying import RetryPolicy
from z_interact_assets.storage.sql_errors import SQLErrors

pytestmark = pytest.mark.slow

ANSWERS = (403, 500, 302, 200)
APPS_TABLE = "local.db"
# The one place that must hold what was in a row's URL, to give it back byte for byte.
UNDO_RECORD = {"signature in .dagster_home/ledger.db", "signature in .dagster_home/ledger.db items.before"}
# A presigned link names the id of the key it was signed with. It is printed where it was asked for, and kept nowhere.
LINKS = {"key id in report --publish (works)"}


class Told:
    """A site, its commands run in this process, and all they said, by command and what was wrong."""

    def __init__(self, site: Site, patch: pytest.MonkeyPatch) -> None:
        self.site = site
        self.answer: int | None = None
        self.said: dict[str, str] = {}
        self.exceptions: list[BaseException] = []
        self._patch = patch
        patch.chdir(site.folder)
        patch.setenv("NO_COLOR", "1")

    def faults(self, request: IncomingRequest) -> Response | None:
        """What the bucket answers while `answer` is set: a page that is none of S3's."""
        return None if self.answer is None else Response("<html>No.</html>", status=self.answer)

    def run(self, what: str, *arguments: str, **changes: str) -> None:
        settings = {**SETTINGS, **self.site.settings, **changes}
        with pytest.MonkeyPatch.context() as patch:
            for name in setting_names():
                patch.delenv(name, raising=False)
            for name, value in settings.items():
                patch.setenv(name, value)
            ended = CliRunner().invoke(main, list(arguments))
        self.said[f"{' '.join(arguments)} ({what})"] = ended.output
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            self.exceptions.append(ended.exception)

    def run_every_command(self, what: str, folder: Path, **changes: str) -> None:
        for line in lines("payload", folder):
            self.run(what, *line, **changes)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("secrets")
    with pytest.MonkeyPatch.context() as patch:
        faults: list[Told] = []
        standin = StandIn(folder / "r2", faults=lambda request: faults[0].faults(request) if faults else None)
        with standin:
            # What waits for an outage to pass would wait in vain here.
            patch.setattr(RetryPolicy, "pause", lambda _self, attempts, _asked_for=None: None if attempts > 1 else 0.0)
            patch.setenv("TMPDIR", str(folder))  # what is left in it is searched too
            told = Told(Site(folder / "site", standin), patch)
            faults.append(told)
            add_rows(told.site.app)
            tell(told, folder)
            yield told


def tell(told: Told, folder: Path) -> None:
    """Everything: mistakes, outages, bugs, and in the end each command as it should be."""
    for name, changes in MISTAKES.items():
        for command in ("doctor", "migrate"):
            told.run(name, command, **changes)
    told.run("works", "migrate", "--limit", "2")
    for told.answer in ANSWERS:
        for command in (["doctor"], ["migrate"], ["validate", "--full"], ["stats"]):
            told.run(f"R2 answers {told.answer}", *command)
    told.answer = None
    with_bugs(told)
    told.run_every_command("works", folder / "backup")


def with_bugs(told: Told) -> None:
    """Bugs of our own in the middle of a run, whose messages quote whatever is at hand; Dagster keeps tracebacks."""

    def quote_everything(self: Worker, item: Any, prepared: Any) -> Any:
        sink: Any = self._sink
        raise RuntimeError(
            f"a bug: {prepared.row!r} {prepared!r} {item!r} {vars(self)!r} {vars(sink)!r} {sink._store!r}"
        )

    def switch_wrongly(self: LegacyTable, changes: Sequence[RowChange], **_: Any) -> list[bool]:
        # A statement that the database refuses, with payload and URL among its parameters.
        with self._writing() as connection:
            for change in changes:
                same = " AND ".join(f"{column} IS :{column}" for column in change.as_read)
                read = {column: spelt(value) for column, value in change.as_read.items()}
                connection.execute(sa.text(f"UPDATE images SET no_such_column = 1 WHERE {same}"), read)
        return []

    for name, target, method, bug in (
        ("a bug that quotes everything", Worker, "_sent", quote_everything),
        ("a statement refused", LegacyTable, "apply", switch_wrongly),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(target, method, bug)
            told.run(name, "migrate")
            # And with nobody to translate what a database says:
            patch.setattr(SQLErrors, "_translate", lambda _self, error: error)
            told.run(f"{name}, untranslated", "migrate", "--json")


def own_secrets(told: Told) -> Mapping[str, str]:
    return {**SECRETS, "secret key": told.site.standin.secret_access_key, "key id": told.site.standin.access_key_id}


def test_every_command_is_run() -> None:
    assert without_arguments() == set()


def test_no_output_holds_a_secret(told: Told) -> None:
    assert set(traces(((name, output.encode()) for name, output in told.said.items()), own_secrets(told))) == LINKS


def test_no_command_ends_in_a_traceback(told: Told) -> None:
    assert told.exceptions == []
    assert [name for name, output in told.said.items() if "Traceback" in output] == []


def test_the_failures_happened_and_were_told(told: Told) -> None:
    said = "\n".join(told.said.values())
    for words in ("failed (RuntimeError)", "no such column", "Connection refused", "denies access", "could not serve"):
        assert words in said, words


def test_dagsters_home_with_event_log_compute_logs_and_ledger_holds_none(told: Told) -> None:
    found = set(traces(contents(told.site.folder), own_secrets(told)))
    assert {trace for trace in found - UNDO_RECORD if f" in {APPS_TABLE}" not in trace} == set()
    assert found > UNDO_RECORD  # the search works


def test_the_bucket_holds_none_in_bytes_or_metadata(told: Told) -> None:
    assert traces(contents(told.site.standin.folder / "buckets"), own_secrets(told)) == []


def test_nothing_is_left_in_the_folder_for_temporary_files(told: Told) -> None:
    folder = told.site.folder.parent
    assert {path.name for path in folder.iterdir()} <= {"backup", "r2", "site"}
