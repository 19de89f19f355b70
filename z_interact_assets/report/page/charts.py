"""The charts."""

from collections.abc import Mapping, Sequence
from typing import Any


def chart_png(stats: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the main chart, images in R2 against base64 over time, as a small PNG on white."""
    import altair as alt  # noqa: PLC0415  # a second to import: only a report pays for it
    import vl_convert  # noqa: PLC0415

    rows = [
        {"at": shot.get("generated_at"), "where": where, "images": shot.get(key)}
        for shot in [*history, stats]
        for where, key in (("In R2", "r2_images"), ("Base64", "base64_images"))
    ]
    chart = alt.Chart(alt.Data(values=rows)).mark_line(point=True).encode(x="at:T", y="images:Q", color="where:N")
    return vl_convert.vegalite_to_png(chart.to_dict(), scale=1)
