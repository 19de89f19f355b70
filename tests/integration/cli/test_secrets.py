"""Planted secrets turn up nowhere: not in output, not in Dagster's home, not in the ledger."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.integration.cli.commandline import Site

pytestmark = pytest.mark.slow

WRONG_SECRET = "planted-wrong-secret-0123456789abcdef"
API_TOKEN = "planted-api-token-0123456789abcdef"
PASSWORD = "planted-password-0123456789abcdef"
FERNET_KEY = Fernet.generate_key().decode()
BASE64_OF_A_ROW = "cGxhbnRlZC1wYXlsb2FkLW9mLWEtcm93LXRoYXQtaXMtbm8taW1hZ2U="

COMMANDS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("plan", {}),
    ("migrate --limit 2", {}),
    ("migrate", {"R2_SECRET_ACCESS_KEY": WRONG_SECRET}),
    ("validate --full", {}),
    ("validate", {"R2_SECRET_ACCESS_KEY": WRONG_SECRET}),
    ("stats", {"R2_SECRET_ACCESS_KEY": WRONG_SECRET}),
    ("doctor", {"R2_SECRET_ACCESS_KEY": WRONG_SECRET}),
    ("plan", {"DATABASE_URL": f"postgresql+psycopg://app:{PASSWORD}@127.0.0.1:9/app"}),
    ("plan", {"LEDGER_URL": f"postgresql+psycopg://app:{PASSWORD}@127.0.0.1:9/ledger"}),
    ("plan", {"DATABASE_URL": f"cloudflare_d1://account:{PASSWORD}@database"}),
    ("status", {"METADATA_ENCRYPTION_KEYS": f"{FERNET_KEY},{PASSWORD}"}),
)


def files_holding(folder: Path, secret: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_no_secret_is_in_any_output_or_file(site: Site) -> None:
    site.add_images(3)
    site.app.add("bad", image_data=BASE64_OF_A_ROW)
    keys = {"METADATA_ENCRYPTION_KEYS": FERNET_KEY, "API_TOKEN": API_TOKEN}
    said = {
        f"{command} {' '.join(changes)}": site.run(*command.split(), **{**keys, **changes}).output
        for command, changes in COMMANDS
    }
    own = (site.standin.access_key_id, site.standin.secret_access_key)
    for secret in (*own, WRONG_SECRET, API_TOKEN, PASSWORD, FERNET_KEY, BASE64_OF_A_ROW):
        assert [command for command, output in said.items() if secret in output] == []
        assert files_holding(site.folder / ".dagster_home", secret) == []
    assert not [command for command, output in said.items() if "Traceback" in output]
