"""HTML from Python, escaped unless it is known to be markup, and tables as notebooks show them.

Text keeps the colour of the page, and marks are see-through or outlines, so that all of it can be read on a
light and on a dark page; what a colour says stands in words as well.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeVar

Mark = Literal["read", "written", "as wanted"]

_MARKS: Mapping[Mark, str] = {
    "read": "box-shadow: inset 0 0 0 2px #2a93b5",
    "written": "box-shadow: inset 0 0 0 2px #d1492e; font-weight: bold",
    "as wanted": "background: rgba(46, 160, 67, 0.3)",
}
"""What is said of a cell, and how it looks then."""

_VOID = frozenset(["br", "hr", "input", "link", "meta"])

Item = TypeVar("Item")
Gap = TypeVar("Gap")


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


def _attribute(name: str, value: str | bool | int) -> str:
    written = name.removesuffix("_").replace("_", "-")
    if isinstance(value, bool):
        return f" {written}" if value else ""
    return f' {written}="{html.escape(str(value))}"'


def notebook_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """A table that scrolls sideways where it is too wide; the first entry of a row is its heading.

    Args:
        caption: What is in it.
        heads: Of the columns.
        rows: As many entries each as there are heads; one that is no `<td>` yet is put into one.
    """
    titled = tag(
        "caption", caption, style="caption-side: top; text-align: left; font-weight: bold; padding: 6px 8px"
    )
    head = tag("thead", tag("tr", *(tag("th", text, scope="col") for text in heads)))
    body = [tag("tr", tag("th", row[0], scope="row"), *map(_cell, row[1:])) for row in rows]
    return tag("div", tag("table", titled, head, tag("tbody", *body)), style="overflow-x: auto")


def _cell(entry: str) -> Markup:
    return entry if isinstance(entry, Markup) and entry.startswith("<td") else tag("td", entry)


def marked(text: str, marks: Sequence[Mark] = ()) -> Markup:
    """An entry of a table with what is said of it."""
    if not marks:
        return tag("td", text)
    return tag("td", text, style="; ".join(_MARKS[mark] for mark in marks), title=", ".join(marks))


def code(lines: Sequence[str]) -> Markup:
    """An entry of a table that holds lines of code."""
    written = tag("pre", "\n".join(lines), style="margin: 0; padding: 0; background: none; text-align: left")
    return tag("td", written, style="text-align: left")


def words(text: str) -> Markup:
    """An entry of a table that holds a sentence."""
    return tag("td", text, style="text-align: left")


def clipped(items: Sequence[Item], most: int, gap: Gap) -> list[Item | Gap]:
    """All items, or the first and the last of too many, with something in the gap.

    Args:
        items: Any sequence.
        most: How many there may be.
        gap: What stands for those that are left out.

    Example:
        >>> clipped("abcdefgh", 4, "...")
        ['a', 'b', '...', 'h']
    """
    if len(items) <= most:
        return list(items)
    last = most // 4
    return [*items[: most - 1 - last], gap, *items[len(items) - last :]]
