"""Reading the report before this one. A report that cannot be read counts as none: it is only compared with."""

import json
from pathlib import Path
from typing import Any

from z_interact_assets.report.catalogue import STATS
from z_interact_assets.report.folder import LATEST

_MOST_BYTES = 20_000_000


def previous_stats(directory: Path) -> dict[str, Any] | None:
    """Return the document of the latest report in the folder, None if there is none."""
    path = directory / LATEST / STATS
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) and "total_images" in document else None
