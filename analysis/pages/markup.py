"""The parts that a page is made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from nram_env.markup import Markup, tag


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], **attributes: str) -> Markup:
    """A table that scrolls sideways where it is too wide; the first cell of a row is its heading.

    Args:
        caption: What is in it.
        heads: Of the columns; none if they need none.
        rows: Cells.
        attributes: Of the table.
    """
    head = tag("thead", tag("tr", *(tag("th", text, scope="col") for text in heads)))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    parts = [tag("caption", caption), *([head] if heads else []), tag("tbody", *body)]
    return scrolling(caption, tag("table", *parts, **attributes))


def scrolling(label: str, content: Markup, **attributes: str) -> Markup:
    """What may be wider than the page: it scrolls by itself, by keyboard too."""
    return tag("div", content, class_="scroll", tabindex="0", role="region", aria_label=label, **attributes)


def details(summary: str, *content: str, **attributes: str | bool) -> Markup:
    """What is shown where somebody asks for it."""
    return tag("details", tag("summary", summary), *content, **attributes)


def section(identifier: str, heading: str, *content: str, **attributes: str | bool) -> Markup:
    """A section of the page under a heading of its own."""
    title = tag("h2", heading, id=f"{identifier}-heading")
    label = {"aria_labelledby": f"{identifier}-heading"}
    return tag("section", title, *content, id=identifier, **label, **attributes)


def data_block(identifier: str, data: Any) -> Markup:
    """Data for scripts; nothing in it can end the element, since no `<` is left."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return Markup(f'<script type="application/json" id="{identifier}">{text}</script>')
