"""The ledger's tables as this version expects them. Their history is in migrations/; both are compared by a test.

Times are UTC milliseconds since 1970. Image ids are opaque and may be long: they are looked up by `image_hash`, the
first 32 hex digits of their SHA-256, since a Postgres index row holds at most 2,704 bytes.
"""

import hashlib

import sqlalchemy as sa

from z_interact_assets.storage.ledger.columns import AnyText, AnyValues

REVISION = "0002"

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives an alias of the rowid to INTEGER PRIMARY KEY only, never to BIGINT.
_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("batch_key", sa.String(16), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("leased_by", sa.String(32), nullable=True, index=True),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("holder_id", sa.String(32), primary_key=True),
    sa.Column("operation", sa.String(32), nullable=False),
    sa.Column("run_id", sa.String(64), nullable=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("process_started_at", sa.Double, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

items = sa.Table(
    "items",
    metadata,
    sa.Column("item_id", _Id, primary_key=True),
    sa.Column("image_id", AnyText, nullable=False),
    sa.Column("image_hash", sa.String(32), nullable=False, unique=True),
    sa.Column("batch_key", sa.ForeignKey("batches.batch_key"), nullable=True),
    sa.Column("position", sa.Integer, nullable=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(32), nullable=True),
    sa.Column("detail", sa.Text, nullable=False, server_default=""),
    sa.Column("fingerprint", sa.String(32), nullable=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("source", sa.String(16), nullable=True),
    sa.Column("object_key", sa.Text, nullable=True),
    sa.Column("originals", sa.JSON, nullable=True),
    sa.Column("before", AnyValues, nullable=True),
    sa.Column("run_id", sa.String(64), nullable=True),
    sa.Column("planned_at", sa.BigInteger, nullable=False),
    sa.Column("stored_at", sa.BigInteger, nullable=True),
    sa.Column("published_at", sa.BigInteger, nullable=True),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
    sa.Column("reclaimed_at", sa.BigInteger, nullable=True),
    sa.Column("reclaimed_bytes", sa.BigInteger, nullable=True),
    sa.Index(None, "batch_key", "position"),
    sa.Index(None, "state", "batch_key"),
    sa.Index(None, "object_key"),
)

objects = sa.Table(
    "objects",
    metadata,
    sa.Column("object_key", sa.Text, primary_key=True),
    sa.Column("item_id", sa.ForeignKey("items.item_id"), nullable=False, index=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("md5", sa.String(32), nullable=True),
    sa.Column("sha256", sa.String(64), nullable=True, index=True),
    sa.Column("etag", sa.String(64), nullable=False),
    sa.Column("format", sa.String(8), nullable=True),
    sa.Column("width", sa.Integer, nullable=True),
    sa.Column("height", sa.Integer, nullable=True),
    sa.Column("content_type", sa.String(128), nullable=False),
    sa.Column("proof", sa.String(8), nullable=False),
    sa.Column("created", sa.Boolean, nullable=False),
    sa.Column("stored_at", sa.BigInteger, nullable=False),
    sa.Column("proved_at", sa.BigInteger, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("event_id", _Id, primary_key=True),
    sa.Column("item_id", sa.ForeignKey("items.item_id"), nullable=False, index=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=True),
    sa.Column("event", sa.String(32), nullable=False, index=True),
    sa.Column("facts", sa.JSON, nullable=True),
)

inventories = sa.Table(
    "inventories",
    metadata,
    sa.Column("inventory_id", _Id, primary_key=True),
    sa.Column("finished_at", sa.BigInteger, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=True),
    sa.Column("objects", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("known", sa.Integer, nullable=False),
    sa.Column("orphans", sa.Integer, nullable=False),
    sa.Column("missing", sa.Integer, nullable=False),
)

storage_stats_history = sa.Table(
    "storage_stats_history",
    metadata,
    sa.Column("snapshot_id", _Id, primary_key=True),
    sa.Column("generated_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("run_id", sa.String(64), nullable=True),
    sa.Column("stats", sa.JSON, nullable=False),
)


def image_hash(image_id: str) -> str:
    """Return what an image id is indexed by."""
    return hashlib.sha256(image_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
