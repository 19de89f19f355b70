"""The columns of the per-image frame: names, types, meanings. Whoever writes it to a file takes its schema from here.

pandas and pyarrow are imported only by who asks for their types: they take half a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

TIME = "timestamp[ms, UTC]"


def arrow_type(name: str) -> "pa.DataType":
    """Return the Arrow type of a name: string, int64, int32, double or timestamp[ms, UTC]."""
    import pyarrow as pa  # noqa: PLC0415 - see above

    return pa.timestamp("ms", tz="UTC") if name == TIME else pa.type_for_alias(name)


class DescribedColumn(Protocol):
    """A column that a file can be given a schema of."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def description(self) -> str:
        """What it means."""
        ...

    @property
    def arrow_type(self) -> "pa.DataType":
        """The type it has in the file."""
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `type` is string, int64, int32 or timestamp[ms, UTC]; `categorical` ones have few distinct values."""

    name: str
    type: str
    description: str
    categorical: bool = False

    @property
    def arrow_type(self) -> "pa.DataType":
        """The type it has in Arrow and Parquet; a categorical one is a string there."""
        return arrow_type(self.type)

    @property
    def dtype(self) -> Any:
        """The type it has in pandas."""
        import pandas as pd  # noqa: PLC0415 - see above

        if self.categorical:
            return pd.CategoricalDtype()
        plain = {"int64": pd.Int64Dtype(), "int32": pd.Int32Dtype(), "string": pd.StringDtype("pyarrow")}
        return plain[self.type] if self.type in plain else pd.ArrowDtype(self.arrow_type)


PROMPT = Column("prompt", "string", "The prompt, at most 20,000 characters of it")

IMAGE_COLUMNS = (
    Column("image_id", "string", "The row's id in the app's table"),
    Column("session_id", "string", "The app's session, at most 500 characters; null where the row has none"),
    Column("persona_id", "string", "The persona; null where the row has none", categorical=True),
    Column("participant_id", "string", "The participant; null where the row has none"),
    Column("provider", "string", "Who made the image, as the app wrote it", categorical=True),
    Column("row_class", "string", "What the row holds: r2, mixed (R2 and base64), base64, external, local, imageless, "
           "unfinished or unrecognised", categorical=True),
    Column("state", "string", "How far the migration is; null where it never saw the row", categorical=True),
    Column("reason", "string", "Why it was set aside or failed; null where it was not", categorical=True),
    Column("batch_key", "string", "The batch it is migrated in"),
    Column("object_key", "string", "The key of its object in the bucket"),
    Column("url", "string", "image_url where it is a web address of at most 2,048 bytes; of other servers' addresses "
           "without what gives access"),
    Column("content_type", "string", "Media type, as proved by the bytes; null: not known yet", categorical=True),
    Column("format", "string", "Image format, as proved by the bytes; null: not known yet", categorical=True),
    Column("bytes", "int64", "Size of the object, as proved"),
    Column("estimated_bytes", "int64", "Size of the image in the row's base64, by the length of the text"),
    Column("base64_bytes", "int64", "Size of the base64 text in the row; 0 where there is none"),
    Column("width", "int32", "Pixels"),
    Column("height", "int32", "Pixels"),
    Column("sha256", "string", "SHA-256 of the object, hex"),
    Column("md5", "string", "MD5 of the object, hex"),
    Column("proof", "string", "How the object was proved last", categorical=True),
    Column("created_at", TIME, "When the row was made, by the app's own clock"),
    Column("planned_at", TIME, "When it was planned for migration"),
    Column("stored_at", TIME, "When its object was stored"),
    Column("published_at", TIME, "When its row was switched to the object"),
    Column("reclaimed_at", TIME, "When its base64 was cleared"),
    Column("updated_at", TIME, "When the ledger last noted something of it"),
)  # fmt: skip


def image_columns(*, prompts: bool) -> tuple[Column, ...]:
    """Return the columns of a frame, in order; with prompts, that column follows the provider."""
    if not prompts:
        return IMAGE_COLUMNS
    place = [column.name for column in IMAGE_COLUMNS].index("provider") + 1
    return (*IMAGE_COLUMNS[:place], PROMPT, *IMAGE_COLUMNS[place:])


def arrow_schema(columns: Sequence[DescribedColumn] = IMAGE_COLUMNS) -> "pa.Schema":
    """Return the schema of a file of these columns; each field carries its description."""
    import pyarrow as pa  # noqa: PLC0415 - see above

    return pa.schema(
        [pa.field(column.name, column.arrow_type, metadata={"description": column.description}) for column in columns]
    )
