"""HTML from Python, escaped unless it is known to be markup."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from typing import Any

_VOID = frozenset(["br", "hr", "input", "link", "meta"])


class Markup(str):
    """A text that is HTML already."""

    __slots__ = ()


def tag(name: str, *content: str, **attributes: str | bool | int) -> Markup:
    """An element.

    Args:
        name: As in "p".
        content: What is in it, in order; what is no Markup is escaped.
        attributes: An underscore at the end of a name is left out, others become hyphens; of booleans the
            true ones stand without a value, the false ones are left out.

    Example:
        >>> tag("p", "a < b", class_="x", hidden=True)
        '<p class="x" hidden>a &lt; b</p>'
    """
    opened = f"<{name}{''.join(_attribute(*item) for item in attributes.items())}>"
    return Markup(opened if name in _VOID else f"{opened}{join(content)}</{name}>")


def join(parts: Iterable[str]) -> Markup:
    """Several parts, one behind the other, each escaped unless it is Markup."""
    return Markup("".join(part if isinstance(part, Markup) else html.escape(part) for part in parts))


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


def _attribute(name: str, value: str | bool | int) -> str:
    written = name.removesuffix("_").replace("_", "-")
    if isinstance(value, bool):
        return f" {written}" if value else ""
    return f' {written}="{html.escape(str(value))}"'
