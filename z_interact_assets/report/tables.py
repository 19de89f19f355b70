"""One table of a report, written a frame at a time as Parquet and as CSV. What is in it is unknown here.

Parquet is exact and typed; CSV is for spreadsheets, and its texts are made safe for them (see `texts`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from z_interact_assets.report.columns import TableColumn
from z_interact_assets.report.texts import arrow_array, csv_array
from z_interact_assets.stats import arrow_schema

ROWS_A_GROUP = 100_000  # a row group: what a reader of Parquet takes into memory at once
_NO_HEADER = pa_csv.WriteOptions(include_header=False)


class TableFiles:
    """`{name}.parquet` and `{name}.csv`, being written. Rows wait until there are enough for a row group."""

    def __init__(self, parquet: pq.ParquetWriter, csv: BinaryIO, columns: tuple[TableColumn, ...]) -> None:
        self.rows = 0
        self._parquet = parquet
        self._csv = csv
        self._columns = columns
        self._schema = arrow_schema(columns)
        self._waiting: list[pa.Table] = []

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows; columns we do not know are left out, and one we know must be there."""
        arrays = [arrow_array(frame[column.name], column.arrow_type) for column in self._columns]
        self._waiting.append(pa.Table.from_arrays(arrays, schema=self._schema))
        self.rows += len(frame)
        if sum(table.num_rows for table in self._waiting) >= ROWS_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting).combine_chunks()
        self._waiting.clear()
        self._parquet.write_table(table, row_group_size=max(table.num_rows, 1))
        for batch in table.to_batches(max_chunksize=20_000):
            self._write_csv(batch)

    def _write_csv(self, batch: pa.RecordBatch) -> None:
        safe = pa.Table.from_arrays([csv_array(values) for values in batch.columns], names=batch.schema.names)
        buffer = BytesIO()
        pa_csv.write_csv(safe, buffer, _NO_HEADER)
        # RFC 4180 ends a line with both. No text holds a line feed any more, so these are the rows' own.
        self._csv.write(buffer.getvalue().replace(b"\n", b"\r\n"))


@contextmanager
def table_files(folder: Path, name: str, columns: tuple[TableColumn, ...]) -> Iterator[TableFiles]:
    """Yield the two files of a new table; they are whole when the block ends."""
    with (
        pq.ParquetWriter(folder / f"{name}.parquet", arrow_schema(columns), compression="zstd") as parquet,
        (folder / f"{name}.csv").open("xb") as csv,
    ):
        csv.write((",".join(f'"{column.name}"' for column in columns) + "\r\n").encode())
        files = TableFiles(parquet, csv, columns)
        yield files
        files.flush()
