"""Hashes of image bytes: MD5 because S3 ETags and Content-MD5 are, SHA-256 for the proof."""

import hashlib

from z_interact_assets.core.models import Digests


def digest(data: bytes) -> Digests:
    """Both hashes of the same bytes. Each releases the GIL while it works."""
    return Digests(
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(data).hexdigest(),
    )
