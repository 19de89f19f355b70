"""Probes of the two databases: the app's table and our ledger. Nothing is written to either."""

from z_interact_assets.core.errors import TableUnusableError
from z_interact_assets.doctor.examination import Warned
from z_interact_assets.storage.ledger import Ledger
from z_interact_assets.storage.ledger.schema import REVISION
from z_interact_assets.storage.legacy import LegacyTable


def look_at_table(table: LegacyTable) -> str:
    """The table is there, with the columns without which nothing can be done."""
    shape = table.shape
    return f"Table `{shape.table}` has {len(shape.columns)} columns and {table.count():,} rows."


def look_at_shape(table: LegacyTable) -> str | Warned:
    """Every column is one the app's migrations made."""
    unknown = table.shape.unknown_columns
    if unknown:
        return Warned(
            f"Unknown columns: {', '.join(unknown)}.",
            "They are never read as images nor changed; check that none of them holds image data.",
        )
    if not table.shape.has("image_data"):
        return Warned(
            "There is no image_data column.", "Only data: URLs in image_url can be migrated; check DATABASE_URL."
        )
    return "Every column is known."


def look_at_writing(table: LegacyTable) -> str | Warned:
    """Rows could be switched."""
    try:
        table.check_writable()
    except TableUnusableError as error:
        return Warned(f"{error.message} Plans and dry runs work, migrating does not.", error.remedy)
    return "The database can be written."


def look_at_ids(table: LegacyTable) -> str | Warned:
    """Every row can be addressed by its id."""
    count = table.unaddressable()
    if count:
        return Warned(
            f"{count:,} rows have no id of text and are never touched.",
            "Give them an id in the app's database if they hold images.",
        )
    return "Every row has an id."


def look_at_ledger(ledger: Ledger) -> str:
    """The ledger answers; opening it brought its schema to this version's."""
    batches = ledger.planning.batch_count()
    images = sum(ledger.ask.states().values())
    return f"Schema revision {REVISION}; {batches:,} batches, {images:,} images."
