"""Statistics collected: one pass over table and ledger gives the document and the frames, of the same instant."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from z_interact_assets.core.stats import BucketCounts
from z_interact_assets.stats.document import Found, stats_document
from z_interact_assets.stats.frames import image_frames
from z_interact_assets.stats.sources import Sources
from z_interact_assets.stats.sums import Sums
from z_interact_assets.stats.tallies import Tallies

if TYPE_CHECKING:
    import pandas as pd


def ignore_frame(frame: "pd.DataFrame") -> None:
    """Do nothing with it."""


def collect_stats(
    sources: Sources,
    bucket: BucketCounts | None,
    *,
    now_ms: int,
    each_frame: Callable[["pd.DataFrame"], None] = ignore_frame,
    prompts: bool = False,
) -> dict[str, Any]:
    """Return the document of `stats --json`; `bucket` is None if it could not be listed.

    `each_frame` is given each frame of `image_frames` once, in order; it may keep none and change none. With `prompts`
    they have that column as well.
    """
    sums = Sums(now_ms=now_ms, soak_ms=sources.terms.soak_ms)
    with Tallies() as tallies:
        for frame in image_frames(sources, prompts=prompts):
            sums.add(frame)
            tallies.add(frame)
            each_frame(frame)
        breakdowns = tallies.to_json()
    found = Found.of(sources, bucket, sums, breakdowns, now_ms=now_ms)
    return stats_document(found)
