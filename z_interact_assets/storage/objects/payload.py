"""From what a caller hands in to the bytes and the type that are stored. No request is made here."""

from z_interact_assets.core.base64_text import decode_text
from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import sniff
from z_interact_assets.core.reasons import Reason


def image_bytes(data: bytes | str) -> bytes:
    """The bytes themselves, or those of base64 text (a `data:` URL included). Empty is ImageRejectedError."""
    content = decode_text(data).data if isinstance(data, str) else data
    if not content:
        raise ImageRejectedError(Reason.EMPTY)
    return content


def published_type(data: bytes, claimed: str | None) -> str:
    """The media type the bytes show. A claim may be wrong about the format, but not about its being an image."""
    if claimed is not None and not claimed.strip().lower().startswith("image/"):
        raise ImageRejectedError(Reason.NOT_AN_IMAGE, "its content type is not image/*")
    found = sniff(data)
    if found is None:
        raise ImageRejectedError(Reason.NOT_AN_IMAGE)
    return found.content_type
