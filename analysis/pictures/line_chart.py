"""A curve over updates as SVG shapes, small enough to stand in a page and drawn in its colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from analysis.pictures.svg import Picture, line, point, words

_WIDTH, _HEIGHT = 300.0, 110.0
_LEFT, _TOP, _BELOW, _RIGHT = 56.0, 22.0, 20.0, 24.0

MOST_POINTS = 300
"""Points that a curve is drawn through; of more, so many at equal distances, the last among them."""


def line_chart(x: Sequence[float], y: Sequence[float | None], title: str) -> Picture:
    """Draw a curve with its smallest and largest values at the axes.

    Args:
        x: Where, rising.
        y: Values; None where there is none, which leaves a gap.
        title: Stands above.
    """
    kept = _thinned(len(x))
    points = [(x[at], y[at]) for at in kept]
    known = [value for _, value in points if value is not None]
    low, high = min([0.0, *known]), max(known, default=1.0)
    high = high if high > low else low + 1
    first, last = (x[0], max(x[-1], x[0] + 1)) if x else (0.0, 1.0)

    def place(at: float, value: float) -> str:
        right = _LEFT + (at - first) / (last - first) * _WIDTH
        return point(right, _TOP + (high - value) / (high - low) * _HEIGHT)

    axes = f"M{point(_LEFT, _TOP)} V{_TOP + _HEIGHT:.1f} H{_LEFT + _WIDTH:.1f}"
    bottom = _TOP + _HEIGHT
    shapes = (
        words(0, 12, title, "title"),
        line(axes, "wire"),
        line(" ".join(_pieces(points, place)), "curve"),
        words(_LEFT - 6, _TOP + 8, f"{high:.3g}", "small end"),
        words(_LEFT - 6, bottom, f"{low:.3g}", "small end"),
        words(_LEFT, bottom + 16, f"{first:,.0f}", "small"),
        words(_LEFT + _WIDTH, bottom + 16, f"{last:,.0f}", "small end"),
    )
    return Picture(_LEFT + _WIDTH + _RIGHT, bottom + _BELOW, shapes)


def _thinned(count: int) -> list[int]:
    if count <= MOST_POINTS:
        return list(range(count))
    return sorted({round(number * (count - 1) / (MOST_POINTS - 1)) for number in range(MOST_POINTS)})


def _pieces(
    points: Sequence[tuple[float, float | None]], place: Callable[[float, float], str]
) -> Iterator[str]:
    """The path through the points; it begins anew behind a gap."""
    drawing = False
    for at, value in points:
        if value is not None:
            yield f"{'L' if drawing else 'M'}{place(at, value)}"
        drawing = value is not None
