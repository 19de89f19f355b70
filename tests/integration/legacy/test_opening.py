"""DATABASE_URL to a table, and every way in which that cannot be: one clear error with its remedy."""

import sqlite3
from contextlib import closing

import pytest

from tests.support.images import base64_of, make_png
from tests.support.privileges import reachable_folder, without_privileges
from tests.support.tables import AppTable, contents
from z_interact_assets.core.errors import TableUnavailableError, TableUnusableError
from z_interact_assets.core.rows import RowChange
from z_interact_assets.storage.legacy import open_table

PROMPT = "line one;\nline 'two';\n-- no comment\n💃"


@pytest.fixture
def app(tmp_path) -> AppTable:
    made = AppTable(tmp_path / "local.db")
    made.add("a", image_data=base64_of(make_png(1)), prompt=PROMPT)
    return made


def a_change() -> RowChange:
    return RowChange(id="a", values={"image_url": "https://img.example.com/x"}, as_read={"image_url": None})


@pytest.mark.parametrize("form", ["file:{}", "file://{}", "sqlite:///{}", "FILE:{}", "file:{}?mode=rwc"])
def test_every_form_of_the_url_opens_the_file(app, form):
    with closing(open_table(form.format(app.path))) as table:
        assert [head.id for page in table.heads() for head in page] == ["a"]
        assert not table.read_only
        table.check_writable()


def test_relative_paths_start_at_the_given_directory(app):
    for url in ("file:local.db", "sqlite:///local.db", "file:./local.db"):
        with closing(open_table(url, directory=app.path.parent)) as table:
            assert table.count() == 1


def test_a_path_with_odd_characters_is_a_path(tmp_path):
    app = AppTable(tmp_path / "a b%20#é.db")
    app.add("a")
    with closing(open_table(f"file:{str(app.path).replace('%', '%25')}")) as table:
        assert table.count() == 1


@pytest.mark.parametrize(
    "url", ["file:nowhere.db", "sqlite:///nowhere.db", "dump:nowhere.sql", "file:", "file::memory:"]
)
def test_what_is_not_there_is_not_made(tmp_path, url):
    with pytest.raises(TableUnusableError) as caught:
        open_table(url, directory=tmp_path)
    assert caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_no_database(tmp_path):
    with pytest.raises(TableUnusableError, match="no database file"):
        open_table(f"file:{tmp_path}")


def test_another_file_is_no_database(tmp_path):
    path = tmp_path / "local.db"
    path.write_text("These are notes, and no database at all. " * 100)
    with (
        closing(open_table(f"file:{path}")) as table,
        pytest.raises(TableUnusableError, match="not a database") as caught,
    ):
        _ = table.shape
    assert "path" in caught.value.remedy


def test_a_database_without_the_table_says_which_one_is_missed(tmp_path):
    path = tmp_path / "local.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE pictures (id TEXT)")
    with closing(open_table(f"file:{path}")) as table, pytest.raises(TableUnusableError, match="`images`") as caught:
        list(table.heads())
    assert "DATABASE_URL" in caught.value.remedy


@pytest.mark.parametrize(("columns", "missing"), [
    ("id TEXT", "image_url"), ("image_url TEXT", "id"), ("x", "id and no image_url"),
])  # fmt: skip
def test_columns_nothing_can_be_done_without_are_named(tmp_path, columns, missing):
    path = tmp_path / "local.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE images ({columns})")
    with closing(open_table(f"file:{path}")) as table, pytest.raises(TableUnusableError, match=f"no column {missing}"):
        _ = table.shape


def test_an_id_that_names_two_rows_is_refused(tmp_path):
    path = tmp_path / "local.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE images (id TEXT, image_url TEXT)")
        connection.execute("INSERT INTO images VALUES ('a', ''), (NULL, ''), (NULL, ''), ('b', '')")
        with closing(open_table(f"file:{path}")) as table:
            connection.commit()
            assert table.shape.columns == ("id", "image_url")
        connection.execute("INSERT INTO images VALUES ('a', 'again')")
    with closing(open_table(f"file:{path}")) as table, pytest.raises(TableUnusableError, match="more than one row"):
        list(table.heads())


def test_a_read_only_file_can_be_read_and_refuses_every_write():
    with reachable_folder() as folder:
        app = AppTable(folder / "local.db")
        app.add("a")
        app.path.chmod(0o444)
        before = contents(app.path)
        with without_privileges(), closing(open_table(app.url)) as table:
            assert table.count() == 1
            for write in (table.check_writable, lambda: table.apply([a_change()])):
                with pytest.raises(TableUnusableError, match="readonly") as caught:
                    write()
                assert "mode" in caught.value.remedy
        assert contents(app.path) == before


def test_a_file_that_may_not_be_read_is_unusable():
    with reachable_folder() as folder:
        app = AppTable(folder / "local.db")
        app.path.chmod(0)
        with without_privileges(), closing(open_table(app.url)) as table, pytest.raises(TableUnusableError) as caught:
            _ = table.shape
    assert "open" in caught.value.remedy


def dump_of(app: AppTable) -> str:
    with closing(sqlite3.connect(app.path)) as connection:
        return "\n".join(connection.iterdump())


def test_a_dump_is_read_whole_and_never_written(app, tmp_path):
    path = tmp_path / "export.sql"
    path.write_text(dump_of(app), encoding="utf-8")
    with closing(open_table("dump:export.sql", directory=tmp_path)) as table:
        assert table.read_only
        assert table.count() == 1
        row = table.read("a")
        assert row is not None
        assert dict(row.values) == app.row("a")
        for write in (table.check_writable, lambda: table.apply([a_change()])):
            with pytest.raises(TableUnusableError, match="read-only"):
                write()
    assert path.read_text(encoding="utf-8") == dump_of(app)


@pytest.mark.parametrize("statement", ["ATTACH 'other.db' AS other;", "SELECT load_extension('x');", "nonsense;"])
def test_a_dump_that_does_more_than_build_tables_is_refused_by_the_statements_number(tmp_path, statement, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export.sql").write_text(f"CREATE TABLE images (id, image_url);\n{statement}\n")
    with pytest.raises(TableUnusableError, match="Statement 2 of"):
        open_table("dump:export.sql", directory=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["export.sql"]


def test_a_locked_database_is_waited_for_as_long_as_was_asked(app):
    with (
        closing(sqlite3.connect(app.path, isolation_level=None)) as other,
        closing(open_table(app.url, busy_timeout=0.01)) as table,
    ):
        assert table.count() == 1
        other.execute("BEGIN EXCLUSIVE")
        for call in (
            table.count,
            lambda: table.apply([a_change()]),
            lambda: table.read("a"),
            lambda: list(table.heads()),
        ):
            with pytest.raises(TableUnavailableError, match="locked"):
                call()
        other.execute("ROLLBACK")
        assert table.apply([a_change()]) == [True]


@pytest.mark.parametrize(("url", "words"), [
    ("cloudflare_d1://account:s3cret@database", "dump:"),
    ("nonsense://user:s3cret@host/db", "Forms"),
    ("postgresql+pg8000://user:s3cret@host/db", "pip install"),
    ("what is this s3cret", "Forms"),
])  # fmt: skip
def test_a_url_nobody_can_open_is_told_without_its_secret(url, words):
    with pytest.raises(TableUnusableError) as caught:
        open_table(url)
    assert words in caught.value.remedy
    assert "s3cret" not in str(caught.value)
