"""The ledger's tables as this version expects them. Their history is in migrations/; both are compared by a test.

Times are UTC milliseconds since 1970. Image ids are opaque and may be long: they are looked up by `image_hash`, the
first 32 hex digits of their SHA-256, since a Postgres index row holds at most 2,704 bytes.
"""

import hashlib

import sqlalchemy as sa

from z_interact_assets.storage.ledger.columns import AnyText, AnyValues

REVISION = "0003"

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
    sa.Column("event", sa.String(32), nullable=False),
    sa.Column("facts", sa.JSON, nullable=True),
    sa.Index(None, "event", "at"),
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
    sa.Column("corrupted", sa.Integer, nullable=True),
    sa.Column("misdirected", sa.Integer, nullable=True),
    sa.Column("shared", sa.Integer, nullable=True),
    sa.Column("problems", sa.JSON(none_as_null=True), nullable=True),
)

# The columns of a snapshot beside its document, each a number or a text any tool can plot; null is unknown.
_COUNTS = (
    "total_images", "r2_images", "base64_images", "mixed_images", "imageless_images", "external_images",
    "local_images", "unfinished_images", "unrecognised_images", "quarantined_images", "r2_objects", "r2_bytes",
    "base64_bytes", "known_objects", "orphan_objects", "missing_objects", "corrupted_objects", "misdirected_images",
    "shared_objects", "bucket_as_of", "health_score", "duplicate_groups", "duplicate_objects", "duplicate_bytes",
    "database_bytes", "database_free_bytes", "database_limit_bytes", "decoded_bytes", "reclaimable_bytes",
    "reclaimable_now_bytes", "reclaimed_bytes", "bytes_per_day", "database_bytes_per_day", "full_in_days",
)  # fmt: skip
_MEASURES = ("images_per_day", "monthly_cost_usd", "monthly_cost_all_in_r2_usd", "monthly_cost_all_base64_usd")

storage_stats_history = sa.Table(
    "storage_stats_history",
    metadata,
    sa.Column("snapshot_id", _Id, primary_key=True),
    sa.Column("generated_at", sa.BigInteger, nullable=False, index=True),
    sa.Column("run_id", sa.String(64), nullable=True),
    sa.Column("stats", sa.JSON, nullable=False),
    sa.Column("health_status", sa.String(16), nullable=True),
    *(sa.Column(name, sa.BigInteger, nullable=True) for name in _COUNTS),
    *(sa.Column(name, sa.Double, nullable=True) for name in _MEASURES),
)

storage_stats_breakdowns = sa.Table(
    "storage_stats_breakdowns",
    metadata,
    sa.Column("breakdown_id", _Id, primary_key=True),
    sa.Column("snapshot_id", sa.ForeignKey("storage_stats_history.snapshot_id"), nullable=False, index=True),
    sa.Column("breakdown", sa.String(16), nullable=False),
    sa.Column("group", sa.String(8), nullable=False),
    sa.Column("value", AnyText, nullable=True),
    sa.Column("images", sa.BigInteger, nullable=False),
    sa.Column("r2_images", sa.BigInteger, nullable=False),
    sa.Column("base64_images", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("base64_bytes", sa.BigInteger, nullable=False),
)


def image_hash(image_id: str) -> str:
    """Return what an image id is indexed by."""
    return hashlib.sha256(image_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
