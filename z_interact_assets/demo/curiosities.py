"""The odd rows of the sample: every row state the real table has, each with what a migration should make of it.

The specification is the list of row states; this is its catalogue in rows. Nothing here migrates.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from z_interact_assets.core.keys import ObjectKey, created_at_ms
from z_interact_assets.core.models import ImageFormat, ItemState
from z_interact_assets.core.reasons import Reason
from z_interact_assets.demo import spellings
from z_interact_assets.demo.drawing import Picture, clean_svg, hostile_svg, icon
from z_interact_assets.demo.sample_rows import Row, RowMaker

Uploader = Callable[[str, bytes, str], None]
"""Stores an object: key, bytes, content type."""

PUBLISHED = ItemState.PUBLISHED
QUARANTINED = ItemState.QUARANTINED

_HOSTILE_IDS = ("../../etc/passwd", "💃 party / night", "100 % sure?#yes", "a b\tc", "..", "Ünïcode-Gruppe", "x" * 300)
_OTHER_ACCOUNT = "0123456789abcdef0123456789abcdef"


class Expected(NamedTuple):
    """What a row is for: the name of its state, and the item state and reason a migration should end in.

    `state` is None where nothing is recorded at all.
    """

    kind: str
    state: str | None
    reason: str | None = None


Curiosity = tuple[Expected, Row]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where rows that are in R2 already say they are. Without an uploader their objects are missing."""

    public_url: str
    bucket: str
    uploader: Uploader | None


def curiosities(make: RowMaker, around: Surroundings) -> Iterator[Curiosity]:
    """One row of every odd state (of some, several)."""
    yield from _spelt(make)
    yield from _both_columns(make)
    yield from _odd_values(make)
    yield from _broken(make)
    yield from _in_r2(make, around)
    yield from _without_image(make)


def _published(kind: str, row: Row) -> Curiosity:
    return Expected(kind, PUBLISHED), row


def _quarantined(kind: str, reason: Reason, row: Row) -> Curiosity:
    return Expected(kind, QUARANTINED, reason), row


def _spelt(make: RowMaker) -> Iterator[Curiosity]:
    for name, spelling in spellings.SPELLINGS.items():
        if spelling is not spellings.standard:
            yield _published(f"{name}_in_image_data", make.with_data(spelling))
    yield _published("upper_case_data_url", make.with_data_url(spellings.upper_case_data_url))
    yield _published("urlsafe_data_url", make.with_data_url(spellings.urlsafe_data_url))
    svg = clean_svg(make.rng)
    yield _published("svg_data_url", make.with_data_url() | {"image_url": spellings.data_url(svg, "image/svg+xml")})
    png = next(picture for picture in make.pictures if picture.format is ImageFormat.PNG)
    labelled = {"image_data": spellings.standard(png.signed("mislabelled").data, ""), "image_mime_type": "image/jpeg"}
    yield _published("png_labelled_jpeg", make.bare() | labelled | {"image_url": "/images/gen-x-1756881137777.jpg"})
    for picture in make.pictures:
        if picture.format not in {ImageFormat.PNG, ImageFormat.JPG}:
            yield _published(f"{picture.format}_data", make.bare() | _data(picture))


def _both_columns(make: RowMaker) -> Iterator[Curiosity]:
    one, other = make.pictures[0].signed("one"), make.pictures[1].signed("other")
    elsewhere = f"https://images.example.net/generated/{make.uuid()}.png?sig=expired"
    same = {"image_url": spellings.data_url(one.data, "image/png")}
    different = {"image_url": spellings.data_url(other.data, "image/png")}
    yield _published("both_columns_same_image", make.bare() | _data(one) | same)
    yield _published("both_columns_different_images", make.bare() | _data(one) | different)
    yield _published("data_and_external_url", make.with_data(image_url=elsewhere))
    for _ in range(3):
        yield _published("same_bytes_in_several_rows", make.bare() | _data(make.pictures[2]))


def _odd_values(make: RowMaker) -> Iterator[Curiosity]:
    literal = {name: name for name in ("r2_key", "status", "migration_status", "updated_at", "image_mime_type")}
    yield _published("column_names_beside_an_image", make.with_data() | literal)
    for hostile in _HOSTILE_IDS:
        yield _published("hostile_ids", make.with_data(session_id=hostile, persona_id=hostile[::-1]))
    for prompt in make.prompts.odd:
        yield _published("odd_prompt", make.with_data_url(prompt=prompt))
    yield _published("long_prompt", make.with_data(prompt=make.prompts.long(make.rng)))
    yield _published("seconds", make.with_data(created_at=1_756_878_485, updated_at=1_756_878_499))
    yield _published("milliseconds", make.with_data(created_at=1_762_000_123_456, updated_at=1_762_000_125_001))
    yield _published("completed_but_only_data", make.with_data_url(migration_status="completed"))


def _broken(make: RowMaker) -> Iterator[Curiosity]:
    png = next(picture for picture in make.pictures if picture.format is ImageFormat.PNG).data
    text = spellings.standard(png, "")
    damaged = bytearray(png)
    damaged[len(png) // 2] ^= 0xFF
    html = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    json_error = b'{"error":{"code":"rate_limit_exceeded","message":"Please try again in 20s."}}'
    columns: list[tuple[str, Reason, dict[str, Any]]] = [
        ("truncated_text", Reason.TRUNCATED_IMAGE, {"image_data": text[: len(text) // 8 * 4]}),
        ("truncated_data_url", Reason.TRUNCATED_IMAGE, {"image_url": f"data:image/png;base64,{text[:4000]}"}),
        ("broken_text", Reason.BAD_BASE64, {"image_data": f"{text[:1000]}[truncated]"}),
        ("damaged_image", Reason.CORRUPT_IMAGE, {"image_data": spellings.standard(bytes(damaged), "")}),
        ("empty", Reason.EMPTY, {"image_data": ""}),
        ("empty_data_url", Reason.EMPTY, {"image_url": "data:image/png;base64,"}),
        ("html_as_image", Reason.NOT_AN_IMAGE, {"image_data": spellings.standard(html, "")}),
        ("json_as_image", Reason.NOT_AN_IMAGE, {"image_url": spellings.data_url(json_error, "image/png")}),
        ("scripted_svg", Reason.UNSAFE_SVG, {"image_data": base64.b64encode(hostile_svg(make.rng)).decode()}),
        ("icon", Reason.UNSUPPORTED_FORMAT, {"image_data": spellings.standard(icon(make.rng), "")}),
        ("blob_url", Reason.UNRECOGNISED_URL, {"image_url": f"blob:https://z-interact.example/{make.uuid()}"}),
        ("endless_persona", Reason.BAD_KEY_PART, {"image_data": text, "persona_id": "generation-" * 110}),
    ]  # fmt: skip
    for kind, reason, changed in columns:
        yield _quarantined(kind, reason, make.bare() | {"image_mime_type": "image/png"} | changed)
    names = ("image_url", "image_data", "image_mime_type", "r2_key", "status", "migration_status", "updated_at")
    rebuilt = make.bare() | {name: name for name in names}
    yield _quarantined("column_names", Reason.COLUMN_NAME_AS_VALUE, rebuilt)
    yield _quarantined(
        "column_name_as_data",
        Reason.COLUMN_NAME_AS_VALUE,
        make.bare() | {"image_data": "image_data", "image_mime_type": "image_mime_type"},
    )


def _in_r2(make: RowMaker, around: Surroundings) -> Iterator[Curiosity]:
    bases = {
        "in_r2": around.public_url.rstrip("/"),
        "in_r2_but_pending": around.public_url.rstrip("/"),
        "in_r2_at_r2_dev": f"https://pub-{make.rng.getrandbits(128):032x}.r2.dev",
        "in_r2_at_s3_endpoint": f"https://{_OTHER_ACCOUNT}.r2.cloudflarestorage.com/{around.bucket}",
    }
    missing = Expected("in_r2_but_missing", QUARANTINED, Reason.OBJECT_MISSING)
    for kind, base in bases.items():
        row, key, picture = _stored_row(make, base)
        if kind == "in_r2_but_pending":
            row |= {"r2_key": None, "migration_status": "pending", "migrated_at": None}
        if around.uploader is None:
            yield missing._replace(kind=kind), row
            continue
        around.uploader(key, picture.data, picture.format.content_type)
        yield Expected(kind, ItemState.ALREADY_IN_R2), row
    yield missing, _stored_row(make, bases["in_r2"])[0]


def _stored_row(make: RowMaker, base: str) -> tuple[Row, str, Picture]:
    row, picture = make.bare(), make.image().picture
    milliseconds = created_at_ms(row["created_at"])
    key = ObjectKey.of(
        session_id=row["session_id"],
        persona_id=row["persona_id"],
        timestamp_ms=milliseconds,
        random_id=f"{make.rng.getrandbits(36):09x}",
        format=picture.format,
    ).build()
    migrated = {"image_url": f"{base}/{key}", "r2_key": key, "migration_status": "completed"}
    return row | migrated | {"migrated_at": milliseconds // 1000 + 3600}, key, picture


def _without_image(make: RowMaker) -> Iterator[Curiosity]:
    openai = "https://oaidalleapiprodscus.blob.core.windows.net/private/img-8Zq.png?se=2025-09-03T07%3A48%3A05Z&sig=x"
    fal = f"https://v3.fal.media/files/lion/{make.rng.getrandbits(80):020x}.png"
    picsum = "https://picsum.photos/seed/42/1024/1024"
    external = ItemState.EXTERNAL
    yield Expected("provider_url", external), make.bare() | {"image_url": openai, "provider": "openai"}
    yield Expected("provider_url", external), make.bare() | {"image_url": fal, "provider": "fal"}
    yield Expected("provider_url", external), make.bare() | {"image_url": picsum, "provider": "placeholder"}
    hard_coded = {"image_url": openai, "migration_status": "completed"}
    yield Expected("completed_but_external", external), make.bare() | hard_coded
    # Looks like R2 to whoever only searches for "r2.".
    yield Expected("r2_in_the_url", external), make.bare() | {"image_url": "https://r2.example.org/images/a.png"}
    local = {"image_url": "/images/baby-boomer-1756878485908.jpg"}
    yield Expected("local_url", ItemState.LOCAL_ONLY), make.bare() | local
    imageless = Expected("completed_without_image", ItemState.IMAGELESS, Reason.COMPLETED_WITHOUT_IMAGE)
    yield imageless, make.bare() | {"status": "completed"}
    for status in ("failed", "generating"):
        yield Expected(status, None), make.bare() | {"status": status}


def _data(picture: Picture) -> Row:
    return {"image_data": spellings.standard(picture.data, ""), "image_mime_type": picture.format.content_type}
