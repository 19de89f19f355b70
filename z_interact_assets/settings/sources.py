"""Where settings come from besides the environment: `.env` and wrangler's configuration. Files in, plain mappings out.

What a file says about other things is ignored; a file that cannot be read is a ValueError naming it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# The first one that exists is the one that counts.
_WRANGLER_FILES = ("wrangler.toml", "wrangler.jsonc", "wrangler.json")


def read_dotenv(directory: Path) -> dict[str, str]:
    """The assignments in the directory's `.env`; none without one."""
    path = directory / ".env"
    if not path.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - imported only where there is a .env, to start quickly

    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f".env cannot be read ({_cause(error)}); it must be UTF-8 text of NAME=value lines") from error


def read_wrangler(directory: Path) -> dict[str, str]:
    """Defaults for bucket, public URL, batch size and D1 id, as far as wrangler's configuration has them."""
    path = next((path for name in _WRANGLER_FILES if (path := directory / name).is_file()), None)
    if path is None:
        return {}
    try:
        config = _parse(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be read ({_cause(error)}); correct or move it") from error
    variables = _mapping(config.get("vars"))
    found = {
        "R2_BUCKET_NAME": _first(config.get("r2_buckets"), "bucket_name"),
        "D1_DATABASE_ID": _first(config.get("d1_databases"), "database_id"),
        "R2_PUBLIC_URL": variables.get("R2_PUBLIC_URL"),
        "MIGRATION_BATCH_SIZE": variables.get("MIGRATION_BATCH_SIZE"),
    }
    return {name: str(value) for name, value in found.items() if isinstance(value, str | int)}


def _parse(path: Path) -> Mapping[str, Any]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".toml":
        return tomllib.loads(text)
    import json5  # noqa: PLC0415 - imported only where there is such a file, to start quickly

    return _mapping(json5.loads(text))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _first(bindings: object, name: str) -> object:
    def values() -> Iterator[object]:
        for binding in bindings if isinstance(bindings, list) else []:
            yield _mapping(binding).get(name)

    return next((value for value in values() if value), None)


def _cause(error: Exception) -> str:
    # The first line only, and never of an OSError: json5 and tomllib say where, an OSError says the whole path.
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).partition("\n")[0]
