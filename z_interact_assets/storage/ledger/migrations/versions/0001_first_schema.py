"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "batches",
        sa.Column("batch_key", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("batch_key", name=op.f("pk_batches")),
        sa.UniqueConstraint("number", name=op.f("uq_batches_number")),
    )
    op.create_table(
        "inventories",
        sa.Column("inventory_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("objects", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("orphans", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("inventory_id", name=op.f("pk_inventories")),
    )
    op.create_table(
        "storage_stats_history",
        sa.Column("snapshot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("generated_at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("stats", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", name=op.f("pk_storage_stats_history")),
    )
    op.create_index(
        op.f("ix_storage_stats_history_generated_at"), "storage_stats_history", ["generated_at"], unique=False
    )
    op.create_table(
        "items",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("image_id", sa.Text(), nullable=False),
        sa.Column("image_hash", sa.String(length=32), nullable=False),
        sa.Column("batch_key", sa.String(length=16), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("source", sa.String(length=16), nullable=True),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.Column("originals", sa.JSON(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("planned_at", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=True),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch_key"], ["batches.batch_key"], name=op.f("fk_items_batch_key")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_items")),
        sa.UniqueConstraint("image_hash", name=op.f("uq_items_image_hash")),
    )
    op.create_index(op.f("ix_items_batch_key_position"), "items", ["batch_key", "position"], unique=False)
    op.create_index(op.f("ix_items_object_key"), "items", ["object_key"], unique=False)
    op.create_index(op.f("ix_items_state_batch_key"), "items", ["state", "batch_key"], unique=False)
    op.create_table(
        "events",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["items.item_id"], name=op.f("fk_events_item_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_event"), "events", ["event"], unique=False)
    op.create_index(op.f("ix_events_item_id"), "events", ["item_id"], unique=False)
    op.create_table(
        "objects",
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("content_type", sa.String(length=128), nullable=False),
        sa.Column("proof", sa.String(length=8), nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("proved_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["items.item_id"], name=op.f("fk_objects_item_id")),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_objects")),
    )
    op.create_index(op.f("ix_objects_item_id"), "objects", ["item_id"], unique=False)
    op.create_index(op.f("ix_objects_sha256"), "objects", ["sha256"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_objects_sha256"), table_name="objects")
    op.drop_index(op.f("ix_objects_item_id"), table_name="objects")
    op.drop_table("objects")
    op.drop_index(op.f("ix_events_item_id"), table_name="events")
    op.drop_index(op.f("ix_events_event"), table_name="events")
    op.drop_table("events")
    op.drop_index(op.f("ix_items_state_batch_key"), table_name="items")
    op.drop_index(op.f("ix_items_object_key"), table_name="items")
    op.drop_index(op.f("ix_items_batch_key_position"), table_name="items")
    op.drop_table("items")
    op.drop_index(op.f("ix_storage_stats_history_generated_at"), table_name="storage_stats_history")
    op.drop_table("storage_stats_history")
    op.drop_table("inventories")
    op.drop_table("batches")
