"""The kinds of charts: lines over time, bars that stand, bars that lie. Values in, SVG out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from z_interact_assets.report.page.drawing import NARROW, colour, scale_of, to_svg

if TYPE_CHECKING:
    import altair as alt

_UNITS = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))
_HEIGHT = 260
_ROW = 27  # pixels of a lying bar
_LETTER = 8.2  # pixels of a letter of a label, at most: the browser's font is not the one that is measured here
_LEVEL = 42  # letters of all labels together; more than that are written aslant
_MONTH = 31
_MINUTES, _DAYS = timedelta(minutes=10), timedelta(days=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A value to be drawn, and how it is told."""

    at: str
    series: str
    value: float
    said: str


def byte_unit(most: float) -> tuple[float, str]:
    """Return the unit an axis of bytes is told in: what it is divided by, and its name."""
    return next(((factor, name) for factor, name in _UNITS if most >= factor), (1, "bytes"))


def lines(points: Sequence[Point], series: Sequence[str], title: str, *, width: int = NARROW) -> str:
    """Draw lines over time; `at` is ISO 8601. Each series has dashes of its own: colour alone tells nothing to some."""
    import altair as alt  # noqa: PLC0415 - only a report pays for it

    dashes = alt.Scale(domain=list(series), range=[[1, 0], [6, 3]])
    times = {point.at for point in points}
    base = alt.Chart(_data(points, series)).encode(
        x=alt.X("at:T", scale=alt.Scale(type="utc"), title="Date (UTC)", axis=_dates(times, width)),
        y=_upwards(points, title),
        color=alt.Color(
            "series:N", scale=scale_of(series), legend=alt.Legend(symbolType="stroke", symbolStrokeWidth=3)
        ),
        description="said:N",
    )
    dots = base.mark_point(filled=True, opacity=1, size=44 if len(times) <= _MONTH else 16)
    drawn = alt.layer(base.mark_line().encode(strokeDash=alt.StrokeDash("series:N", scale=dashes)), dots)
    return to_svg(drawn.properties(width=width, height=_HEIGHT))


def _dates(times: set[str], width: int) -> "alt.Axis":
    import altair as alt  # noqa: PLC0415

    if len(times) == 1:
        return alt.Axis(format="%-d %b %Y", values=list(times))
    return alt.Axis(format=time_format(times, wide=width > NARROW), labelOverlap=True, tickCount=max(2, width // 140))


def time_format(times: set[str], *, wide: bool) -> str:
    """Return as much of a time as tells one mark of the axis from the next."""
    first, last = (datetime.fromisoformat(time) for time in (min(times), max(times)))
    if last - first < _MINUTES:
        return "%-d %b, %H:%M:%S" if wide else "%H:%M:%S"
    if last - first < _DAYS:
        return "%-d %b, %H:%M" if wide else "%H:%M"
    if wide:
        return "%-d %b %Y"
    return "%-d %b" if first.year == last.year else "%b %Y"


def standing(points: Sequence[Point], series: Sequence[str], title: str, *, axis: str) -> str:
    """Draw standing bars, in the order given, stacked by series."""
    import altair as alt  # noqa: PLC0415

    order = _order(points)
    level = sum(map(len, order)) <= _LEVEL
    named = alt.Axis(labelAngle=0 if level else -45, labelOverlap=True, titlePadding=10 if level else 18)
    chart = _bars(points, series).encode(
        x=alt.X("at:N", sort=order, title=axis, axis=named),
        y=_upwards(points, title),
    )
    return to_svg(chart.properties(width=NARROW, height=_HEIGHT))


def lying(points: Sequence[Point], series: Sequence[str], title: str, *, money: bool = False) -> str:
    """Draw lying bars, in the order given, stacked by series."""
    import altair as alt  # noqa: PLC0415

    order = _order(points)
    room = 12 + _LETTER * max(map(len, order), default=0)
    named = alt.Axis(labelColor=colour("text"), minExtent=room, labelLimit=room)
    chart = _bars(points, series).encode(
        y=alt.Y("at:N", sort=order, title=None, axis=named),
        x=alt.X("value:Q", title=title, axis=_measured(money=money)),
    )
    return to_svg(chart.properties(width=NARROW, height=90 + _ROW * len(order)))


def _upwards(points: Sequence[Point], title: str) -> "alt.Y":
    import altair as alt  # noqa: PLC0415

    nothing = not any(point.value for point in points)
    scale = alt.Scale(domain=[0, 1]) if nothing else alt.Scale(zero=True)  # nothing but 0 has no middle to lie in
    return alt.Y("value:Q", title=title, axis=_measured(), scale=scale)


def _bars(points: Sequence[Point], series: Sequence[str]) -> "alt.Chart":
    import altair as alt  # noqa: PLC0415

    legend: Any = alt.Legend() if len(series) > 1 else None
    return (
        alt.Chart(_data(points, series))
        .mark_bar()
        .encode(
            color=alt.Color("series:N", scale=scale_of(series), legend=legend),
            order=alt.Order("place:Q"),
            description="said:N",
        )
    )


def _data(points: Sequence[Point], series: Sequence[str]) -> "alt.Data":
    import altair as alt  # noqa: PLC0415

    return alt.Data(
        values=[
            {"at": point.at, "series": point.series, "value": point.value, "said": point.said,
             "place": series.index(point.series)}
            for point in points if point.series in series
        ]
    )  # fmt: skip


def _order(points: Sequence[Point]) -> list[str]:
    return list(dict.fromkeys(point.at for point in points))


def _measured(*, money: bool = False) -> "alt.Axis":
    import altair as alt  # noqa: PLC0415

    return alt.Axis(format="$,.6~f" if money else ",.3~f", tickCount=5, grid=True, domain=False)
