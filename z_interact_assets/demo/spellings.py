"""Base64 as the table holds it: one function a spelling, bytes to text. Decoding is core.base64_text's."""

import base64
import textwrap
from collections.abc import Callable, Mapping

Spelling = Callable[[bytes, str], str]
"""The bytes and their (claimed) media type to the text of a column."""

_MIME_LINE = 76


def standard(data: bytes, _: str) -> str:
    """Standard alphabet, padded, one line: what nearly every row holds."""
    return base64.b64encode(data).decode("ascii")


def unpadded(data: bytes, media_type: str) -> str:
    """Without its padding."""
    return standard(data, media_type).rstrip("=")


def urlsafe(data: bytes, _: str) -> str:
    """The alphabet with '-' and '_'."""
    return base64.urlsafe_b64encode(data).decode("ascii")


def urlsafe_unpadded(data: bytes, media_type: str) -> str:
    """The alphabet with '-' and '_', without padding."""
    return urlsafe(data, media_type).rstrip("=")


def wrapped(data: bytes, media_type: str) -> str:
    """In lines of 76 characters that end in CR LF, as MIME has it."""
    return "\r\n".join(textwrap.wrap(standard(data, media_type), _MIME_LINE))


def wrapped_by_openssl(data: bytes, media_type: str) -> str:
    """In lines of 64 characters, the last one ended too."""
    return "\n".join(textwrap.wrap(standard(data, media_type), 64)) + "\n"


def trailing_newline(data: bytes, media_type: str) -> str:
    """A line break at the end."""
    return standard(data, media_type) + "\n"


def data_url(data: bytes, media_type: str) -> str:
    """A data: URL."""
    return f"data:{media_type};base64,{standard(data, media_type)}"


def upper_case_data_url(data: bytes, media_type: str) -> str:
    """A data: URL with its scheme in capitals."""
    return f"DATA:{media_type};BASE64,{standard(data, media_type)}"


def urlsafe_data_url(data: bytes, media_type: str) -> str:
    """A data: URL in the url-safe alphabet, unpadded."""
    return f"data:{media_type};base64,{urlsafe_unpadded(data, media_type)}"


SPELLINGS: Mapping[str, Spelling] = {
    function.__name__: function
    for function in (
        standard, unpadded, urlsafe, urlsafe_unpadded, wrapped, wrapped_by_openssl, trailing_newline, data_url,
        upper_case_data_url, urlsafe_data_url,
    )
}  # fmt: skip
"""Every spelling that decodes, by name."""
