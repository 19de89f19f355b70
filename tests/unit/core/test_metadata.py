"""Metadata must survive S3 headers: any text in, printable ASCII out, and the same text back."""

import base64
from dataclasses import replace
from email.header import Header
from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z_interact_assets.core.metadata import MAX_METADATA_BYTES, decode_metadata, encode_metadata
from z_interact_assets.core.models import ImageMetadata
from z_interact_assets.storage.ciphers import FernetCipher

SHORT = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=100)
METADATA = st.builds(
    ImageMetadata,
    persona_id=SHORT,
    session_id=SHORT,
    participant_id=SHORT,
    prompt=SHORT,
    provider=SHORT,
    generated_at=SHORT,
    size=SHORT,
    quality=SHORT,
    original_url=SHORT,
    original_id=SHORT,
    migrated_at=SHORT,
    original_format=SHORT,
    sha256=SHORT,
    prompt_truncated=st.booleans(),
    extra=st.dictionaries(
        st.sampled_from(["etag2", "x-made-by", "crc.32"]), SHORT.filter(lambda text: text is not None)
    ),
)
KEYS = [base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in (1, 2)]
HEADER_CHARACTERS = set(printable) - set("\t\n\r\x0b\x0c")
LONG_PROMPTS = {
    "latin": "A quiet kitchen, morning light. ",
    "accents": "Une élégante pièce où règne l'été ",
    "emoji": "👩‍🚀🏳️‍🌈🇨🇭🎨",
    "arabic": "غرفة معيشة مضيئة ",
    "chinese": "阳光明媚的客厅",
    "hindi": "उज्ज्वल बैठक कक्ष ",
    "lines": "first line\nsecond line\r\n\tthird\n",
    "double spaces": "one  two   ",
}


class ReversingCipher:
    """Stands for encryption: unreadable at a glance, and longer than the text as ciphertext is."""

    def encrypt(self, text: str) -> str:
        return base64.urlsafe_b64encode(b"nonce-and-tag" + text.encode()[::-1]).decode()

    def decrypt(self, token: str) -> str:
        data = base64.urlsafe_b64decode(token)
        if not data.startswith(b"nonce-and-tag"):
            raise ValueError("not ours")
        return data.removeprefix(b"nonce-and-tag")[::-1].decode()


def decoded_size(headers: dict[str, str]) -> int:
    """As R2 counts: names and values after RFC 2047 decoding (encrypted ones as they are stored)."""
    stored = decode_metadata(headers)
    values = [stored.prompt, stored.original_url, stored.participant_id, stored.persona_id, stored.session_id]
    values += [stored.provider, stored.generated_at, stored.size, stored.quality, stored.original_id]
    values += [stored.migrated_at, stored.original_format, stored.sha256, *stored.extra.values()]
    texts = [*headers, *(value for value in values if value is not None), "true" if stored.prompt_truncated else ""]
    return sum(len(text.encode()) for text in texts)


@pytest.mark.parametrize("cipher", [None, ReversingCipher()], ids=["plain", "encrypted"])
@given(metadata=METADATA)
def test_what_is_encoded_is_decoded_to_the_same(cipher, metadata):
    headers = encode_metadata(metadata, cipher=cipher)

    assert decode_metadata(headers, cipher=cipher) == metadata
    assert set("".join(headers.values())) <= HEADER_CHARACTERS


def test_names_are_those_of_the_contract_and_absent_values_are_left_out():
    metadata = ImageMetadata(
        persona_id="gen-x", original_url="https://x.example/a", prompt="p", sha256="00", size="1x2"
    )

    assert encode_metadata(metadata) == {
        "personaId": "gen-x",
        "size": "1x2",
        "originalUrl": "https://x.example/a",
        "sha256": "00",
        "prompt": "p",
    }


@pytest.mark.parametrize("name", ["personaid", "PERSONAID", "personaId"])
def test_names_are_read_in_any_case(name):
    assert decode_metadata({name: "gen-x"}).persona_id == "gen-x"


@pytest.mark.parametrize("text", ["plain text, with 100% of it: a=b?", "-", "enc:v1:"])
def test_printable_ascii_is_stored_as_it_is(text):
    assert encode_metadata(ImageMetadata(prompt=text))["prompt"] == text


@pytest.mark.parametrize("text", ["é", "a\nb", "\tb", " a", "a ", "a  b", "=?utf-8?q?a?=", "a\x7f", "\x1b[0m", "🎨"])
def test_anything_a_header_would_change_is_stored_as_encoded_words(text):
    header = encode_metadata(ImageMetadata(prompt=text))["prompt"]

    assert header.startswith("=?utf-8?b?")
    assert decode_metadata({"prompt": header}).prompt == text


@pytest.mark.parametrize("script", LONG_PROMPTS)
def test_encoded_words_are_short_and_hold_whole_characters(script):
    words = encode_metadata(ImageMetadata(prompt=LONG_PROMPTS[script] * 20))["prompt"].split(" ")

    if words[0].startswith("=?"):
        assert max(map(len, words)) <= 75
        for word in words:
            base64.b64decode(word.split("?")[3], validate=True).decode()


@pytest.mark.parametrize("cipher", [None, ReversingCipher()], ids=["plain", "encrypted"])
@pytest.mark.parametrize("script", LONG_PROMPTS)
def test_long_prompt_is_cut_on_a_character_and_marked(script, cipher):
    prompt = (LONG_PROMPTS[script] * 9000)[:9000]
    metadata = ImageMetadata(prompt=prompt, persona_id="gen-x", original_id="7f1c1d0e", sha256="0" * 64)

    headers = encode_metadata(metadata, cipher=cipher)

    decoded = decode_metadata(headers, cipher=cipher)
    assert decoded.prompt_truncated
    assert decoded.prompt is not None
    assert prompt.startswith(decoded.prompt)
    assert decoded.persona_id == "gen-x"
    size = decoded_size(headers)
    # Nothing is wasted: one more character, or one more block of base64, would not fit.
    assert MAX_METADATA_BYTES - 4 < size <= MAX_METADATA_BYTES


@pytest.mark.parametrize("cipher", [None, ReversingCipher(), FernetCipher(KEYS)], ids=["plain", "longer", "fernet"])
@given(
    metadata=METADATA, piece=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    size=st.integers(0, 12_000),
)  # fmt: skip
def test_a_prompt_is_cut_exactly_where_the_whole_would_not_fit(cipher, metadata, piece, size):
    prompt = (piece * (size // len(piece) + 1))[:size].replace("\0", "")
    metadata = replace(metadata, prompt=prompt, prompt_truncated=False)

    headers = encode_metadata(metadata, cipher=cipher)

    assert set("".join([*headers, *headers.values()])) <= HEADER_CHARACTERS
    assert decoded_size(headers) <= MAX_METADATA_BYTES
    decoded = decode_metadata(headers, cipher=cipher)
    assert decoded.prompt is not None
    assert prompt.startswith(decoded.prompt)
    assert decoded.prompt_truncated is (decoded.prompt != prompt)
    assert replace(decoded, prompt=None, prompt_truncated=False) == replace(metadata, prompt=None)
    if decoded.prompt_truncated:
        rest = {name: value for name, value in headers.items() if name not in {"prompt", "promptTruncated"}}
        whole = prompt if cipher is None else f"enc:v1:{cipher.encrypt(prompt)}"
        assert decoded_size(rest) + len("prompt") + len(whole.encode()) > MAX_METADATA_BYTES


def test_prompt_that_just_fits_is_whole():
    room = MAX_METADATA_BYTES - len("prompt")

    fits = encode_metadata(ImageMetadata(prompt="p" * room))
    cut = encode_metadata(ImageMetadata(prompt="p" * (room + 1)))

    assert fits == {"prompt": "p" * room}
    assert cut == {"prompt": "p" * (room - len("promptTruncated" + "true")), "promptTruncated": "true"}


@pytest.mark.parametrize("cipher", [None, ReversingCipher()], ids=["plain", "encrypted"])
def test_long_other_values_are_cut_so_that_the_prompt_keeps_its_place(cipher):
    long = "é" * 5000
    metadata = ImageMetadata(
        persona_id=long,
        session_id=long,
        participant_id=long,
        provider=long,
        generated_at=long,
        size=long,
        quality=long,
        original_url=long,
        original_id=long,
        migrated_at=long,
        original_format=long,
        sha256=long,
        prompt=long,
        extra={f"x{number}": long for number in range(50)},
    )  # fmt: skip - one field a line would hide the point

    headers = encode_metadata(metadata, cipher=cipher)

    decoded = decode_metadata(headers, cipher=cipher)
    assert decoded_size(headers) <= MAX_METADATA_BYTES
    assert decoded.original_url == "é" * 256
    assert decoded.prompt_truncated
    assert len(decoded.prompt or "") > 300


@given(st.text(st.characters(), max_size=40), st.dictionaries(st.text(st.characters()), st.text(st.characters())))
def test_hostile_text_never_raises_and_never_breaks_a_header(text, extra):
    headers = encode_metadata(ImageMetadata(prompt=text, persona_id=text, extra=extra))

    assert set("".join([*headers, *headers.values()])) <= HEADER_CHARACTERS


def test_nul_and_lone_surrogates_are_replaced():
    headers = encode_metadata(ImageMetadata(prompt="a\x00b\ud800c"))

    assert decode_metadata(headers).prompt == "a\ufffdb\ufffdc"


def test_extra_value_never_takes_a_known_name():
    metadata = ImageMetadata(persona_id="gen-x", extra={"personaid": "forged", "PROMPT": "forged", "bad name": "x"})

    assert encode_metadata(metadata) == {"personaId": "gen-x"}


@pytest.mark.parametrize(
    "header",
    [
        "café 🎨",
        "=?UTF-8?Q?caf=C3=A9_=F0=9F=8E=A8?=",
        "=?utf-8?q?caf=C3=A9?= =?UTF-8?B?IPCfjqg=?=",
        "caf=?utf-8?q?=C3=A9?= =?utf-8?q?_=F0=9F=8E=A8?=",
        "=?utf-8?b?Y2Fmw6kg8J8=?= =?utf-8?b?jqg=?=",
        Header("café 🎨", "utf-8").encode(),
    ],
    ids=["utf-8", "one q word", "q and b words", "word after text", "character split over words", "stdlib"],
)
def test_value_is_read_however_the_store_encodes_it(header):
    assert decode_metadata({"prompt": header}).prompt == "café 🎨"


def test_backslashes_beside_an_encoded_word_are_kept():
    assert decode_metadata({"prompt": r"\u0041 =?utf-8?q?=C3=A9?="}).prompt == r"\u0041 é"


@pytest.mark.parametrize(
    "header",
    [
        "=?utf-8?b?A?=",
        "=?utf-8?b?/w==?=",
        "=?no-such-charset?q?a?=",
        "=?rot13?q?a?=",
        "=?utf-8?x?a?=",
        "=?utf-8?q?a",
        "=?",
    ],
)
def test_broken_encoding_is_returned_as_it_is(header):
    assert decode_metadata({"prompt": header}).prompt == header


@given(st.dictionaries(st.text(), st.text() | st.from_regex(r"=\?[a-z0-9-]*\?[qbQB]\?.*\?=")))
def test_reading_never_raises(headers):
    decode_metadata(headers, cipher=ReversingCipher())


def test_unknown_names_are_kept_in_lower_case():
    assert decode_metadata({"X-Made-By": "=?utf-8?q?=C3=A9?="}).extra == {"x-made-by": "é"}


def test_only_personal_values_are_encrypted():
    metadata = ImageMetadata(
        prompt="a secret wish", participant_id="person-7", original_url="https://x.example/s", persona_id="gen-x"
    )

    headers = encode_metadata(metadata, cipher=ReversingCipher())

    assert headers["personaId"] == "gen-x"
    for name in ("prompt", "participantId", "originalUrl"):
        assert headers[name].startswith("enc:v1:")
    assert not any(text in str(headers) for text in ("secret", "person-7", "x.example"))


def test_encrypted_value_stays_as_it_is_without_a_key():
    headers = encode_metadata(ImageMetadata(prompt="a secret wish"), cipher=ReversingCipher())

    assert decode_metadata(headers).prompt == headers["prompt"]


@pytest.mark.parametrize("value", ["enc:v1:AAAA", "enc:v1:not base64", "written before encryption"])
def test_value_the_cipher_did_not_make_stays_as_it_is(value):
    assert decode_metadata({"prompt": value}, cipher=ReversingCipher()).prompt == value
