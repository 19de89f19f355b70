"""Storage statistics: table and ledger joined to one frame of images, summed up with pandas. Nothing is changed.

`sources` is what is read, `frames` the frame, `columns` what is in it; `sums` and `tallies` add it up, `document` makes
`stats --json` of that, `summary` a few lines; `collecting` is the one pass that does all of it. Memory is bounded.
"""

from z_interact_assets.stats.collecting import collect_stats, ignore_frame
from z_interact_assets.stats.columns import IMAGE_COLUMNS, PROMPT, Column, arrow_schema, image_columns
from z_interact_assets.stats.document import bucket_of
from z_interact_assets.stats.frames import image_frames
from z_interact_assets.stats.sources import D1_LIMIT_BYTES, Sources, Terms
from z_interact_assets.stats.summary import summary

__all__ = [
    "D1_LIMIT_BYTES",
    "IMAGE_COLUMNS",
    "PROMPT",
    "Column",
    "Sources",
    "Terms",
    "arrow_schema",
    "bucket_of",
    "collect_stats",
    "ignore_frame",
    "image_columns",
    "image_frames",
    "summary",
]
