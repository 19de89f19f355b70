"""How every part of the ledger talks to its database: one transaction a call, errors translated."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from z_interact_assets.storage.sql_errors import SQLErrors


class Sessions:
    """Base of the ledger's parts."""

    def __init__(self, engine: sa.Engine, errors: SQLErrors) -> None:
        self._engine = engine
        self._errors = errors

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._errors.translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with self._errors.translated(), self._engine.connect() as connection:
            yield connection.execution_options(readonly=True)
