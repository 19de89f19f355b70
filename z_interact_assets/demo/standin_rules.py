"""What R2 refuses and moto lets pass: body digests, metadata size, chunked bodies, operations R2 lacks.

Each rule is a function that raises a Refusal; who may ask at all is standin_auth's.
"""

import base64
import binascii
import hashlib
import hmac
from email.errors import MessageError
from email.header import decode_header
from xml.sax.saxutils import escape

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

MAX_METADATA_BYTES = 8192
MAX_KEY_BYTES = 1024
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_METADATA_PREFIX = "x-amz-meta-"
_STREAMED = "STREAMING-"
# Answered by moto, unknown to R2; what they would change is not kept on disk either.
_UNSUPPORTED = frozenset({
    "acl", "legal-hold", "logging", "notification", "object-lock", "policy", "replication", "retention", "tagging",
    "versioning", "versions", "website",
})  # fmt: skip


class Refusal(Exception):  # noqa: N818 - an S3 answer, which S3 itself does not call an error of the server
    """An S3 error answer: HTTP status, S3 code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> Response:
        """The XML document S3 clients read the code from."""
        text = f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message></Error>"
        return Response(
            f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', status=self.status, content_type="application/xml"
        )


def check_transfer(request: Request) -> None:
    """Refuse aws-chunked bodies and trailers (R2 has answered them with 501) and bodies of unknown length."""
    encodings = request.headers.get("Content-Encoding", "").lower()
    streamed = request.headers.get("x-amz-content-sha256", "").startswith(_STREAMED)
    if streamed or "aws-chunked" in encodings or "x-amz-trailer" in request.headers:
        raise Refusal(501, "NotImplemented", "STREAMING payloads and checksum trailers are not implemented.")
    if "Transfer-Encoding" in request.headers:
        raise Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")


def check_operation(request: Request, *, key: str) -> None:
    """Refuse what R2 does not have, the making and unmaking of buckets, and keys that are too long."""
    asked = _UNSUPPORTED.intersection(request.args)
    if asked:
        raise Refusal(501, "NotImplemented", f"{min(asked)} is not implemented.")
    if not key and not request.args and request.method in {"PUT", "DELETE"}:
        raise Refusal(403, "AccessDenied", "This token may not create or delete buckets.")
    if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise Refusal(400, "KeyTooLongError", "Your key is too long.")


def check_body(request: Request, body: bytes) -> None:
    """Compare the body with the digests sent along: the signed SHA-256 and Content-MD5."""
    signed = request.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD)
    if signed != UNSIGNED_PAYLOAD and not hmac.compare_digest(hashlib.sha256(body).hexdigest(), signed.lower()):
        raise Refusal(400, "XAmzContentSHA256Mismatch", "The body does not match x-amz-content-sha256.")
    sent = request.headers.get("Content-MD5")
    if sent is None:
        return
    try:
        expected = base64.b64decode(sent, validate=True)
    except binascii.Error:
        expected = b""
    if len(expected) != hashlib.md5(usedforsecurity=False).digest_size:
        raise Refusal(400, "InvalidDigest", "The Content-MD5 you specified is not valid.")
    if expected != hashlib.md5(body, usedforsecurity=False).digest():
        raise Refusal(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")


def check_metadata(headers: Headers) -> None:
    """Refuse more than 8,192 bytes of user metadata, counted as R2 counts: names, and values decoded."""
    total = sum(
        len(name) - len(_METADATA_PREFIX) + _decoded_bytes(value)
        for name, value in headers.items()
        if name.lower().startswith(_METADATA_PREFIX)
    )
    if total > MAX_METADATA_BYTES:
        raise Refusal(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.")


def _decoded_bytes(value: str) -> int:
    try:
        return sum(
            len(chunk if isinstance(chunk, str) else chunk.decode(charset or "ascii").encode())
            for chunk, charset in decode_header(value)
        )
    except (MessageError, LookupError, ValueError):
        return len(value.encode())
