"""Files as objects: uploads of any type and size, streamed, each proved by its ETag. Images are `base`'s.

Small files are one PUT; others go in parts of PART_BYTES, whose ETag is the MD5 of the parts' MD5s and their number
(R2 and S3 alike, where all parts but the last are of one size). Either way we compute it from what is on disk, so the
answer proves every byte without reading one back.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig

from z_interact_assets.core.errors import StorageUnavailableError
from z_interact_assets.core.keys import validate_key
from z_interact_assets.storage.objects.failures import translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 16 * 1024**2  # R2 takes 10,000 parts of 5 MiB or more
_TRANSFER = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHeaders:
    """What readers of the object are told."""

    content_type: str
    cache_control: str = "private, no-store"
    content_disposition: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])

    def arguments(self) -> dict[str, object]:
        """Return them as boto3 takes them."""
        given = {
            "ContentType": self.content_type,
            "CacheControl": self.cache_control,
            "ContentDisposition": self.content_disposition,
            "Metadata": dict(self.metadata),
        }
        return {name: value for name, value in given.items() if value}


def upload_file(client: "S3Client", bucket: str, key: str, path: Path, headers: FileHeaders) -> str:
    """Stream the file to the key, over whatever is there, and return its proved ETag.

    StorageUnavailableError if what is there then is not this file.
    """
    validate_key(key)
    expected = etag_of(path)
    with translated(bucket, key), path.open("rb") as file:
        client.upload_fileobj(file, bucket, key, ExtraArgs=headers.arguments(), Config=_TRANSFER)
        there = client.head_object(Bucket=bucket, Key=key)
    if (there["ContentLength"], there["ETag"].removeprefix("W/").strip('"')) != (path.stat().st_size, expected):
        raise StorageUnavailableError(
            f"The upload of {key!r} is unproved: what is stored is not the file that was sent.", remedy="Repeat it."
        )
    return expected


def etag_of(path: Path) -> str:
    """Return the ETag the file has once it is uploaded."""
    parts: list[bytes] = []
    with path.open("rb") as file:
        while part := file.read(PART_BYTES):
            parts.append(hashlib.md5(part, usedforsecurity=False).digest())
    if path.stat().st_size < PART_BYTES:
        return (parts[0] if parts else hashlib.md5(usedforsecurity=False).digest()).hex()
    return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"
