"""How charts look: one style for all, drawn to SVG without a browser. What they show is decided elsewhere.

Colours are CSS variables of the page, so that one SVG serves light and dark. altair and vl_convert take a second to
import: only what draws pays for it.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    import altair as alt

NARROW, WIDE = 480, 1100
COLOURS = {
    "In R2": "r2", "Base64 only": "base64", "Elsewhere": "other", "Moved": "r2", "Quarantined": "quarantined",
    "Failed": "failed", "Other data": "other", "Free": "free", "R2": "r2", "Database": "base64", "Images": "r2",
    "Base64 text": "base64",
}  # fmt: skip
_ALLOWED = {"svg", "g", "path", "rect", "line", "text", "tspan", "defs", "clipPath", "title", "circle"}


def colour(name: str) -> str:
    """Return a colour of the page."""
    return f"var(--c-{name})"


def to_svg(chart: "alt.TopLevelMixin") -> str:
    """Return a chart as SVG that may stand in the page: no script, no link, no style attribute."""
    import vl_convert  # noqa: PLC0415

    drawn = vl_convert.vegalite_to_svg(chart.to_dict() | {"config": _CONFIG})
    for element in fromstring(drawn).iter():
        if element.tag.rpartition("}")[2] not in _ALLOWED or "style" in element.attrib:
            raise ValueError(f"a chart holds <{element.tag}>, which the page does not allow")
    return re.sub(r"<svg[^>]*?\bwidth=\"(\d+)\" height=\"(\d+)\"[^>]*>", _root, drawn, count=1)


def _root(match: re.Match[str]) -> str:
    width, height = match[1], match[2]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'aria-hidden="true" focusable="false">'
    )


def scale_of(series: Sequence[str]) -> "alt.Scale":
    """Return the colours of some series."""
    import altair as alt  # noqa: PLC0415

    return alt.Scale(domain=list(series), range=[colour(COLOURS[name]) for name in series])


_FONT = "system-ui, sans-serif"
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "autosize": {"type": "fit", "contains": "padding"},
    "padding": {"left": 2, "right": 8, "top": 4, "bottom": 2},
    "axis": {
        "labelColor": colour("muted"), "titleColor": colour("muted"), "labelFontSize": 13, "titleFontSize": 13,
        "titleFontWeight": "normal", "gridColor": colour("line"), "domainColor": colour("line"), "ticks": False,
        "labelPadding": 6, "titlePadding": 10, "labelLimit": 150,
    },
    "axisX": {"grid": False},
    "legend": {
        "orient": "top", "title": None, "labelColor": colour("text"), "labelFontSize": 13, "symbolType": "square",
        "symbolSize": 120, "offset": 12, "columnPadding": 34,
    },
    "line": {"strokeWidth": 2.5},
    "point": {"size": 36, "filled": True},
    "bar": {"discreteBandSize": {"band": 0.72}},
}  # fmt: skip
