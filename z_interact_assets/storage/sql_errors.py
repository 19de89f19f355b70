"""Database errors → ours. The driver's own sentence is kept; parameters (payloads) and passwords never are."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy.exc as sa_exc

from z_interact_assets.core.errors import PermanentError, TransientError

# SQLite's own words (https://www.sqlite.org/rescode.html) → what to do.
_PERMANENT = {
    "readonly database": "It can only be read: check the owner and mode of the file and of its folder.",
    "unable to open database file": "Check that the path exists and that this user may open it.",
    "file is not a database": "The file is no SQLite database; check the path.",
    "malformed": "The database file is damaged; restore it before anything else.",
    "no such table": "Check that the URL names the right database.",
    "no such column": "Its shape is not the one this version knows.",
}
_TRANSIENT = {
    "locked": "Another process holds the lock; run again when its write is over.",
    "full": "Free disk space where it lives, then run again: what was done is recorded.",
    "disk I/O error": "Check the disk and its free space, then run again: what was done is recorded.",
}


@dataclass(frozen=True, slots=True)
class SQLErrors:
    """Translates what one database raises. `name` starts the sentence, e.g. `The ledger`."""

    name: str
    unusable: type[PermanentError]
    unavailable: type[TransientError]

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise `unusable` or `unavailable` for what the database raises inside."""
        try:
            yield
        except (sa_exc.DBAPIError, sqlite3.Error) as error:
            raise self._translate(error) from None
        except sa_exc.TimeoutError:
            raise self.unavailable(f"{self.name} has no connection free.") from None

    def _translate(self, error: Exception) -> Exception:
        cause = error.orig if isinstance(error, sa_exc.DBAPIError) and error.orig else error
        text = (str(cause).strip().splitlines() or [type(cause).__name__])[0].rstrip(".")
        for words, remedy in _PERMANENT.items():
            if words in text:
                return self.unusable(f"{self.name} cannot be used: {text}.", remedy=remedy)
        for words, remedy in _TRANSIENT.items():
            if words in text:
                return self.unavailable(f"{self.name} is not available: {text}.", remedy=remedy)
        if isinstance(error, sa_exc.OperationalError | sa_exc.InterfaceError):
            return self.unavailable(f"{self.name} is not available: {text}.", remedy="Check its URL and server.")
        return self.unusable(f"{self.name} cannot be used: {text}.")
