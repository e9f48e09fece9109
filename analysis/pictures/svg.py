"""Pictures as SVG text: a few shapes, put beside and below each other. Nothing but the standard library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

CHARACTER = 7.3
"""Width of a character of the 12-pixel monospaced font."""

_STYLE = """
text { font: 12px monospace; fill: #222 }
.title { font-weight: bold; font-size: 13px }
.small { font-size: 10px; fill: #777 }
.code { fill: #555 }
.middle { text-anchor: middle }
.end { text-anchor: end }
.box { fill: #f4f6f8; stroke: #55606b }
.memory { fill: #fdf0d5; stroke: #a0762c }
.register { fill: #e3eefa; stroke: #4a78a8 }
.state { fill: #e6f3e6; stroke: #4d804d }
.stop { fill: #55606b; stroke: #55606b }
.wire { fill: none; stroke: #66707a }
.arrow { fill: none; stroke: #4d804d; marker-end: url(#head) }
.label { stroke: #fff; stroke-width: 4px; paint-order: stroke; stroke-linejoin: round }
"""

_QUOTE = {'"': "&quot;"}

_HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#4d804d"/></marker></defs>'
)


@dataclass(frozen=True)
class Picture:
    """Shapes within a rectangle from (0, 0) to (width, height), y downwards.

    Attributes:
        width: In pixels.
        height: In pixels.
        shapes: SVG elements; later ones cover earlier ones.
    """

    width: float
    height: float
    shapes: tuple[str, ...]


def rectangle(x: float, y: float, width: float, height: float, kind: str, round_by: float = 4) -> str:
    """A rectangle with its upper left corner at (x, y); `kind` is a class of the style."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} rx="{round_by:.0f}" class="{kind}"/>'


def words(x: float, y: float, text: str, kind: str = "") -> str:
    """Text whose base line starts at (x, y), or is centred or ends there by the class `middle` or `end`."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" xml:space="preserve">{escape(text)}</text>'


def line(commands: str, kind: str) -> str:
    """A path."""
    return f'<path d="{commands}" class="{kind}"/>'


def point(x: float, y: float) -> str:
    """Coordinates as they stand in a path."""
    return f"{x:.1f} {y:.1f}"


def below_each_other(pictures: Sequence[Picture], gap: float = 24) -> Picture:
    """Pictures in a column, their left edges in line."""
    shapes, y = [], 0.0
    for picture in pictures:
        shapes.append(f'<g transform="translate(0 {y:.1f})">{"".join(picture.shapes)}</g>')
        y += picture.height + gap
    return Picture(max(picture.width for picture in pictures), max(y - gap, 0), tuple(shapes))


def document(picture: Picture, title: str, margin: float = 16) -> str:
    """A whole SVG file, white behind the picture."""
    width, height = picture.width + 2 * margin, picture.height + 2 * margin
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            _HEAD,
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
            f'<g transform="translate({margin:.0f} {margin:.0f})">',
            *picture.shapes,
            "</g>",
            "</svg>",
            "",
        ]
    )


def inline(picture: Picture, title: str) -> str:
    """A picture as a part of a web page, whose style says what its classes look like; see `arrow_head`."""
    width, height = picture.width + 2, picture.height + 2  # half a line beyond each edge
    size, box = f'width="{width:.0f}" height="{height:.0f}"', f'viewBox="-1 -1 {width:.0f} {height:.0f}"'
    shapes = "".join(picture.shapes)
    return f'<svg {size} {box} role="img" aria-label="{escape(title, _QUOTE)}">{shapes}</svg>'


def arrow_head() -> str:
    """What arrows of the pictures of a web page end in, once for all of them."""
    return f'<svg width="0" height="0" class="defs" aria-hidden="true">{_HEAD}</svg>'
