"""Parquet parts: records into files of bounded size, and back one row group at a time. What a record means is unknown.

pyarrow is imported only when something is written or read: it takes a fifth of a second, which no other command needs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from z_interact_assets.backup.cells import EXACT_COLUMN, Column, Kind
from z_interact_assets.backup.folder import BackupFolder, GrowingFile, disk_errors
from z_interact_assets.backup.manifest import Part
from z_interact_assets.core.errors import BackupDamagedError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLimits:
    """When a part, and a row group within it, is full. Bytes are of values, before they are compressed.

    A row group is what reading back holds in memory; a row larger than that is a group by itself.
    """

    part_bytes: int = 64 * 1024 * 1024
    part_rows: int = 50_000
    group_bytes: int = 8 * 1024 * 1024
    group_rows: int = 5_000


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a part; `size` is that of its values in bytes."""

    values: Mapping[str, Any] = field(repr=False)
    size: int
    id: str | None = None


def row_schema(columns: Iterable[Column]) -> "pa.Schema":
    """Return the Parquet schema of the table's parts."""
    import pyarrow as pa  # noqa: PLC0415 - see above

    exact = pa.list_(pa.struct({"column": pa.string(), "kind": pa.string(), "value": pa.binary()}))
    kinds = {
        Kind.TEXT: pa.string(), Kind.INTEGER: pa.int64(), Kind.REAL: pa.float64(), Kind.BLOB: pa.binary(),
        Kind.BOOLEAN: pa.bool_(),
    }  # fmt: skip
    fields = [pa.field(column.name, kinds[column.kind]) for column in columns]
    return pa.schema([*fields, pa.field(EXACT_COLUMN, exact)])


def plain_schema(columns: Mapping[str, type]) -> "pa.Schema":
    """Return the Parquet schema of a table whose values are str, int, float or bool."""
    import pyarrow as pa  # noqa: PLC0415

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    return pa.schema([pa.field(name, kinds[kind]) for name, kind in columns.items()])


def write_parts(
    folder: BackupFolder, stem: str, schema: "pa.Schema", records: Iterable[Record], *, number: int, limits: PartLimits
) -> Iterator[Part]:
    """Write the records into `STEM-00001.parquet` (from `number` on) and so on; yield each part once it is durable."""
    waiting = iter(records)
    record = next(waiting, None)
    while record is not None:
        name = f"{stem}-{number:05d}.parquet"
        with folder.writing(name) as file:
            group = _Group(file, schema, limits)
            with group.ended_in_any_case():
                while record is not None and group.takes(record):
                    group.add(record)
                    record = next(waiting, None)
        yield Part(
            name=name, bytes=file.size, sha256=file.sha256, rows=group.rows, first_id=group.first_id,
            last_id=group.last_id,
        )  # fmt: skip
        number += 1


def read_part(
    folder: BackupFolder, part: Part, *, only_ids: frozenset[str] | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of a part, a row group at a time; of groups without any of the ids nothing but the ids is read.

    BackupDamagedError if the file cannot be read as the part it was.
    """
    with _opened(folder, part) as file:
        for number in range(file.num_row_groups):
            if only_ids is not None:
                ids = file.read_row_group(number, columns=["id"], use_threads=False).column("id").to_pylist()
                if only_ids.isdisjoint(ids):
                    continue
            records = file.read_row_group(number, use_threads=False).to_pylist()
            yield records if only_ids is None else [record for record in records if record["id"] in only_ids]


def read_columns(folder: BackupFolder, part: Part, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the records of a part, of each some columns only."""
    with _opened(folder, part) as file:
        for number in range(file.num_row_groups):
            yield from file.read_row_group(number, columns=list(names), use_threads=False).to_pylist()


def count_rows(folder: BackupFolder, part: Part, schema: "pa.Schema | None" = None) -> int | None:
    """Return how many rows a part says it has; None if it has another schema than the given one."""
    with _opened(folder, part) as file:
        return file.metadata.num_rows if schema is None or file.schema_arrow.equals(schema) else None


class _Group:
    """The rows that wait to become a row group of one file."""

    def __init__(self, file: GrowingFile, schema: "pa.Schema", limits: PartLimits) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415

        self._file = file
        self._schema = schema
        self._limits = limits
        # No statistics and no dictionary: both would hold payloads, and no two payloads are the same.
        self._writer = pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=False, write_statistics=False)
        self._rows: list[Mapping[str, Any]] = []
        self._waiting_bytes = 0
        self._bytes = 0
        self.rows = 0
        self.first_id: str | None = None
        self.last_id: str | None = None

    def takes(self, record: Record) -> bool:
        """Tell whether the file has room for the record; an empty one has for any."""
        limits = self._limits
        return self.rows == 0 or (self.rows < limits.part_rows and self._bytes + record.size <= limits.part_bytes)

    def add(self, record: Record) -> None:
        """Take the record."""
        limits = self._limits
        if self._rows and (
            len(self._rows) == limits.group_rows or self._waiting_bytes + record.size > limits.group_bytes
        ):
            self._flush()
        self._rows.append(record.values)
        self._waiting_bytes += record.size
        self._bytes += record.size
        self.first_id = record.id if self.rows == 0 else self.first_id
        self.last_id = record.id
        self.rows += 1

    @contextmanager
    def ended_in_any_case(self) -> Iterator[None]:
        """End the file; after an error into nothing, since pyarrow would try it again whenever it is collected."""
        try:
            yield
            self._flush()
            self._writer.close()
        except BaseException:
            self._file.abandon()
            self._writer.close()
            raise

    def _flush(self) -> None:
        import pyarrow as pa  # noqa: PLC0415

        rows, self._rows, self._waiting_bytes = self._rows, [], 0
        self._writer.write_table(pa.Table.from_pylist(rows, schema=self._schema), row_group_size=len(rows))


@contextmanager
def _opened(folder: BackupFolder, part: Part) -> Iterator["pq.ParquetFile"]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    damaged = BackupDamagedError(f"{part.name} is no whole Parquet file.", file=part.name)
    try:
        with (folder.path / part.name).open("rb") as raw, pq.ParquetFile(raw, pre_buffer=False) as file:
            yield file
    except pa.ArrowException:
        raise damaged from None
    except OSError as error:
        if error.errno is None:  # pyarrow's own word for a page that cannot be decoded
            raise damaged from None
        with disk_errors():
            raise
