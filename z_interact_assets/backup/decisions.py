"""What a restore does about one row, and what the ledger has to hear of it. Pure: rows and records in, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from z_interact_assets.backup.cells import same_value
from z_interact_assets.core.models import ItemState
from z_interact_assets.core.preparation import SWITCHED_COLUMNS
from z_interact_assets.core.records import UndoRecord
from z_interact_assets.core.rows import LegacyRow, RowChange
from z_interact_assets.core.undoing import Standing, standing
from z_interact_assets.core.urls import KnownBases

_DATA, _UPDATED_AT = "image_data", "updated_at"
_OURS = frozenset({_DATA, *SWITCHED_COLUMNS})


class Deed(StrEnum):
    """What is done."""

    INSERT = "insert"
    PUT_BACK = "put_back"
    NOTHING = "nothing"  # it is as in the backup
    REFUSE = "refuse"  # the app changed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done about one row; `change` does it where the row is to be written over."""

    deed: Deed
    change: RowChange | None = None


def decide(
    backed_up: LegacyRow, row: LegacyRow | None, record: UndoRecord | None, bases: KnownBases, *, overwrite: bool
) -> Decision:
    """Decide from the row as it was, the row as it is (None: it is missing), and what the ledger has of it.

    The write compares every column of the backup: whatever the app writes meanwhile, it wins.
    """
    if row is None:
        return Decision(deed=Deed.INSERT)
    changed = differences(backed_up, row)
    if not changed:
        return Decision(deed=Deed.NOTHING)
    if not overwrite and not (record and _is_our_work(backed_up, row, record, bases, changed)):
        return Decision(deed=Deed.REFUSE)
    return Decision(
        deed=Deed.PUT_BACK,
        change=RowChange(
            id=row.id,
            values={column: backed_up.values[column] for column in changed},
            as_read={column: row.get(column) for column in backed_up.values if column != "id"},
        ),
    )


def differences(backed_up: LegacyRow, row: LegacyRow) -> list[str]:
    """Return the columns of the backup that hold something else now, in the type or in the bytes."""
    return [column for column, value in backed_up.values.items() if not same_value(value, row.get(column))]


def state_to_record(
    record: UndoRecord, before: LegacyRow | None, row: LegacyRow, bases: KnownBases
) -> ItemState | None:
    """Return the state the ledger has to hear of, now that the row is as in the backup; None if its own still holds.

    `before` is the row as it was before this restore: one a run was killed in after its switch is known by that alone.
    Of a row that holds another image than the ledger knows nothing is recorded: planning sees it by its fingerprint.
    """
    now = standing(row, record, bases)
    if now is Standing.RESTORED:
        was_switched = before is not None and standing(before, record, bases) is Standing.AS_LEFT
        return ItemState.ROLLED_BACK if was_switched or record.state in _SWITCHED else None
    if now is Standing.AS_LEFT and record.state is ItemState.RECLAIMED and row.get(_DATA) is not None:
        return ItemState.PUBLISHED
    return None


_SWITCHED = (ItemState.PUBLISHED, ItemState.RECLAIMED)


def _is_our_work(
    backed_up: LegacyRow, row: LegacyRow, record: UndoRecord, bases: KnownBases, changed: Sequence[str]
) -> bool:
    """Tell whether only our own migration, reclaim or rollback came between the backup and now.

    It must have found the row as it is in the backup: if it migrated a later image of the app's, that one counts.
    """
    if not _OURS.issuperset(changed):
        return False
    match standing(row, record, bases):
        case Standing.AS_LEFT:
            return (
                standing(backed_up, record, bases) is not Standing.CHANGED
                and not (row.get(_DATA) is not None and backed_up.get(_DATA) is None)  # a text is never taken away
                and all(_switch_wrote(column, row, record) for column in changed)
            )
        case Standing.RESTORED:  # a rollback leaves the present time there, nothing else
            return list(changed) == [_UPDATED_AT]
        case Standing.CHANGED:
            return False


def _switch_wrote(column: str, row: LegacyRow, record: UndoRecord) -> bool:
    written = {"r2_key": record.object_key, "migration_status": "completed"}
    return column not in written or row.get(column) == written[column]
