"""Every effect of this process on the world outside it, seen where Python hands it on, named, and one of them deadly.

An effect is what outlives the process: a commit of a SQLite database or a statement that commits itself (VACUUM), a
request that may change what a server holds, a file that is made, renamed, removed or made durable. Its name is what was
done and the innermost public function of ours that did it: `commit WorkLog.record_stored`. Each effect has the points
`before` and `after` it; that after a request is where the answer has arrived and our code has not seen it. A file's
effects have no `after` of their own: nothing lies between it and the next effect.
"""

import http.client
import os
import signal
import sqlite3
import stat
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import obstore

BEFORE, AFTER = "before", "after"
NOBODY = "nobody"
_OURS = "z_interact_assets."
_TOOL = "z_interact_assets.storage.durable"  # what it does, it does for whoever calls it
_WRITING_METHODS = frozenset({"PUT", "POST", "DELETE", "PATCH"})
_WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FILE_EVENTS = {
    "open": "open", "os.rename": "rename", "os.remove": "remove", "os.mkdir": "mkdir", "os.rmdir": "rmdir",
    "os.truncate": "truncate", "os.link": "link", "os.symlink": "symlink",
}  # fmt: skip
FILE_KINDS = frozenset(_FILE_EVENTS.values())


@dataclass(frozen=True, slots=True)
class Point:
    """An instant: before or after the n-th effect of a name (from 1), or the n-th point of all if it has no name."""

    name: str
    when: str
    number: int


@dataclass(slots=True)
class Effects:
    """The effects of this process since `begin`, in order. `facts` tell how durable it was, which path, …"""

    deadly: Point | None = None
    below: str = ""
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    points: int = 0
    _is_on: bool = False
    _reached: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self, below: Path, deadly: Point | None) -> None:
        """Watch from now on; of files those below a folder."""
        self.below, self.deadly, self._is_on = f"{below}{os.sep}", deadly, True

    def end(self) -> None:
        """Watch no more."""
        self._is_on = False

    def reach(self, name: str, when: str, facts: dict[str, Any] | None = None) -> None:
        """Note that a point is reached; die if it is the deadly one."""
        if not self._is_on:
            return
        with self._lock:
            self.points += 1
            self._reached[name, when] += 1
            if when == BEFORE:
                self.seen.append((name, facts or {}))
            reached = (Point(name, when, self._reached[name, when]), Point("", "", self.points))
            if self.deadly in reached:
                os.kill(os.getpid(), signal.SIGKILL)
                threading.Event().wait()  # the signal takes effect when it is delivered: nothing may be done meanwhile

    @contextmanager
    def effect(self, kind: str, facts: dict[str, Any] | None = None) -> Iterator[None]:
        """Surround what has an effect. If it fails it has none, and no point after it."""
        name = f"{kind} {_doer()}"
        self.reach(name, BEFORE, facts)
        yield
        self.reach(name, AFTER)


def _doer() -> str:
    """Return the innermost function of ours that others may call: what a private one does, it does for that one."""
    frame = sys._getframe()
    while frame is not None:
        code = frame.f_code
        module = frame.f_globals.get("__name__", "")
        if module.startswith(_OURS) and module != _TOOL and code.co_name[0] not in "_<":
            return code.co_qualname
        frame = frame.f_back
    return NOBODY


EFFECTS = Effects()


class WatchedConnection(sqlite3.Connection):
    """A connection whose commits are effects; a transaction that changed nothing has none."""

    _REMAIN = frozenset({"SELECT", "PRAGMA", "EXPLAIN", "BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE"})
    _CHANGE_ROWS = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})

    def __init__(self, database: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(database, *arguments, **options)
        self._file = str(database).partition("?")[0].rpartition("/")[2]
        self._settled = 0
        self._defined = False
        # As on a SQLite that was built with low defaults: what is durable is so because our code asked for it.
        super().cursor().execute("PRAGMA synchronous = OFF")

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor that is watched, too."""
        return super().cursor(factory or WatchedCursor)

    # sqlite3's own shortcuts pass by the methods of a cursor that is derived from.
    def execute(self, *arguments: Any) -> Any:
        """Execute."""
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        """Execute."""
        return self.cursor().executemany(*arguments)

    def executescript(self, *arguments: Any) -> Any:
        """Execute."""
        return self.cursor().executescript(*arguments)

    def commit(self) -> None:
        """Commit."""
        with self.running("COMMIT"):
            super().commit()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> Any:
        if kind is None:
            self.commit()
        return super().__exit__(kind, *rest)  # pyright: ignore[reportArgumentType] - the error and its trace, unseen

    @contextmanager
    def running(self, sql: str) -> Iterator[None]:
        """Surround a statement."""
        word = sql.split(maxsplit=1)[0].upper()
        if not self.in_transaction:
            self._settled, self._defined = self.total_changes, False
        if word in ("COMMIT", "END"):
            changes = self.in_transaction and (self._defined or self.total_changes != self._settled)
        else:
            begins_one = self.isolation_level is not None and word in self._CHANGE_ROWS
            changes = not (self.in_transaction or begins_one or word in self._REMAIN)
            self._defined |= word not in self._REMAIN | self._CHANGE_ROWS
        if changes and self._file not in ("", ":memory:"):
            with EFFECTS.effect(word.lower(), self.durability()):
                yield
        else:
            yield

    def durability(self) -> dict[str, Any]:
        """Tell which file it is, and how much of it a power loss would leave."""
        cursor = super().cursor()
        (synchronous,), (journal,) = (
            cursor.execute(f"PRAGMA {name}").fetchone() for name in ("synchronous", "journal_mode")
        )
        return {"file": self._file, "synchronous": synchronous, "journal": journal}


class WatchedCursor(sqlite3.Cursor):
    """A cursor whose statements may be effects."""

    connection: WatchedConnection  # pyright: ignore[reportIncompatibleMethodOverride] - no other one makes it

    def execute(self, sql: str, *arguments: Any) -> Any:
        """Execute."""
        with self.connection.running(sql):
            return super().execute(sql, *arguments)

    def executemany(self, sql: str, *arguments: Any) -> Any:
        """Execute."""
        with self.connection.running(sql):
            return super().executemany(sql, *arguments)

    def executescript(self, script: str) -> Any:
        """Execute: one effect, whatever is in it."""
        with EFFECTS.effect("script", self.connection.durability()):
            return super().executescript(script)


def install() -> None:
    """Watch this process from here on. Once, before anything connects."""
    connect, fsync = sqlite3.connect, os.fsync

    def watched_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return connect(*arguments, **{"factory": WatchedConnection, **options})

    def watched_fsync(file: int) -> None:
        path = str(Path(f"/proc/self/fd/{file}").readlink())
        kind = "folder" if stat.S_ISDIR(os.fstat(file).st_mode) else "file"
        with EFFECTS.effect(f"sync {kind}", {"path": path}):
            fsync(file)

    sqlite3.connect = sqlite3.dbapi2.connect = watched_connect  # pyright: ignore[reportAttributeAccessIssue]
    os.fsync = watched_fsync
    _watch_http()
    _watch_obstore()
    sys.addaudithook(_note_file)


def _watch_http() -> None:
    putrequest, getresponse = http.client.HTTPConnection.putrequest, http.client.HTTPConnection.getresponse

    def watched_putrequest(self: Any, method: str, url: str, *arguments: Any, **options: Any) -> None:
        self.effect = f"{method} {_doer()}" if method in _WRITING_METHODS else None
        if self.effect is not None:
            EFFECTS.reach(self.effect, BEFORE, {"url": url})
        putrequest(self, method, url, *arguments, **options)

    def watched_getresponse(self: Any) -> http.client.HTTPResponse:
        answer = getresponse(self)
        if self.effect is not None:
            EFFECTS.reach(self.effect, AFTER)
        return answer

    http.client.HTTPConnection.putrequest = watched_putrequest
    http.client.HTTPConnection.getresponse = watched_getresponse


def _watch_obstore() -> None:
    put = obstore.put

    def watched_put(store: Any, path: str, *arguments: Any, **options: Any) -> Any:
        name = f"PUT {_doer()}"
        EFFECTS.reach(name, BEFORE, {"url": path})
        try:
            result = put(store, path, *arguments, **options)
        except Exception as error:
            if "status code" in str(error):  # an answer, too
                EFFECTS.reach(name, AFTER)
            raise
        EFFECTS.reach(name, AFTER)
        return result

    obstore.put = watched_put


def _note_file(event: str, arguments: tuple[Any, ...]) -> None:
    kind = _FILE_EVENTS.get(event)
    if kind is None or not EFFECTS.below:
        return
    if isinstance(arguments[0], int):  # a file that was opened by its path before
        return
    path = os.fsdecode(arguments[0])
    if not path.startswith(EFFECTS.below) or (kind == "open" and not arguments[2] & _WRITING_FLAGS):
        return
    if kind == "mkdir" and Path(path).is_dir():
        return
    target = {"to": os.fsdecode(arguments[1])} if kind == "rename" else {}
    EFFECTS.reach(f"{kind} {_doer()}", BEFORE, {"path": path, **target})
