"""Code server and workers of a new deployment open the ledger on Postgres at the same moment; one makes its tables."""

import subprocess
import sys

import pytest
import sqlalchemy as sa

from tests.support.postgres import find_binary, postgres

PROCESSES = 4
# Everything is imported before the word to go, so that they arrive within milliseconds.
OPEN = """
import sys
import alembic.command
from z_interact_assets.storage.ledger import open_ledger
print("ready", flush=True)
sys.stdin.readline()
open_ledger(sys.argv[1]).close()
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_binary("initdb") is None, reason="no Postgres server here: apt-get install postgresql"),
]


def test_processes_that_start_at_once_find_one_ledger_and_all_go_on():
    with postgres() as server:
        engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text("CREATE DATABASE ledger"))
        engine.dispose()
        opening = [
            subprocess.Popen(
                [sys.executable, "-c", OPEN, f"{server}/ledger"], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for _ in range(PROCESSES)
        ]  # fmt: skip
        for process in opening:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in opening:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        ended = [(process.communicate(timeout=60)[1], process.returncode) for process in opening]
    assert ended == [("", 0)] * PROCESSES
