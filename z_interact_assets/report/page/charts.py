"""The kinds of charts: lines over time, bars that stand, bars that lie. Values in, SVG out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from z_interact_assets.report.page.drawing import NARROW, colour, scale_of, to_svg

if TYPE_CHECKING:
    import altair as alt

_UNITS = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "bytes"))


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
    """Draw lines over time; `at` is ISO 8601."""
    return to_svg(line_chart(points, series, title, width=width))


def line_chart(
    points: Sequence[Point], series: Sequence[str], title: str, *, width: int, height: int = 260
) -> "alt.LayerChart":
    """Return lines over time, undrawn."""
    import altair as alt  # noqa: PLC0415

    times = sorted({point.at for point in points})
    few = len(times) <= 31  # noqa: PLR2004 - more dots than that are a line
    axis = alt.Axis(
        format="%-d %b %Y" if width > NARROW else "%-d %b %y",
        labelFlush=True,
        tickCount=max(2, width // 130),
        labelOverlap=True,
    )
    if len(times) == 1:
        axis = alt.Axis(format="%-d %b %Y", values=[times[0]])
    base = alt.Chart(_data(points)).encode(
        x=alt.X("at:T", scale=alt.Scale(type="utc"), title="Date (UTC)", axis=axis),
        y=alt.Y("value:Q", title=title, axis=_measured(), scale=alt.Scale(zero=True)),
        color=alt.Color("series:N", scale=scale_of(series)),
        description="said:N",
    )
    dots = base.mark_point(filled=True, opacity=1, size=44 if few else 16)
    dash = alt.StrokeDash(
        "series:N", scale=alt.Scale(domain=list(series), range=[[1, 0], [6, 3]][: len(series)]), legend=None
    )
    return alt.layer(base.mark_line().encode(strokeDash=dash), dots).properties(width=width, height=height)


def standing(points: Sequence[Point], series: Sequence[str], title: str, *, axis: str, width: int = NARROW) -> str:
    """Draw standing bars, in the order given, stacked by series."""
    import altair as alt  # noqa: PLC0415

    order = list(dict.fromkeys(point.at for point in points))
    chart = (
        alt.Chart(_data(points, series))
        .mark_bar()
        .encode(
            x=alt.X(
                "at:N",
                sort=order,
                title=axis,
                axis=alt.Axis(labelAngle=0 if len(order) <= 5 else -45, labelOverlap=True),
            ),  # noqa: PLR2004
            y=alt.Y("value:Q", title=title, axis=_measured()),
            color=alt.Color("series:N", scale=scale_of(series), legend=_legend(series)),
            order=alt.Order("place:Q"),
            description="said:N",
        )
        .properties(width=width, height=260)
    )
    return to_svg(chart)


def lying(points: Sequence[Point], series: Sequence[str], title: str, *, money: bool = False) -> str:
    """Draw lying bars, in the order given, stacked by series."""
    import altair as alt  # noqa: PLC0415

    order = list(dict.fromkeys(point.at for point in points))
    chart = (
        alt.Chart(_data(points, series))
        .mark_bar()
        .encode(
            y=alt.Y("at:N", sort=order, title=None, axis=alt.Axis(labelColor=colour("text"))),
            x=alt.X("value:Q", title=title, axis=_measured(grid=True, money=money)),
            color=alt.Color("series:N", scale=scale_of(series), legend=_legend(series)),
            order=alt.Order("place:Q"),
            description="said:N",
        )
        .properties(width=NARROW, height=max(110, 60 + 27 * len(order)) + 30 * (len(series) > 1))
    )
    return to_svg(chart)


def _data(points: Sequence[Point], series: Sequence[str] = ()) -> "alt.Data":
    import altair as alt  # noqa: PLC0415

    rows: list[Mapping[str, Any]] = [
        {"at": point.at, "series": point.series, "value": point.value, "said": point.said,
         "place": series.index(point.series) if series else 0}
        for point in points
    ]  # fmt: skip
    return alt.Data(values=rows)


def _measured(*, grid: bool = True, money: bool = False) -> "alt.Axis":
    import altair as alt  # noqa: PLC0415

    return alt.Axis(format="$,.6~f" if money else ",.3~f", tickCount=5, grid=grid, domain=False)


def _legend(series: Sequence[str]) -> Any:
    import altair as alt  # noqa: PLC0415

    return alt.Legend() if len(series) > 1 else None
