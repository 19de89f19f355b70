"""Run config as Dagster takes it."""

from collections.abc import Mapping
from typing import Any


def op_config(op: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return run config for one op, leaving out what is None."""
    return {"ops": {op: {"config": {name: value for name, value in config.items() if value is not None}}}}
