"""SVG: parsed as a stream by defusedxml, and published only if nothing in it can act or reach outside.

No document type, script, handler, foreign content, outside reference or style sheet from elsewhere; what may be used
is listed in svg_vocabulary.py, what values may say in svg_values.py. Drawing cost is not judged.
"""

import re
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from z_interact_assets.core.images.svg_values import check_reference, check_style, unsafe
from z_interact_assets.core.images.svg_vocabulary import (
    ANIMATIONS,
    ATTRIBUTES,
    ELEMENTS,
    FREE_PREFIXES,
    INERT_NAMESPACES,
    NAMESPACED_ATTRIBUTES,
    REFERENCES,
    SVG,
)
from z_interact_assets.core.images.walking import check_pixels, corrupt, truncated
from z_interact_assets.core.models import ImageFormat, ImageLimits, ImageProof

_MAX_DEPTH = 256
_STEP = 64 * 1024
# Other encodings let a text mean one thing to us and another to a browser.
_ENCODINGS = frozenset({"utf-8", "utf8", "utf-16", "us-ascii", "ascii", "iso-8859-1", "latin1"})
_LENGTH = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]*)?|\.[0-9]+)(px|pt|pc|mm|cm|in)?\s*")
_PIXELS = {"px": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pt": 96 / 72, "pc": 16.0}
_ENDED_EARLY = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


def prove_svg(data: bytes, limits: ImageLimits) -> ImageProof:
    """Parse an SVG to its end and check every element, attribute and style sheet in it."""
    inspector = _Inspector()
    parser = DefusedXMLParser(target=inspector, forbid_dtd=True)
    parser.parser.XmlDeclHandler = _check_declaration
    try:
        for offset in range(0, len(data), _STEP):
            parser.feed(data[offset : offset + _STEP])
        parser.close()
    except DefusedXmlException as error:
        raise unsafe(f"a document type or entity ({type(error).__name__})") from None
    except ParseError as error:
        line, column = error.position
        place = f"line {line}, column {column}"
        raise (truncated if error.code in _ENDED_EARLY else corrupt)(f"XML of the SVG fails at {place}") from None
    except (ValueError, LookupError):
        raise corrupt("the SVG's encoding cannot be read") from None
    width, height = inspector.size
    if width and height:
        check_pixels(width, height, limits)
    return ImageProof(format=ImageFormat.SVG, width=width, height=height)


class _Inspector:
    """Target of the XML parser: sees each event once, keeps no tree."""

    def __init__(self) -> None:
        self.size = (0, 0)
        self._depth = 0
        self._style: list[str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        namespace, _, name = tag.removeprefix("{").rpartition("}")
        if not self._depth:
            if (namespace, name) != (SVG, "svg"):
                raise corrupt("the root element is not in the SVG namespace")
            self.size = _pixel_size(attributes)
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise unsafe(f"elements nested more than {_MAX_DEPTH} deep")
        if namespace in INERT_NAMESPACES:
            return
        if namespace != SVG or name not in ELEMENTS:
            raise unsafe(f"element {name[:40]}")
        for attribute, value in attributes.items():
            _check_attribute(attribute, value)
        if name in ANIMATIONS:
            _check_animated(attributes.get("attributeName", ""))
        if name == "style":
            self._style = []

    def end(self, tag: str) -> None:
        self._depth -= 1
        if self._style is not None and tag == f"{{{SVG}}}style":
            check_style("".join(self._style))
            self._style = None

    def data(self, text: str) -> None:
        if self._style is not None:
            self._style.append(text)

    def pi(self, target: str, _data: str | None = None) -> None:
        if target.lower().startswith("xml"):
            raise unsafe(f"processing instruction {target[:40]}")

    def close(self) -> None:
        """Nothing to hand over; the parser wants the method."""


def _check_declaration(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding and encoding.lower() not in _ENCODINGS:
        raise unsafe("an encoding that browsers may read differently")


def _check_attribute(name: str, value: str) -> None:
    if name.startswith("{"):
        if name[1:].rpartition("}")[0] in INERT_NAMESPACES:
            return
        known = name in NAMESPACED_ATTRIBUTES
    elif name.startswith(FREE_PREFIXES):
        return
    else:
        known = name in ATTRIBUTES
    if not known:
        raise unsafe(f"attribute {name.rpartition('}')[2][:40]}")
    if name in REFERENCES:
        check_reference(value)
    else:
        check_style(value)


def _check_animated(attribute: str) -> None:
    """An animation may not rewrite a reference or a handler, whatever prefix it names it by."""
    name = attribute.strip().lower().rpartition(":")[2].strip()
    if name == "href" or name.startswith("on"):
        raise unsafe("an animated reference or handler")


def _pixel_size(attributes: dict[str, str]) -> tuple[int, int]:
    """Absolute width and height in CSS pixels; 0 x 0 where either is relative or absent."""
    pixels: list[int] = []
    for name in ("width", "height"):
        match = _LENGTH.fullmatch(attributes.get(name, ""))
        pixels.append(round(float(match[1]) * _PIXELS[match[2] or "px"]) if match else 0)
    return (pixels[0], pixels[1]) if all(pixels) else (0, 0)
