"""An object store that proves every write and keeps none of them, so that only the migration's own cost is seen."""

from z_interact_assets.core.models import StoredObject
from z_interact_assets.storage.objects import MemoryStore
from z_interact_assets.storage.objects.base import ObjectWrite


class NullStore(MemoryStore):
    def head(self, key: str) -> StoredObject | None:
        return None

    def _put(self, write: ObjectWrite) -> str | None:
        return write.digests.md5
