"""A task's specification as plain data, by which a page says if a memory is legal, and what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from analysis.proofs.term_files import term_record
from nram_env.tasks import Task
from nram_env.tasks.spec import Chosen, Defined, Recursive, TaskSpec
from nram_env.tasks.terms import Fact, free_names, text


def task_data(task: Task | None) -> dict[str, Any] | None:
    """What scripts know of a task: its name, and what its specification says, where it has one.

    Args:
        task: The task; without one there is nothing to know.
    """
    if task is None:
        return None
    return {"name": task.name} | (dict(_spec(task.spec)) if task.spec is not None else {})


def _spec(spec: TaskSpec) -> Iterator[tuple[str, Any]]:
    """Facts that speak of sequences which only the task itself finds are said, not checked."""
    facts, beyond = (*spec.pre, *spec.legal), _found_by_the_task(spec)
    params = spec.params.items()
    yield "params", [[name, None if term is None else term_record(term)] for name, term in params]
    yield (
        "ghosts",
        [
            _ghost(ghost)
            for ghost in spec.ghosts
            if not isinstance(ghost, Chosen) and ghost.name not in beyond
        ],
    )
    yield "given", [_given(fact) for fact in facts if not free_names(fact) & beyond]
    yield "unchecked", "; ".join(text(fact) for fact in facts if free_names(fact) & beyond)
    yield "output", [term_record(end) for end in spec.output]
    yield "want", term_record(spec.want)


def _found_by_the_task(spec: TaskSpec) -> set[str]:
    """Names of sequences that its witness gives, and of those that are made of them."""
    found = {ghost.name for ghost in (*spec.ghosts, *spec.legal_ghosts) if isinstance(ghost, Chosen)}
    for ghost in spec.ghosts:
        if any(free_names(fact) & found for fact in ghost.axioms()):
            found.add(ghost.name)
    return found


def _given(fact: Fact) -> dict[str, Any]:
    return {"text": text(fact), "fact": term_record(fact)}


def _ghost(ghost: Recursive | Defined) -> dict[str, Any]:
    """A sequence by its entry behind entry j, or by its entry j, and how many entries it has."""
    if isinstance(ghost, Recursive):
        first, entries = term_record(ghost.first), term_record(ghost.last + 1)
        return {"name": ghost.name, "first": first, "value": term_record(ghost.step), "entries": entries}
    return {"name": ghost.name, "value": term_record(ghost.value), "entries": term_record(ghost.end)}
