"""How a program was learned, and what hardening did to its network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.measurement.hardening_words import difference_text, firmness
from analysis.pages.markup import scrolling, section, table
from analysis.pages.subject import Subject
from analysis.pictures.line_chart import line_chart
from analysis.pictures.svg import inline
from nram_env.markup import Markup, tag

_CURVES = {
    "error": "exact error at the highest level, best member",
    "level": "highest level n of the curriculum",
    "cell_loss": "minus log-likelihood of an output cell",
    "loss": "mean loss of members",
    "solved": "solved members",
}
"""What of a run's metrics is drawn."""

_EXAMPLES, _SEED = 32, 0
_MOST_LEVEL = 8
"""Of the examples on which hardening is measured."""


def learning_section(subject: Subject) -> Markup:
    """The curves of a run, the record of a recipe, or that neither is at hand."""
    return section("learning", "How it was learned", *_learning(subject))


def _learning(subject: Subject) -> Iterator[Markup]:
    origin = subject.long.program.origin
    if origin:
        rows = [(name.replace("_", " "), str(value)) for name, value in origin.items()]
        yield table("Where the program comes from", [], rows)
    if subject.metrics:
        yield from _curves(subject.metrics)
    if subject.recipe is not None:
        yield from _records(subject.recipe.records)
    if not subject.metrics and (subject.recipe is None or not subject.recipe.records):
        yield tag("p", "No record of its training is at hand.")


def _curves(metrics: Sequence[Mapping[str, Any]]) -> Iterator[Markup]:
    updates = [entry["update"] for entry in metrics]
    for name, title in _CURVES.items():
        values = [entry.get(name) for entry in metrics]
        known = [value for value in values if value is not None]
        if known:
            words = f"{title} over {len(updates):,} updates: {known[0]:.3g} at first, {known[-1]:.3g} at last"
            picture = inline(line_chart(updates, values, title), words)
            yield tag("figure", scrolling(title, Markup(picture)), tag("figcaption", f"{words}."))


def _records(records: Mapping[str, Mapping[str, Any]]) -> Iterator[Markup]:
    for kind, record in records.items():
        rows = [(name.replace("_", " "), _value(value)) for name, value in record.items() if name != "errors"]
        for mode, errors in record["errors"].items():
            said = ", ".join(f"{error:.2%} at n = {n}" for n, error in errors.items())
            rows.append((f"{mode} error, best member", said))
        yield table(f"What happened when its recipe was followed, {kind}", [], rows)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def hardening_section(subject: Subject) -> Markup:
    """What is right soft, hard and as the program, and how firm the choices are, measured now."""
    return section("hardening", "From the soft network to the program", *_hardening(subject))


def _hardening(subject: Subject) -> Iterator[Markup]:
    if subject.agent is None or subject.task is None:
        yield tag("p", "The network is not at hand, so nothing is measured of it here.")
        return
    from analysis.measurement.hardening import measure_hardening  # needs torch

    n = max(subject.task.smallest_difficulty, min(subject.agent.trained_to, _MOST_LEVEL))
    found = measure_hardening(subject.agent, n, _EXAMPLES, _SEED)
    measured = f"{found.examples} random examples of n = {n}, in memories of several sizes"
    yield tag("p", f"Measured on {measured}. {_sentence(difference_text(found.first_difference))}")
    modes = [(mode.name, f"{mode.cells:.2%}", f"{mode.exact:.2%}") for mode in found.modes]
    yield table("Output that is right", ["run as", "cells", "whole outputs"], modes)
    yield table("How firm the choices are", [], list(firmness(found).items()))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
