"""The table of images of a report: STATS' frames with what is personal taken out. No file is written here."""

from typing import Any

import pandas as pd

from z_interact_assets.core.models import ImageFormat, ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.stats import ROW_CLASSES
from z_interact_assets.report.columns import TableColumn
from z_interact_assets.report.privacy import Pseudonyms
from z_interact_assets.stats import image_columns

PSEUDONYM = "Pseudonym of the participant, the same in all files of this report"

_CONSTRAINTS: dict[str, dict[str, Any]] = {
    "row_class": {"required": True, "enum": list(ROW_CLASSES)},
    "state": {"enum": [state.value for state in ItemState]},
    "reason": {"enum": [reason.value for reason in Reason]},
    "format": {"enum": [known.value for known in ImageFormat]},
    "sha256": {"pattern": "^[0-9a-f]{64}$"},
    "md5": {"pattern": "^[0-9a-f]{32}$"},
    **{name: {"minimum": 0} for name in ("bytes", "estimated_bytes", "base64_bytes", "width", "height")},
}


class ImageTable:
    """How images are told of in a report: with pseudonyms and without prompts, unless `personal_data`."""

    def __init__(self, *, personal_data: bool, pseudonym_key: str | None) -> None:
        self.prompts = personal_data
        self._pseudonyms = None if personal_data else Pseudonyms(pseudonym_key)
        self.columns = tuple(
            TableColumn(
                name=column.name,
                type=column.type,
                description=PSEUDONYM if self._pseudonyms and column.name == "participant_id" else column.description,
                constraints=_CONSTRAINTS.get(column.name, {}),
            )
            for column in image_columns(prompts=personal_data)
        )

    def told(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame as it may be written."""
        return frame if self._pseudonyms is None else self._pseudonyms.replace(frame)
