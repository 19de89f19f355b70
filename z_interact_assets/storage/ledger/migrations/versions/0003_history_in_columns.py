"""The history of the statistics in columns of its own; what an inventory found wrong, by name; events by time."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# As they were in the documents of revision 0002, and where.
_OLD = {
    **{
        name: (name,)
        for name in (
            "total_images", "r2_images", "base64_images", "mixed_images", "imageless_images", "external_images",
            "local_images", "unfinished_images", "unrecognised_images", "quarantined_images", "r2_objects", "r2_bytes",
            "base64_bytes", "orphan_objects", "missing_objects",
        )
    },
    "health_status": ("health", "status"),
    "health_score": ("health", "score"),
}  # fmt: skip
_NEW_COUNTS = (
    "known_objects", "corrupted_objects", "misdirected_images", "shared_objects", "bucket_as_of", "duplicate_groups",
    "duplicate_objects", "duplicate_bytes", "database_bytes", "database_free_bytes", "database_limit_bytes",
    "decoded_bytes", "reclaimable_bytes", "reclaimable_now_bytes", "reclaimed_bytes", "bytes_per_day",
    "database_bytes_per_day", "full_in_days",
)  # fmt: skip
_MEASURES = ("images_per_day", "monthly_cost_usd", "monthly_cost_all_in_r2_usd", "monthly_cost_all_base64_usd")
_TEXT = "health_status"
_PAGE = 500


def upgrade() -> None:
    """Apply."""
    for name in ("corrupted", "misdirected", "shared"):
        op.add_column("inventories", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("inventories", sa.Column("problems", sa.JSON(), nullable=True))
    op.add_column("storage_stats_history", sa.Column(_TEXT, sa.String(length=16), nullable=True))
    for name in (*(name for name in _OLD if name != _TEXT), *_NEW_COUNTS):
        op.add_column("storage_stats_history", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in _MEASURES:
        op.add_column("storage_stats_history", sa.Column(name, sa.Double(), nullable=True))
    _fill_columns()
    op.create_table(
        "storage_stats_breakdowns",
        sa.Column("breakdown_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("snapshot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("breakdown", sa.String(length=16), nullable=False),
        sa.Column("group", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("images", sa.BigInteger(), nullable=False),
        sa.Column("r2_images", sa.BigInteger(), nullable=False),
        sa.Column("base64_images", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("base64_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["storage_stats_history.snapshot_id"],
            name=op.f("fk_storage_stats_breakdowns_snapshot_id"),
        ),
        sa.PrimaryKeyConstraint("breakdown_id", name=op.f("pk_storage_stats_breakdowns")),
    )
    op.create_index(
        op.f("ix_storage_stats_breakdowns_snapshot_id"), "storage_stats_breakdowns", ["snapshot_id"], unique=False
    )
    op.drop_index(op.f("ix_events_event"), table_name="events")
    op.create_index(op.f("ix_events_event_at"), "events", ["event", "at"], unique=False)


def _fill_columns() -> None:
    """Copy what old snapshots hold out of their documents."""
    history = sa.table(
        "storage_stats_history", sa.column("snapshot_id"), sa.column("stats"), *(sa.column(name) for name in _OLD)
    )
    connection = op.get_bind()
    found = sa.select(history.c.snapshot_id, sa.cast(history.c.stats, sa.Text)).order_by(history.c.snapshot_id)
    changed = (
        sa.update(history)
        .where(history.c.snapshot_id == sa.bindparam("of"))
        .values({name: sa.bindparam(f"new_{name}") for name in _OLD})
    )
    last = 0
    while rows := connection.execute(found.where(history.c.snapshot_id > last).limit(_PAGE)).all():
        connection.execute(changed, [{"of": key, **_columns(json.loads(text))} for key, text in rows])
        last = rows[-1][0]


def _columns(document: dict) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, path in _OLD.items():
        value: object = document
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        values[f"new_{name}"] = value
    return values


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_events_event_at"), table_name="events")
    op.create_index(op.f("ix_events_event"), "events", ["event"], unique=False)
    op.drop_index(op.f("ix_storage_stats_breakdowns_snapshot_id"), table_name="storage_stats_breakdowns")
    op.drop_table("storage_stats_breakdowns")
    for name in (*_MEASURES, *_NEW_COUNTS, *_OLD):
        op.drop_column("storage_stats_history", name)
    for name in ("problems", "shared", "misdirected", "corrupted"):
        op.drop_column("inventories", name)
