"""What is the state: the verdict in a sentence, where every image is, and what lowers the score."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from z_interact_assets.core.units import number
from z_interact_assets.report.page import words
from z_interact_assets.report.page.data import PageData


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The state in words. `tone` is good, work, loss or unknown."""

    tone: str
    headline: str
    sentences: tuple[str, ...]


def verdict(data: PageData) -> Verdict:
    """Say how things stand to somebody who reads nothing else."""
    stats = data.stats
    total, moved = stats.get("total_images"), words.in_r2(stats)
    if total is None or moved is None:
        return Verdict(tone="unknown", headline="The state is unknown.", sentences=("The images were not counted.",))
    if not total:
        return Verdict(tone="good", headline="There are no images yet.", sentences=tuple(_unlisted(data)))
    listed = stats.get("r2_objects") is not None
    lost = (stats.get("missing_objects") or 0) + (stats.get("corrupted_objects") or 0)
    if listed:
        headline = _headline(max(0, moved - lost), total)
    else:
        headline = f"R2 could not be checked: {_should(moved, total)} be there."
    return Verdict(tone=_tone(stats, listed=listed, lost=lost), headline=headline, sentences=tuple(_said(data, lost)))


def _headline(safe: int, total: int) -> str:
    if safe == total:
        return "The only image is safe in R2." if total == 1 else f"All {number(total)} images are safe in R2."
    said = f"{_of(safe, total)} safe in R2."
    return said[0].upper() + said[1:]


def _of(some: int, total: int) -> str:
    if total == 1:
        return f"{some} of 1 image is"
    return f"{number(some) if some else 'none'} of {number(total)} images {'is' if some == 1 else 'are'}"


def _should(moved: int, total: int) -> str:
    return f"{number(moved) if moved else 'none'} of {words.plural(total, 'image')} should"


def _tone(stats: Mapping[str, Any], *, listed: bool, lost: int) -> str:
    severities = {finding.get("severity") for finding in stats.get("findings") or ()}
    if lost or "loss" in severities:
        return "loss"
    if not listed:
        return "unknown"
    return "work" if "work" in severities or _movable(stats) else "good"


def _said(data: PageData, lost: int) -> Iterator[str]:
    stats = data.stats
    yield from _unlisted(data)
    if stats.get("r2_objects") is not None:
        yield "R2 is Cloudflare's storage for files, the place where the app's images belong."
    if lost:
        yield f"{words.plural(lost, 'image file')} {'is' if lost == 1 else 'are'} missing from R2 or damaged there."
    movable = _movable(stats)
    if movable:
        yield (
            f"{number(movable)} still {'needs' if movable == 1 else 'need'} to be moved: so far "
            f"{'it is' if movable == 1 else 'they are'} only base64 (stored as text inside the app's database)."
        )
    if stuck := stats.get("quarantined_images"):
        yield (
            f"{number(stuck)} cannot be moved as {'it is' if stuck == 1 else 'they are'}: what the database holds is "
            "damaged or is no image, so a person has to look."
        )
    if not (lost or movable or stuck) and not stats.get("findings"):
        yield "Nothing needs to be done."


def _movable(stats: Mapping[str, Any]) -> int:
    """Return how many images a migration would move: what is quarantined is base64, too, and it would not."""
    if "findings" not in stats:
        return stats.get("base64_images") or 0
    return next((found["count"] for found in stats["findings"] if found.get("code") == "still_base64"), 0)


def _unlisted(data: PageData) -> Iterator[str]:
    if data.bucket_error:
        yield f"R2 could not be reached just now: {words.sentence(data.bucket_error)}"
    if data.stats.get("r2_objects") is None:
        yield (
            "R2 is Cloudflare's storage for files. It could not be reached or has never been listed, so nobody can say "
            "whether all image files are there. Numbers about it are unknown, which does not mean zero."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of all images, in the bar that adds up to all of them."""

    name: str
    images: int
    percent: float
    offset: float
    colour: str
    meaning: str


_WHERE = (
    ("r2_images", "In R2", "r2", "a file in R2, nothing left in the database"),
    ("mixed_images", "In R2, text kept for now", "mixed", "a file in R2; its text copy waits to be cleared"),
    ("base64_images", "Base64 only", "base64", "text in the database, nowhere else"),
    ("external_images", "On other servers", "other", "only a web address; not ours to move"),
    ("local_images", "Files of the app", "other", "a file beside the app, not in R2"),
    ("imageless_images", "No image", "other", "the row is complete and holds no image"),
    ("unfinished_images", "Unfinished", "other", "the app has not made the image (yet)"),
    ("unrecognised_images", "Not recognised", "other", "the row holds something that is no address"),
)


def shares(stats: Mapping[str, Any]) -> list[Share]:
    """Return where every image is; the parts add up to all of them."""
    total = stats.get("total_images") or 0
    found: list[Share] = []
    offset = 0.0
    for key, name, colour, meaning in _WHERE:
        images = stats.get(key) or 0
        if images:
            percent = 100 * images / total if total else 0
            found.append(
                Share(
                    name=name,
                    images=images,
                    percent=round(percent, 3),
                    offset=round(offset, 3),
                    colour=colour,
                    meaning=meaning,
                )
            )
            offset += percent
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """Points that something takes from the score."""

    points: float
    why: str


def deductions(stats: Mapping[str, Any]) -> list[Deduction]:
    """Return what lowers the score, by the formula of core.health."""
    codes = {finding.get("code") for finding in stats.get("findings") or ()}
    moved, waiting, total = words.in_r2(stats) or 0, stats.get("base64_images") or 0, stats.get("total_images") or 0
    found = []
    if waiting:
        points = 100 * waiting / (moved + waiting)
        found.append(
            Deduction(points=points, why=f"{words.plural(waiting, 'image')} of {number(moved + waiting)} only base64")
        )
    if codes & {"missing", "corrupted"}:
        found.append(Deduction(points=30, why="files are missing from R2 or damaged"))
    if "database_filling_up" in codes:
        found.append(Deduction(points=10, why="the database is nearly full"))
    if "orphans" in codes:
        found.append(Deduction(points=5, why="files in R2 that belong to no image"))
    if total and (stuck := stats.get("quarantined_images")):
        found.append(Deduction(points=20 * stuck / total, why=f"{words.plural(stuck, 'image')} quarantined"))
    return sorted(found, key=lambda one: -one.points)
