"""SVG: what may be published and every known way to smuggle something in."""

import codecs
import time

import pytest

from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.images import prove_image
from z_interact_assets.core.models import ImageFormat, ImageLimits
from z_interact_assets.core.reasons import Reason

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="8" height="4"'


def svg(body: str = "", attributes: str = "") -> bytes:
    return f"{OPEN} {attributes}>{body}</svg>".encode()


def rejection(data: bytes, limits: ImageLimits | None = None) -> ImageRejectedError:
    with pytest.raises(ImageRejectedError) as caught:
        prove_image(data, limits or ImageLimits())
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        '<g fill="url(#a)" style="fill: url( \'#b\' ); stroke:#fff"><path d="M0 0"/></g>',
        '<use href="#a"/><use xlink:href="#a"/><a href="#top"><text>go</text></a>',
        '<image href="data:image/png;base64,iVBORw0KGgo="/><image xlink:href=" data:image/JPEG;base64,/9j/"/>',
        "<style>/* http://example.com */ .a { fill: url(#b) } @media print { .a { fill: red } }</style>",
        '<animate attributeName="fill" from="red" to="url(#b)" dur="1s"/><set attributeName="x" to="1"/>',
        "<title>javascript: the good parts &lt;script&gt;</title><desc>url(http://example.com)</desc>",
        '<filter id="f"><feGaussianBlur stdDeviation="2"/><feImage href="#a"/></filter>',
        '<metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" r:about="http://example.com"/></metadata>',
        '<g xmlns:i="http://www.inkscape.org/namespaces/inkscape" i:label="x:url(y)" xml:space="preserve"/>',
        '<g data-name="x" aria-label="x: y" role="img"/>',
        "<text>&#x2603; &amp; é</text><?xpacket begin='x'?>",
    ],
)  # fmt: skip
def test_drawing_and_inert_metadata_pass(body):
    assert prove_image(svg(body), ImageLimits()).size == "8x4"


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<script/>",
        '<s:script xmlns:s="http://www.w3.org/2000/svg"/>',
        '<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>',
        '<img xmlns="http://www.w3.org/1999/xhtml" src="x"/>',
        '<metadata><x xmlns=""/></metadata>',
        "<foreignObject/>",
        "<iframe/><audio/><video/><embed/><object/>",
        '<handler type="application/ecmascript"/>',
        '<rect onclick="x()"/>',
        '<rect ONLOAD="x()"/>',
        '<g xml:base="http://example.com/"/>',
        '<image href="http://example.com/x.png"/>',
        '<image href="//example.com/x.png"/>',
        '<image href="x.png"/>',
        '<use xlink:href="http://example.com/#a"/>',
        '<use href="data:image/svg+xml,%3Csvg/%3E"/>',
        '<a href="https://example.com">x</a>',
        '<a href="javascript:alert(1)">x</a>',
        '<a xlink:href="&#106;ava&#9;script:alert(1)">x</a>',
        '<a xlink:href="&#xa0;JaVaScRiPt:alert(1)">x</a>',
        '<set attributeName="href" to="#a"/>',
        '<animate attributeName="xlink:href" values="#a;#b"/>',
        '<animate attributeName=" q:HREF " values="#a;#b"/>',
        '<set attributeName="onmouseover" to="x()"/>',
        '<animate attributeName="fill" values="red;java&#10;script:alert(1)"/>',
        '<g style="fill:url(http://example.com/x)"/>',
        "<g style=\"fill:url('http://example.com/x')\"/>",
        '<g style="fill:url(http://example.com/x"/>',
        '<g style="fill:u\\72l(http://example.com/x)"/>',
        '<g style="fill:/*url(#a)*/url(//example.com)"/>',
        "<g style=\"background:image-set('http://example.com/x' 1x)\"/>",
        '<g style="width: expression(alert(1))"/>',
        '<g style="-moz-binding: none"/>',
        '<g fill="URL (http://example.com/x)"/>',
        '<g cursor="url(x.cur), auto"/>',
        '<g clip-path="url(#a) url(other.svg#b)"/>',
        "<style>@import 'http://example.com/x.css';</style>",
        "<style>@im/**/port url(#a)</style>",
        "<style>@font-face { src: url(data:font/woff2;base64,AA) }</style>",
        "<style>a { fill: url(<![CDATA[http://example.com)]]> }</style>",
        "<style>a { fill: u/* */rl(http://example.com) }</style>",
        '<a href="#a" ping="http://example.com"/>',
        '<g unheard-of="1"/>',
        "<unheardOf/>",
        "<g>" * 300 + "</g>" * 300,
    ],
)
def test_what_acts_or_reaches_outside_is_unsafe(body):
    assert rejection(svg(body)).reason is Reason.UNSAFE_SVG


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
        '<!DOCTYPE svg [<!ENTITY a "b">]>',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<?xml-stylesheet href="http://example.com/x.css"?>',
        '<?xml version="1.0" encoding="utf-7"?>',
        '<?xml version="1.0" encoding="cp037"?>',
    ],
)
def test_document_types_style_sheets_and_odd_encodings_are_unsafe(prologue):
    assert rejection(prologue.encode() + svg()).reason is Reason.UNSAFE_SVG


def test_undeclared_entity_is_corrupt():
    assert rejection(svg("&nbsp;")).reason is Reason.CORRUPT_IMAGE


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF8 + svg(),
        svg().decode().encode("utf-16"),
        b"<!-- first -->" + svg(),
        b"\n  " + svg(),
        b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<!--\xe9-->' + svg(),
        svg() + b"\n<!-- last -->\n",
    ],
)
def test_marks_declarations_and_comments_pass(data):
    assert prove_image(data, ImageLimits()).format is ImageFormat.SVG


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (svg()[:-1], Reason.TRUNCATED_IMAGE),
        (svg("<g>")[: -len("</svg>")], Reason.TRUNCATED_IMAGE),
        (svg("<g></h>"), Reason.CORRUPT_IMAGE),
        (svg() + b"<svg/>", Reason.CORRUPT_IMAGE),
        (svg() + b"\x00", Reason.CORRUPT_IMAGE),
        (b"<svg width='1' height='1'/>", Reason.CORRUPT_IMAGE),
        (svg("?").replace(b"?", b"\xff"), Reason.CORRUPT_IMAGE),
    ],
)  # fmt: skip
def test_broken_xml_is_refused(data, reason):
    assert rejection(data).reason is reason


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        ("300", "150.4px", "300x150"),
        (" 1in ", "2.54cm", "96x96"),
        ("72pt", "6pc", "96x96"),
        ("100%", "50", "0x0"),
        ("2em", "2em", "0x0"),
        ("", "5", "0x0"),
        ("-5", "5", "0x0"),
        ("nan", "1e99", "0x0"),
        ("9" * 5000, "5", "0x0"),
    ],
)
def test_size_is_absolute_or_nothing(width, height, size):
    data = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"/>'.encode()
    assert prove_image(data, ImageLimits()).size == size


def test_absolute_size_counts_against_the_pixel_limit():
    data = svg().replace(b'width="8"', b'width="99999999"')
    assert rejection(data).reason is Reason.TOO_MANY_PIXELS


def test_comments_never_closed_cost_linear_time():
    started = time.perf_counter()
    assert prove_image(svg("<style>" + "/*:" * 300_000 + "</style>"), ImageLimits())
    assert time.perf_counter() - started < 20  # 0.3 s when linear, minutes when not
