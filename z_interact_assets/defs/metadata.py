"""Metadata that all assets share, and the shapes it is shown in. Nothing here reads anything.

A value holds at most MAX_LISTED records: the UI loads the metadata of every event it lists.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import dagster as dg
import sqlalchemy as sa

from z_interact_assets.core.showing import shortened

OWNERS = ["team:z-interact"]
TAGS = {"domain": "images"}
MAX_LISTED = 50

R2_DASHBOARD = dg.MetadataValue.url("https://dash.cloudflare.com/?to=/:account/r2/overview")


def numbers(document: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
    """Return the numbers of a document, which the UI plots, and its answers to yes or no."""
    return {
        name: dg.MetadataValue.bool(value) if isinstance(value, bool) else dg.MetadataValue.int(value)
        for name, value in document.items()
        if isinstance(value, int)
    }


def names(of: Iterable[str], *, most: int = 20) -> dg.MetadataValue:
    """Return some ids or keys, which strangers may have written, as plain short text."""
    return dg.MetadataValue.json([shortened(name) for name in islice(of, most)])


def table(columns: Sequence[dg.TableColumn], records: Iterable[Sequence[str | int | float]]) -> dg.MetadataValue:
    """Return a table of at most MAX_LISTED records, each with its values in the order of the columns."""
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({column.name: value for column, value in zip(columns, record, strict=True)})
            for record in islice(records, MAX_LISTED)
        ],
        schema=dg.TableSchema(columns),
    )


def text_column(name: str, description: str = "") -> dg.TableColumn:
    """Return a column of text."""
    return dg.TableColumn(name, description=description or None)


def number_column(name: str, description: str = "") -> dg.TableColumn:
    """Return a column of whole numbers."""
    return dg.TableColumn(name, type="int", description=description or None)


def ledger_table(of: sa.Table, descriptions: Mapping[str, str]) -> dict[str, Any]:
    """Return the name and the columns of the ledger's table behind an asset, as the UI shows them of any table."""
    return {
        "dagster/table_name": of.name,
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(
                    column.name,
                    type=str(column.type),
                    description=descriptions.get(column.name),
                    constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=bool(column.unique)),
                )
                for column in of.columns
            ]
        ),
    }
