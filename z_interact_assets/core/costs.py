"""What storage costs: a plan's estimate, and the month now, in R2 alone, and as base64. Numbers in, numbers out.

Money is USD without free tiers, a GB is 1e9 bytes, a month 30 days. What is not known is None and left out of totals.

| part | formula |
|---|---|
| r2_storage | bytes of the objects / 1e9 x R2_STORAGE_USD_PER_GB_MONTH |
| r2_class_a | (objects written in 30 days + pages, of 1,000, of 30 listings) / 1e6 x R2_CLASS_A_USD_PER_MILLION |
| r2_class_b | R2_READS_PER_MONTH / 1e6 x R2_CLASS_B_USD_PER_MILLION |
| database | bytes of the database that are in use / 1e9 x DATABASE_USD_PER_GB_MONTH |
"""

from dataclasses import dataclass, replace
from math import ceil
from typing import Any

MONTH_DAYS = 30
_YEAR_DAYS = 365
_LISTING_PAGE = 1_000
_GB = 1e9
_MILLION = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices in USD; the defaults are Cloudflare's for R2 (standard) and D1, without the free tier.

    https://developers.cloudflare.com/r2/pricing/, https://developers.cloudflare.com/d1/platform/pricing/
    """

    storage_gb_month: float = 0.015
    class_a_million: float = 4.50
    class_b_million: float = 0.36
    database_gb_month: float = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What carrying a plan out costs and frees. Money in USD, sizes in bytes."""

    class_a_operations: int
    monthly_storage_usd: float
    one_time_usd: float
    database_bytes_freed: int


def estimate(*, objects: int, object_bytes: int, text_bytes: int, prices: Prices) -> Estimate:
    """Estimate from what is to be written: one PUT an object; the base64 text is freed when it is reclaimed."""
    return Estimate(
        class_a_operations=objects,
        monthly_storage_usd=round(object_bytes / _GB * prices.storage_gb_month, 6),
        one_time_usd=round(objects / _MILLION * prices.class_a_million, 6),
        database_bytes_freed=text_bytes,
    )


def base64_length(size: int) -> int:
    """Return the characters of base64 that so many bytes take, padded and unwrapped."""
    return (size + 2) // 3 * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What lies where. None: not known."""

    objects: int | None
    object_bytes: int | None
    database_bytes: int
    written_a_month: int
    reads_a_month: int | None
    listed: bool = True

    def cost(self, prices: Prices) -> dict[str, float | None]:
        """Return what it costs a month, by part and in total; see the module for the formulas."""
        parts = {
            "r2_storage": _priced(self.object_bytes, prices.storage_gb_month / _GB),
            "r2_class_a": _priced(self._class_a, prices.class_a_million / _MILLION),
            "r2_class_b": _priced(self.reads_a_month, prices.class_b_million / _MILLION),
            "database": _priced(self.database_bytes, prices.database_gb_month / _GB),
        }
        return {**parts, "total": round(sum(part for part in parts.values() if part is not None), 6)}

    @property
    def _class_a(self) -> int | None:
        if self.objects is None:
            return None
        pages = max(1, ceil(self.objects / _LISTING_PAGE)) if self.listed else 0
        return self.written_a_month + MONTH_DAYS * pages


def _priced(count: float | None, price: float) -> float | None:
    return None if count is None else round(count * price, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Growth a day: images, their bytes, and what they would take as base64 in the database."""

    images: float
    bytes: float
    database_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What costs are made of; sizes in bytes.

    `database_bytes` is the room in use, `base64_bytes` the text in it. `waiting_*` are the images that are base64
    alone; `r2_only_text_bytes` is the base64 that the images without any would take.
    """

    objects: int | None
    object_bytes: int | None
    database_bytes: int
    base64_bytes: int
    waiting_images: int
    waiting_bytes: int
    r2_only_text_bytes: int
    written_a_month: int
    reads_a_month: int | None
    pace: Pace | None

    def now(self) -> Volume:
        """Return what is there."""
        return Volume(
            objects=self.objects,
            object_bytes=self.object_bytes,
            database_bytes=self.database_bytes,
            written_a_month=self.written_a_month,
            reads_a_month=self.reads_a_month,
        )

    def all_in_r2(self) -> Volume:
        """Return everything migrated and reclaimed: the base64 is gone, new images are written to R2."""
        return replace(
            self.now(),
            objects=_plus(self.objects, self.waiting_images),
            object_bytes=_plus(self.object_bytes, self.waiting_bytes),
            database_bytes=max(0, self.database_bytes - self.base64_bytes),
            written_a_month=0 if self.pace is None else round(self.pace.images * MONTH_DAYS),
        )

    def all_base64(self) -> Volume:
        """Return the same images as text in the database, and nothing in R2."""
        return Volume(
            objects=0,
            object_bytes=0,
            database_bytes=self.database_bytes + self.r2_only_text_bytes,
            written_a_month=0,
            reads_a_month=0,
            listed=False,
        )


def costs_document(storage: Storage, prices: Prices) -> dict[str, Any]:
    """Return `costs` of `stats --json`."""
    all_in_r2, all_base64 = storage.all_in_r2(), storage.all_base64()
    return {
        "currency": "USD",
        "per": "month",
        "prices": {
            "r2_storage_gb_month": prices.storage_gb_month,
            "r2_class_a_million": prices.class_a_million,
            "r2_class_b_million": prices.class_b_million,
            "database_gb_month": prices.database_gb_month,
        },
        "now": storage.now().cost(prices),
        "all_in_r2": all_in_r2.cost(prices),
        "all_base64": all_base64.cost(prices),
        "in_12_months": _in_a_year(all_in_r2, all_base64, storage.pace, prices),
    }


def _in_a_year(all_in_r2: Volume, all_base64: Volume, pace: Pace | None, prices: Prices) -> dict[str, float | None]:
    if pace is None:
        return {"all_in_r2": None, "all_base64": None}
    grown = replace(
        all_in_r2,
        objects=_plus(all_in_r2.objects, round(pace.images * _YEAR_DAYS)),
        object_bytes=_plus(all_in_r2.object_bytes, round(pace.bytes * _YEAR_DAYS)),
    )
    text = replace(all_base64, database_bytes=all_base64.database_bytes + round(pace.database_bytes * _YEAR_DAYS))
    return {
        "all_in_r2": None if grown.object_bytes is None else grown.cost(prices)["total"],
        "all_base64": text.cost(prices)["total"],
    }


def _plus(known: int | None, more: int) -> int | None:
    return None if known is None else known + more
