"""Reading an object back and proving every byte of it. Nothing is written."""

import hashlib
from collections.abc import Iterable, Mapping

from z_interact_assets.core.errors import ObjectDiffersError
from z_interact_assets.core.ports import ObjectReader
from z_interact_assets.core.records import ObjectRecord


def read_proved(store: ObjectReader, stored: ObjectRecord) -> bytes:
    """Return the object's bytes, if they have the SHA-256 of the ledger.

    ObjectNotFoundError, ObjectDiffersError or what the store raises. An object of another size is never read into
    memory.
    """
    _, data = store.read(stored.key, size=stored.size)
    if data is not None and stored.sha256 is not None and hashlib.sha256(data).hexdigest() == stored.sha256:
        return data
    raise ObjectDiffersError(f"The object {stored.key!r} does not hold the bytes that were proved.", key=stored.key)


def read_images(store: ObjectReader, objects: Iterable[ObjectRecord]) -> Mapping[str, bytes]:
    """Return the bytes of each object by their SHA-256, all of them proved."""
    return {stored.sha256: read_proved(store, stored) for stored in objects if stored.sha256 is not None}
