"""Everything a user can get wrong: an exit code, a line that names the thing, one with the remedy; nothing changed."""

import json
import socket
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.cli.commandline import Result, Site
from tests.support.tables import contents
from z_interact_assets.cli.errors import OUT_OF_REACH, USAGE_OR_SETTINGS
from z_interact_assets.demo.standin import StandIn

IMAGES = 3
READ_ONLY_FORMAT = b"\x03"  # SQLite opens a file with a write version it does not know for reading only


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A way to get it wrong, and what has to be said about it."""

    id: str
    thing: str
    remedy: str
    command: str = "migrate --json"
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    prepare: Callable[[Path], None] = lambda _: None
    code: int = USAGE_OR_SETTINGS


def statement(sql: str, name: str = "other.db") -> Callable[[Path], None]:
    """Make a database of one statement."""

    def make(folder: Path) -> None:
        with closing(sqlite3.connect(folder / name)) as connection, connection:
            connection.execute(sql)

    return make


def text_file(name: str, text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).write_text(text, encoding="utf-8", errors="surrogateescape")

    return make


def read_only_database(folder: Path) -> None:
    """A copy that SQLite itself refuses to write, for root too."""
    copy = bytearray((folder / "local.db").read_bytes())
    copy[18:19] = READ_ONLY_FORMAT
    (folder / "other.db").write_bytes(copy)


OTHER = {"DATABASE_URL": "file:other.db"}
HIDDEN = "pazz-w0rd-that-must-not-show"

DATABASES = [
    Mistake(id="missing file", settings=OTHER, thing="no database file at", remedy="Set DATABASE_URL"),
    Mistake(id="directory", settings={"DATABASE_URL": "file:."}, thing="no database file", remedy="Set DATABASE_URL"),
    Mistake(
        id="no database", settings=OTHER, prepare=text_file("other.db", "not SQLite at all, " * 50),
        thing="cannot be used: file is not a database", remedy="check the path",
    ),
    Mistake(
        id="table absent", settings=OTHER, prepare=statement("CREATE TABLE pictures (id TEXT)"),
        thing="no table `images`", remedy="DATABASE_URL must name",
    ),
    Mistake(
        id="no id column", settings=OTHER, prepare=statement("CREATE TABLE images (image_url TEXT)"),
        thing="no column id", remedy="check DATABASE_URL",
    ),
    Mistake(
        id="no image_url column", settings=OTHER, prepare=statement("CREATE TABLE images (id TEXT, image_data TEXT)"),
        thing="no column image_url", remedy="check DATABASE_URL",
    ),
    Mistake(
        id="read-only database", settings=OTHER, prepare=read_only_database,
        thing="readonly database", remedy="check the owner and mode",
    ),
    Mistake(
        id="dump", settings={"DATABASE_URL": "dump:other.sql"},
        prepare=text_file("other.sql", "CREATE TABLE images (id TEXT, image_url TEXT, persona_id TEXT, prompt TEXT);\n"
                          "INSERT INTO images VALUES ('a', 'data:image/png;base64,AAAA', 'p', 'q');\n"),
        thing="open read-only (a dump)", remedy="live database",
    ),
    Mistake(
        id="broken dump", settings={"DATABASE_URL": "dump:other.sql"}, prepare=text_file("other.sql", "CREATE TABEL;"),
        command="plan --json", thing="Statement 1 of", remedy="is refused by SQLite",
    ),
    Mistake(
        id="D1 over HTTP", settings={"DATABASE_URL": f"cloudflare_d1://account:{HIDDEN}@database"}, command="plan",
        thing="Cloudflare D1 over HTTP", remedy="dump:export.sql",
    ),
]  # fmt: skip

SETTINGS = [
    Mistake(
        id=f"scheme of {url}", settings={"DATABASE_URL": url}, command="status", thing="DATABASE_URL",
        remedy="scheme is not one of file:, sqlite:, postgresql:",
    )
    for url in (f"mysql://root:{HIDDEN}@localhost/app", "local.db", "https://example.com/app.db")
] + [
    Mistake(
        id="ledger scheme", command="status --json",
        settings={"LEDGER_URL": f"mysql://root:{HIDDEN}@localhost/ledger"}, thing="LEDGER_URL",
        remedy="scheme is not sqlite:// or postgresql://",
    ),
    Mistake(
        id="endpoint without TLS", command="status --json",
        settings={"R2_ENDPOINT_URL": "http://r2.example.com"}, thing="R2_ENDPOINT_URL",
        remedy="must be an https:// URL",
    ),
    Mistake(
        id="number", command="status --json",
        settings={"MIGRATION_BATCH_SIZE": "ten"}, thing="MIGRATION_BATCH_SIZE", remedy="valid integer",
    ),
    Mistake(
        id=".env", command="status --json", prepare=text_file(".env", "R2_BUCKET_NAME=\udcff"),
        thing=".env cannot be read", remedy="must be UTF-8 text",
    ),
    Mistake(
        id="no R2 at all", settings=dict.fromkeys(
            ("R2_ENDPOINT_URL", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_PUBLIC_URL"), ""
        ),
        thing="R2_SECRET_ACCESS_KEY is not set", remedy="demo` needs no settings",
    ),
    Mistake(
        id="R2 switched off", command="migrate --dry-run",
        settings={"ENABLE_R2_STORAGE": "false"}, thing="ENABLE_R2_STORAGE is false",
        remedy="set it to true",
    ),
]  # fmt: skip

BUCKETS = [
    Mistake(
        id="wrong secret", settings={"R2_SECRET_ACCESS_KEY": HIDDEN}, thing="denies access to bucket",
        remedy="and R2_SECRET_ACCESS_KEY",
    ),
    Mistake(
        id="wrong key id", command="migrate --dry-run",
        settings={"R2_ACCESS_KEY_ID": HIDDEN}, thing="denies access to bucket",
        remedy="Check R2_ACCESS_KEY_ID",
    ),
    Mistake(
        id="no bucket", command="migrate --dry-run",
        settings={"R2_BUCKET_NAME": "somebody-elses"}, thing="There is no bucket 'somebody-elses'",
        remedy="correct R2_BUCKET_NAME",
    ),
    Mistake(
        id="nobody there", settings={"R2_ENDPOINT_URL": "{closed}"}, thing="did not answer", code=OUT_OF_REACH,
        remedy="Check the network and the endpoint",
    ),
    Mistake(
        id="nobody there, dry run", settings={"R2_ENDPOINT_URL": "{closed}"}, thing="did not answer",
        command="migrate --dry-run --json", code=OUT_OF_REACH, remedy="Check the network and the endpoint",
    ),
]  # fmt: skip

HOMES = [
    Mistake(
        id="ledger in a file", settings={"LEDGER_URL": "sqlite:///local.db/ledger.db"}, command="plan --json",
        thing="The ledger's folder local.db cannot be made", remedy="Set LEDGER_URL",
    ),
    Mistake(
        id="ledger that cannot be opened", settings={"LEDGER_URL": "sqlite:////proc/self/ledger.db"},
        command="plan --json", thing="The ledger cannot be used", remedy="Check that the path exists",
    ),
    Mistake(
        id="ledger that is none", settings={"LEDGER_URL": "sqlite:///other.db"}, command="plan --json",
        prepare=text_file("other.db", "not SQLite at all, " * 50), thing="The ledger cannot be used",
        remedy="check the path",
    ),
    Mistake(
        id="no ledger yet", command="status --json", thing="There is no ledger at", remedy="assets plan` first",
    ),
    Mistake(
        id="home in a file", settings={"DAGSTER_HOME": "local.db/home"}, command="plan --json", thing="DAGSTER_HOME",
        remedy="cannot be made: Not a directory",
    ),
]  # fmt: skip

OPTIONS = [
    Mistake(id="unknown batch", command="migrate --batch b999999", thing="--batch", remedy="no batch b999999"),
    Mistake(id="unknown image", command="migrate --image-id nobody", thing="--image-id", remedy="no image nobody"),
]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One bucket for all mistakes: nothing must ever come to be in it."""
    with StandIn(tmp_path_factory.mktemp("bucket")) as started:
        yield started


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port nobody listens on; bound, so that nobody takes it meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def assert_clear(result: Result, mistake: Mistake) -> None:
    assert result.code == mistake.code, result.output
    assert mistake.thing in result.stderr
    assert mistake.remedy in result.stderr
    if result.stdout:  # planned, then stopped before anything was sent
        assert json.loads(result.stdout)["objects_written"] == json.loads(result.stdout)["migrated"] == 0
    assert "Traceback" not in result.stderr
    assert HIDDEN not in result.output


@pytest.mark.slow  # a process of 1.5 s for each mistake
@pytest.mark.parametrize("mistake", [*DATABASES, *SETTINGS, *BUCKETS, *HOMES, *OPTIONS], ids=lambda mistake: mistake.id)
def test_a_mistake_is_named_with_its_remedy_and_changes_nothing(
    tmp_path: Path, standin: StandIn, closed_port: int, mistake: Mistake
) -> None:
    site = Site(tmp_path, standin)
    site.add_images(IMAGES)
    mistake.prepare(tmp_path)
    before = contents(site.app.path)
    settings = {
        name: value.format(closed=f"http://127.0.0.1:{closed_port}") for name, value in mistake.settings.items()
    }
    assert_clear(site.run(*mistake.command.split(), **settings), mistake)
    assert contents(site.app.path) == before
    assert site.puts == 0


@pytest.mark.slow
def test_all_missing_settings_are_named_at_once(tmp_path: Path, standin: StandIn) -> None:
    site = Site(tmp_path, standin)
    ended = site.run("migrate", **dict.fromkeys(site.settings, ""))
    assert ended.code == USAGE_OR_SETTINGS
    for name in ("R2_ACCOUNT_ID", "R2_ENDPOINT_URL", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_PUBLIC_URL"):
        assert name in ended.stderr


@pytest.mark.slow
def test_stats_go_on_without_the_bucket_and_say_so(tmp_path: Path, standin: StandIn) -> None:
    site = Site(tmp_path, standin)
    site.add_images(IMAGES)
    ended = site.run("stats", "--json", R2_SECRET_ACCESS_KEY=HIDDEN)
    assert ended.document["r2_objects"] is None
    assert ended.document["total_images"] == IMAGES
    assert "its numbers stay unknown" in ended.stderr
    assert "R2_SECRET_ACCESS_KEY" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "isolation", [pytest.param(name, marks=pytest.mark.exhaustive) for name in ("EXCLUSIVE", "IMMEDIATE")]
)
def test_a_locked_database_is_out_of_reach(tmp_path: Path, standin: StandIn, isolation: str) -> None:
    site = Site(tmp_path, standin)
    site.add_images(IMAGES)
    with closing(sqlite3.connect(site.app.path, isolation_level=None)) as other:
        other.execute(f"BEGIN {isolation}")
        ended = site.run("migrate")
    assert ended.code == OUT_OF_REACH, ended.output
    assert "locked" in ended.stderr
    assert "Another process holds the lock" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert site.puts == 0
