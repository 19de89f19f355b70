"""Leases of batches; what was reclaimed of an item, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "leases",
        sa.Column("holder_id", sa.String(length=32), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=True),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("process_started_at", sa.Double(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("holder_id", name=op.f("pk_leases")),
    )
    op.add_column("batches", sa.Column("leased_by", sa.String(length=32), nullable=True))
    op.create_index(op.f("ix_batches_leased_by"), "batches", ["leased_by"], unique=False)
    op.add_column("items", sa.Column("reclaimed_at", sa.BigInteger(), nullable=True))
    op.add_column("items", sa.Column("reclaimed_bytes", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("items", "reclaimed_bytes")
    op.drop_column("items", "reclaimed_at")
    op.drop_index(op.f("ix_batches_leased_by"), table_name="batches")
    op.drop_column("batches", "leased_by")
    op.drop_table("leases")
