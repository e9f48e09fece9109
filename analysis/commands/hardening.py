"""`nram eval --hardening`: measurements of hardening as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table

from analysis.measurement.hardening_words import difference_text, firmness
from analysis.program.text import hanging

if TYPE_CHECKING:
    from analysis.measurement.accuracy import Accuracy
    from analysis.measurement.hardening import Hardening


_NAMES, _SIZE = 19, 15
"""Columns of a page that the names of the rows take, and that a size takes."""


def hardening_report(found: Sequence[Hardening], width: int) -> Iterator[RenderableType]:
    """What is right, how firm the choices are, and where soft and hard part: tables of as many sizes as fit.

    Args:
        found: Measurements, one a size.
        width: Columns of the page.
    """
    fit = max(1, (width - _NAMES) // _SIZE)
    groups = [found[first : first + fit] for first in range(0, len(found), fit)]
    yield from map(_accuracy_table, groups)
    yield from map(_hardening_table, groups)
    for row in found:
        yield hanging(f"n = {row.n}: {difference_text(row.first_difference)}", width, 4)


def _hardening_table(found: Sequence[Hardening]) -> Table:
    """One column a size; agreement is that of the worst timestep."""
    table = _table("hardening", found)
    columns = [firmness(row) for row in found]
    for name in columns[0]:
        table.add_row(name, *(column[name] for column in columns))
    return table


def _accuracy_table(found: Sequence[Hardening]) -> Table:
    """One row a mode and a stop rule; the share of right cells, of right outputs, and when it was read."""
    table = _table("output right: cells, whole outputs", found)
    for modes in zip(*(row.modes for row in found), strict=True):
        table.add_row(modes[0].name, *map(_shares, modes))
    table.add_row("hard, stopped by")
    for rules in zip(*(row.stop_rules for row in found), strict=True):
        table.add_row(f"  {rules[0].name}", *map(_shares, rules))
        table.add_row("    at step", *(f"{rule.step:.1f}" for rule in rules))
    return table


def _table(title: str, found: Sequence[Hardening]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    for row in found:
        table.add_column(f"n = {row.n}", justify="right", no_wrap=True)
    return table


def _shares(accuracy: Accuracy) -> str:
    return f"{accuracy.cells:.4f} {accuracy.exact:.4f}"
