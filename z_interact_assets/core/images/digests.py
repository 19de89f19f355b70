"""Hashes of image bytes: MD5 because S3 ETags and Content-MD5 are, SHA-256 for the proof."""

import hashlib
from collections.abc import Callable

from z_interact_assets.core.models import Digests, StoredObject


def digest(data: bytes) -> Digests:
    """Both hashes of the same bytes. Each releases the GIL while it works."""
    return Digests(md5=md5_of(data), sha256=sha256_of(data))


def md5_of(data: bytes) -> str:
    """The MD5 in lower-case hex."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256_of(data: bytes) -> str:
    """The SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def is_same(found: StoredObject, *, size: int, digests: Digests, read_sha256: Callable[[], str]) -> bool:
    """Tell whether a stored object holds these bytes.

    Its ETag is their MD5, unless it was uploaded in parts: such an ETag is no MD5 of the whole, and only the bytes
    can tell (`read_sha256` reads them).
    """
    if found.size != size:
        return False
    return found.etag == digests.md5 or ("-" in found.etag and read_sha256() == digests.sha256)
