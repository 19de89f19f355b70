"""Keys are a contract: what is built today must be built again, letter for letter, in years."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z_interact_assets.core.errors import ImageRejectedError, InvalidKeyError
from z_interact_assets.core.keys import (
    MAX_KEY_BYTES,
    ObjectKey,
    created_at_ms,
    generated_key,
    in_row_unit,
    is_valid_key,
    migrated_key,
    parse_key,
    row_unit,
    sanitise_part,
    validate_key,
)
from z_interact_assets.core.models import ImageFormat
from z_interact_assets.core.reasons import Reason
from z_interact_assets.core.urls import KnownBases

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
BASES = ("https://img.example.com", "https://img.example.com/", "https://cdn.example.com/a/b", "https://pub-0a1b.r2.dev",
         "http://127.0.0.1:9000/public/z-interact-images")  # fmt: skip
ANY_TEXT = st.text(st.characters(), max_size=80)  # lone surrogates and NUL too


def key_of_row(**changes: object) -> str:
    row: dict[str, object] = {
        "row_id": "7f1c1d0e-3c55-4d2f-9a55-0d7d8a0f8a11",
        "session_id": "session123",
        "persona_id": "baby-boomer",
        "created_at_ms": 1_703_123_456_789,
        "sha256": SHA256,
        "format": ImageFormat.PNG,
    }
    return migrated_key(**(row | changes))  # type: ignore[arg-type] - a row is a table of changes here


def test_migrated_key_of_a_known_row_never_changes():
    assert key_of_row() == "images/session123/baby-boomer/1703123456789-funhjf5j6.png"


@pytest.mark.parametrize("session", [None, ""])
def test_row_without_session_has_no_session_part(session):
    assert key_of_row(session_id=session) == key_of_row().replace("session123/", "")


def test_row_without_persona_is_unknown():
    assert key_of_row(persona_id=None).startswith("images/session123/unknown/")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("gen-x", "gen-x"),
        ("a.b_C-9", "a.b_C-9"),
        ("gen x", "gen-x-b1d743"),
        ("gen/x", "gen-x-5a238b"),
        ("ünï", "-n--e975a5"),
        ("100%", "100--32e489"),
        ("", "-e3b0c4"),
        (".", "--cdb4ee"),
        ("..", "---5ec1f7"),
        ("...", "..."),
        ("a\n", "a--87428f"),
    ],
)
def test_changed_part_is_marked_with_a_hash_of_its_original(text, part):
    assert sanitise_part(text) == part


@given(row=ANY_TEXT, session=st.none() | ANY_TEXT, persona=st.none() | ANY_TEXT, time=st.integers(0, 2**48))
def test_no_text_of_a_row_leads_out_of_the_images_folder(row, session, persona, time):
    key = key_of_row(row_id=row, session_id=session, persona_id=persona, created_at_ms=time)

    validate_key(key)
    assert key.startswith("images/")
    assert "%" not in key
    assert not {"", ".", ".."} & set(key.split("/"))
    assert key == key_of_row(row_id=row, session_id=session, persona_id=persona, created_at_ms=time)


@given(first=st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT), second=st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT))
def test_different_rows_have_different_keys(first, second):
    one, other = (key_of_row(row_id=row, session_id=session, persona_id=p) for row, session, p in (first, second))

    assert (one == other) == (first == second)


@given(text=ANY_TEXT)
def test_a_part_made_safe_stays_as_it_is(text):
    part = sanitise_part(text)
    assert sanitise_part(part) == part


def test_rows_whose_parts_come_to_be_the_same_text_have_keys_of_their_own():
    """A persona that is called what another one is made into."""
    one, other = key_of_row(row_id="a", persona_id="gen x"), key_of_row(row_id="b", persona_id=sanitise_part("gen x"))
    assert one.rpartition("/")[0] == other.rpartition("/")[0]
    assert one != other


@given(row=ANY_TEXT, session=st.none() | ANY_TEXT, persona=st.none() | ANY_TEXT, base=st.sampled_from(BASES))
def test_a_url_is_base_and_key_unescaped_and_gives_the_key_back(row, session, persona, base):
    key = key_of_row(row_id=row, session_id=session, persona_id=persona)
    known = KnownBases(base)
    url = known.public_url(key)
    assert url == f"{base.rstrip('/')}/{key}" == quote(url, safe=":/")
    assert known.key_of(url) == key
    assert urlsplit(url).path.endswith(f"/{key}")


@given(row=ANY_TEXT, session=st.text(min_size=300, max_size=1_000), persona=st.text(min_size=300, max_size=1_000))
def test_long_ids_make_a_key_within_its_bytes_or_are_refused(row, session, persona):
    parts = [sanitise_part(session), sanitise_part(persona)]
    size = len(f"images/{parts[0]}/{parts[1]}/1703123456789-abcdefghi.png")
    if size > MAX_KEY_BYTES:
        with pytest.raises(ImageRejectedError) as caught:
            key_of_row(row_id=row, session_id=session, persona_id=persona)
        assert caught.value.reason is Reason.BAD_KEY_PART
    else:
        assert len(key_of_row(row_id=row, session_id=session, persona_id=persona)) == size


def test_ids_that_differ_in_a_lone_surrogate_only_have_different_keys():
    assert len({key_of_row(row_id=row) for row in ("a", "a\ud800", "a\ud801")}) == 3


def test_other_bytes_of_the_same_row_have_another_key():
    assert key_of_row(sha256=SHA256[::-1]) != key_of_row()


@given(
    persona=ANY_TEXT.map(sanitise_part),
    session=st.none() | ANY_TEXT.map(sanitise_part),
    time=st.integers(0, 10**18 - 1),
    random_id=st.from_regex(r"[a-z0-9]{1,32}", fullmatch=True),
    image_format=st.sampled_from(ImageFormat),
)
def test_built_key_is_read_back_as_it_was(persona, session, time, random_id, image_format):
    key = ObjectKey(persona=persona, session=session, timestamp_ms=time, random_id=random_id, format=image_format)

    assert parse_key(key.build()) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "images/p/1-a",
        "images/p/1-a.exe",
        "images/p/01-a.png",
        "images/p/1-a.png\n",
        "images/1-a.png",
        "images/a/b/c/1-a.png",
        "images/../p/1-a.png",
        "images//p/1-a.png",
        "reports/p/1-a.png",
        "images/p/1-ABC.png",
    ],
)
def test_key_of_another_pattern_is_not_parsed(key):
    assert parse_key(key) is None


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a.png",
        "a//b",
        "a/",
        "a/./b",
        "a/../b",
        "..",
        "a%20b",
        "a b",
        "a\\b",
        "a\x00b",
        "a\n",
        "é.png",
        "a?b",
        "a#b",
        "\ud800",
        "a" * 1025,
    ],
)
def test_key_that_would_not_stand_in_a_url_is_refused(key):
    with pytest.raises(InvalidKeyError) as caught:
        validate_key(key)

    assert caught.value.key == key
    assert not is_valid_key(key)


@pytest.mark.parametrize("key", ["a", "a" * 1024, "backup/2025.tar", "images/s/p/1-a.png", "..."])
def test_plain_key_of_a_caller_is_accepted(key):
    validate_key(key)
    assert is_valid_key(key)


def test_row_whose_ids_make_too_long_a_key_is_rejected():
    with pytest.raises(ImageRejectedError) as caught:
        key_of_row(session_id="s" * 1000)

    assert caught.value.reason is Reason.BAD_KEY_PART


@pytest.mark.parametrize(
    "change", [{"persona": "a/b"}, {"session": "a/b"}, {"session": ""}, {"timestamp_ms": -1}, {"random_id": "A"}]
)
def test_parts_that_would_not_be_read_back_are_refused(change):
    parts = {"persona": "p", "session": None, "timestamp_ms": 1, "random_id": "a", "format": ImageFormat.PNG}

    with pytest.raises(InvalidKeyError):
        ObjectKey(**(parts | change))


def test_generated_key_is_made_of_time_and_random_bytes():
    def key(random: bytes) -> str:
        return generated_key(
            session_id=None, persona_id="gen-z", now_ms=1_703_123_456_789, random=random, format=ImageFormat.WEBP
        )

    assert key(bytes(6)) == "images/gen-z/1703123456789-000000000.webp"
    assert key(bytes(6)) != key(bytes([1] * 6))
    with pytest.raises(ValueError, match="at least 6"):
        key(b"short")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_756_878_485, 1_756_878_485_000),
        (1_756_878_485_908, 1_756_878_485_908),
        (99_999_999_999, 99_999_999_999_000),
        (100_000_000_000, 100_000_000_000),
        (1_756_878_485.5, 1_756_878_485_500),
        ("1756878485", 1_756_878_485_000),
        (" 1756878485908 ", 1_756_878_485_908),
        ("1756878485.123", 1_756_878_485_123),
        (Decimal("1756878485.123"), 1_756_878_485_123),
        ("2025-09-03 05:48:05", 1_756_878_485_000),
        ("2025-09-03T05:48:05.908Z", 1_756_878_485_908),
        ("2025-09-03T07:48:05+02:00", 1_756_878_485_000),
        (datetime(2025, 9, 3, 5, 48, 5, tzinfo=UTC), 1_756_878_485_000),
        (datetime(2025, 9, 3, 5, 48, 5), 1_756_878_485_000),  # noqa: DTZ001 - Postgres "timestamp" has no zone
        (datetime(2025, 9, 3, 7, 48, 5, tzinfo=timezone(timedelta(hours=2))), 1_756_878_485_000),
        (0, 0),
        (None, 0),
        ("", 0),
        ("created_at", 0),
        (-5, 0),
        ("-5", 0),
        ("1960-01-01", 0),
        (True, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (Decimal("NaN"), 0),
        (10**400, 0),
        (1_756_878_485_908_000, 0),
        ("9" * 400, 0),
        ("\u0663", 0),
        ("0001-01-01T00:00:00+14:00", 0),
        (b"1756878485", 0),
    ],
)
def test_created_at_is_read_whatever_was_stored(value, expected):
    assert created_at_ms(value) == expected


@given(st.text() | st.integers() | st.floats() | st.decimals() | st.datetimes() | st.binary())
def test_any_created_at_gives_a_time_a_key_can_hold(value):
    key = key_of_row(created_at_ms=created_at_ms(value))

    parsed = parse_key(key)
    assert parsed is not None
    assert parsed.timestamp_ms == created_at_ms(value)


@pytest.mark.parametrize(
    ("created_at", "unit", "written"),
    [
        (1_756_878_485, "s", 1_760_000_000),
        ("1756878485", "s", 1_760_000_000),
        (1_756_878_485_908, "ms", 1_760_000_000_999),
        ("created_at", "ms", 1_760_000_000_999),
        (None, "ms", 1_760_000_000_999),
        (-1, "ms", 1_760_000_000_999),
    ],
)
def test_updated_at_is_written_in_the_unit_of_the_row(created_at, unit, written):
    assert row_unit(created_at) == unit
    assert in_row_unit(1_760_000_000_999, created_at) == written
