"""Text to bytes and back: every form round-trips byte-identical, everything else is refused without quoting it."""

import json
from urllib.parse import quote

import pybase64
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z_interact_assets.core.base64_text import DecodedText, TextForm, decode_text, rebuild_text
from z_interact_assets.core.errors import ImageRejectedError
from z_interact_assets.core.reasons import Reason

WHITE_SPACE = st.text(" \t\r\n\f\v", max_size=4)
PREFIXES = st.sampled_from(
    [
        "",
        "data:image/png;base64,",
        "DATA:IMAGE/PNG;BASE64,",
        "data:image/jpeg;charset=utf-8;base64,",
        "data:;base64,",
        "data:image/png;base64, ",
    ]
)


def canonical(data: bytes) -> str:
    return pybase64.b64encode_as_string(data)


def wrap(text: str, width: int, separator: str) -> str:
    return separator.join(text[at : at + width] for at in range(0, len(text), width))


@st.composite
def spelled(draw: st.DrawFn) -> tuple[bytes, str]:
    """Bytes, and one of the many texts that mean them."""
    data = draw(st.binary(min_size=1, max_size=200))
    body = canonical(data)
    if draw(st.booleans()):
        body = body.rstrip("=")
    if draw(st.booleans()):
        body = body.replace("+", "-").replace("/", "_")
    if draw(st.booleans()):
        body = wrap(body, draw(st.integers(1, 80)), draw(st.sampled_from(["\n", "\r\n", "\r", " ", "\n "])))
    return data, draw(WHITE_SPACE) + draw(PREFIXES) + body + draw(WHITE_SPACE)


def outcome(text: str | bytes) -> DecodedText | ImageRejectedError:
    try:
        return decode_text(text)
    except ImageRejectedError as error:
        return error


def assert_round_trip(text: str | bytes, data: bytes) -> TextForm:
    decoded = decode_text(text)
    form = TextForm.from_json(json.loads(json.dumps(decoded.form.to_json())))
    assert decoded.data == data
    assert form == decoded.form
    assert rebuild_text(data, form) == text
    return form


@given(spelled())
def test_every_regular_spelling_round_trips_without_keeping_the_text(case):
    data, text = case
    form = assert_round_trip(text, data)
    assert form.literal is None


@given(spelled())
def test_text_given_as_bytes_comes_back_as_bytes(case):
    data, text = case
    assert assert_round_trip(text.encode(), data).as_bytes


@given(st.binary(min_size=1, max_size=200), st.data())
def test_ragged_lines_and_mixed_alphabets_are_kept_literally(data, draw):
    characters = [
        {"+": draw.draw(st.sampled_from("+-")), "/": draw.draw(st.sampled_from("/_"))}.get(character, character)
        + draw.draw(st.sampled_from(["", "", "", "\n", " \t"]))
        for character in canonical(data)
    ]
    assert_round_trip("".join(characters), data)


@given(st.binary(min_size=1, max_size=200).filter(bytes.strip), st.sampled_from(["", "/", "+/="]))
def test_percent_encoded_urls_round_trip(data, safe):
    assert_round_trip("data:image/png;base64," + quote(canonical(data), safe=safe), data)
    assert_round_trip("data:image/svg+xml," + quote(data), data)


@pytest.mark.parametrize("text", ["QR==", "QR", "QUJ=", "QUJDQR==", "Q\nR=\n=", "Q_"])
def test_stray_bits_in_the_last_group_survive(text):
    assert_round_trip(text, decode_text(text).data)


def test_mixed_alphabet_is_decoded_and_kept_literally():
    form = assert_round_trip("-_+/", pybase64.b64decode("+/+/"))
    assert form.literal is not None


def test_percent_encoded_line_breaks_are_line_breaks():
    assert_round_trip("data:image/png;base64,QUJD%0AQUJD%3D%0D%0A".replace("%3D", ""), b"ABCABC")


@pytest.mark.parametrize(
    ("text", "data", "media_type"),
    [
        ("data:image/svg+xml;utf8,<svg a='é'/>", "<svg a='é'/>".encode(), "image/svg+xml"),
        ("data:image/svg+xml,%3Csvg/%3E", b"<svg/>", "image/svg+xml"),
        ("data:Image/PNG;charset=utf-8;Base64,QUJD", b"ABC", "image/png"),
        ("data:image%2Fpng;base64,QUJD", b"ABC", "image/png"),
        ("data:;base64,QUJD", b"ABC", None),
        ("data:<b>;base64,QUJD", b"ABC", None),
        ("QUJD", b"ABC", None),
    ],
)
def test_media_type_is_what_the_data_url_claims(text, data, media_type):
    assert_round_trip(text, data)
    assert decode_text(text).media_type == media_type


def test_form_of_the_ordinary_case_is_small():
    data = bytes(range(256)) * 8000
    form = decode_text("data:image/jpeg;base64," + wrap(canonical(data), 76, "\r\n") + "\r\n").form
    assert form.line_width == 76
    assert len(json.dumps(form.to_json())) < 200
    assert decode_text(canonical(data)).form.to_json() == {}


@pytest.mark.parametrize("text", ["", b"", " \r\n", "data:image/png;base64,", "data:image/png;base64,\n", "data:,%20"])
def test_nothing_is_empty(text):
    with pytest.raises(ImageRejectedError) as caught:
        decode_text(text)
    assert caught.value.reason is Reason.EMPTY


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("QUJDQ", "impossible length"),
        ("QUJD" * 9 + "Q", "37 characters"),
        ("QU=D", "padding inside"),
        ("QQ==QQ==", "padding inside"),
        ("=QUJD", "padding inside"),
        ("QQ=", "padding does not fit"),
        ("QQ===", "padding does not fit"),
        ("QUJD====", "padding does not fit"),
        ("====", "padding does not fit"),
        ("QUJD!UJD", "ASCII character outside the alphabet at byte 4"),
        ("QUéD", "non-ASCII character outside the alphabet at byte 2"),
        ("QU\x00D", "ASCII character outside the alphabet at byte 2"),
        ("QU\ud800D", "non-ASCII"),
        ("<html><body>no</body></html>", "at byte 0"),
        ("data:image/png;base64", "at byte 4"),
        ("data:image/png;base64,%ZZ", "at byte 0"),
        ("QUJD%3D", "at byte 4"),
        ("https://example.com/x.png", "at byte 5"),
    ],
)
def test_malformed_text_is_refused_with_place_and_kind(text, detail):
    with pytest.raises(ImageRejectedError) as caught:
        decode_text(text)
    assert caught.value.reason is Reason.BAD_BASE64
    assert detail in caught.value.detail


def spellings(character: str, *, in_url: bool) -> st.SearchStrategy[str]:
    """A character of base64, mostly as it is."""
    other = {"+": "-", "/": "_"}.get(character, character)
    escaped = f"%{ord(character):02X}" if in_url else character
    return st.sampled_from([*[character] * 5, other, escaped, f"{character}\r\n", f"{character} "])


@st.composite
def nearly_spelled(draw: st.DrawFn) -> str | bytes:
    """Base64 in any mixture of what was seen in the wild, with or without something wrong in it, as text or bytes."""
    data = draw(st.binary(max_size=80))
    start = draw(st.sampled_from(["", "", "", " ", "\ufeff", "\0"])) + draw(PREFIXES)
    right, wrong = ["", "\n", " \t"], ["=", "==", "\0", "%3D", "%0A", "\x85", "\u2028", "*", "\udcff"]
    end = draw(st.sampled_from(right) | st.sampled_from(wrong))
    in_url = start.strip().lower().startswith("data:")
    text = start + "".join(draw(spellings(character, in_url=in_url)) for character in canonical(data)) + end
    return text.encode("utf-8", "surrogatepass") if draw(st.booleans()) else text


@given(nearly_spelled() | st.text(st.characters()) | st.binary() | st.text("QU=+/-_%,:; \ndata").map("data:".__add__))
def test_any_text_is_decoded_and_rebuilt_from_json_or_refused(text):
    result = outcome(text)
    if isinstance(result, ImageRejectedError):
        assert result.reason in {Reason.BAD_BASE64, Reason.EMPTY}
        assert result.detail.isascii()
    else:
        assert_round_trip(text, result.data)


def test_payload_is_in_no_message_and_no_repr():
    secret = "U0VDUkVUU0VDUkVU"
    with pytest.raises(ImageRejectedError) as caught:
        decode_text(secret + "!")
    assert secret not in str(caught.value)
    decoded = decode_text("-+" + secret + "AA")
    assert decoded.form.literal
    assert decoded.form.literal not in repr(decoded)
    assert "SECRET" not in repr(decoded)
