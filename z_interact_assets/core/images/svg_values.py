"""What values and style sheets of an SVG may say: no script, no reference but `#fragment` or a raster image."""

import re

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.reasons import Reason

_REFERENCE = re.compile(r"\s*(?:#.*|data:image/(?:png|jpe?g|gif|webp)[;,].*)?", re.DOTALL | re.IGNORECASE)
_URL = re.compile(r"url\s*\(([^)]*)", re.IGNORECASE)
_HARMLESS = re.compile(r"[^:(@\\]*")
# Browsers skip control characters and white space inside a scheme.
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028\u2029\u2060\ufeff]+")
_SCRIPT_SCHEME = re.compile(r"(?:javascript|vbscript|livescript|mocha):", re.IGNORECASE)
# Functions that take an address as a plain string, and the ways CSS once ran code.
_CSS_DANGER = re.compile(
    r"@import|@namespace|expression\s*\(|-moz-binding|behaviou?r\s*:|image-set\s*\(|cross-fade\s*\("
    r"|(?<![\w-])(?:image|src)\s*\(",
    re.IGNORECASE,
)


def check_reference(value: str) -> None:
    """Refuse an `href` that leaves the document."""
    if not _REFERENCE.fullmatch(value):
        raise unsafe("an outside reference")


def check_style(text: str) -> None:
    """Refuse CSS, or an attribute that may be read as CSS, that imports, runs or fetches anything."""
    if _HARMLESS.fullmatch(text):  # nearly all values, among them path data of megabytes
        return
    if "\\" in text:
        raise unsafe("an escape in CSS")
    for variant in (text, _without_comments(text)):
        if _SCRIPT_SCHEME.search(_INVISIBLE.sub("", variant)):
            raise unsafe("a script scheme")
        if _CSS_DANGER.search(variant):
            raise unsafe("CSS that imports or runs something")
        for target in _URL.findall(variant):
            # An address with a closing bracket in quotes is cut here; how it begins is what decides.
            check_reference(target.strip().strip("\"'"))


def unsafe(what: str) -> ImageRejectedError:
    """The error of an SVG that holds `what`."""
    return ImageRejectedError(Reason.UNSAFE_SVG, what)


def _without_comments(text: str) -> str:
    """By hand: a regular expression needs quadratic time where comments are opened and never closed."""
    kept: list[str] = []
    offset = 0
    while (start := text.find("/*", offset)) >= 0:
        kept.append(text[offset:start])
        end = text.find("*/", start + 2)
        if end < 0:
            return "".join(kept)
        offset = end + 2
    return "".join((*kept, text[offset:]))
