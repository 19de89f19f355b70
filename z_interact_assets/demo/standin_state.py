"""What the stand-in remembers besides objects: its port and its key pair, in files only their owner can read."""

import json
import os
import secrets
from pathlib import Path

from z_interact_assets.demo.standin_auth import Credentials

PORT_FILE = "port"
CREDENTIALS_FILE = "credentials.json"


def kept_credentials(folder: Path) -> Credentials:
    """The folder's key pair, made at random the first time."""
    path = folder / CREDENTIALS_FILE
    if not path.exists():
        made = {"access_key_id": secrets.token_hex(16), "secret_access_key": secrets.token_hex(32)}
        _replace_text(path, json.dumps(made))
    return Credentials(**json.loads(path.read_text(encoding="utf-8")))


def last_port(folder: Path) -> int:
    """The port the folder was served on last; 0 if there is none."""
    try:
        return int((folder / PORT_FILE).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def remember_port(folder: Path, port: int) -> None:
    """Note the port for the next time."""
    _replace_text(folder / PORT_FILE, f"{port}\n")


def _replace_text(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    unfinished.unlink(missing_ok=True)
    # Open to nobody else from its first moment, not only after it was written.
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)
