"""The facts of a proof that matter to a reader, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.explanation.knowledge import Facts, equalities, is_at_least_0, substituted
from nram_env.tasks import TaskSpec
from nram_env.tasks.spec import BEFORE, MEMORY, M, Recursive, before, i, mem
from nram_env.tasks.terms import (
    Apply,
    Compare,
    Fact,
    ForAll,
    Implies,
    Number,
    Term,
    Variable,
    free_names,
    text,
)


@dataclass(frozen=True)
class Range:
    """Cells from `low` to `high` - 1."""

    low: Term
    high: Term

    def __str__(self) -> str:
        if self.high - self.low == Number(1):
            return f"cell {text(self.low)}"
        return f"cells {text(self.low)}..{text(self.high - 1)}"


def told(facts: Facts, names: Mapping[str, str], spec: TaskSpec) -> Iterator[str]:
    """Facts at a place, a clause each, those about registers first; what matters little is left out.

    Args:
        facts: What holds there.
        names: For every register as facts call it, such as "r_p", its name; those that are read later.
        spec: What the facts are about.
    """
    facts = _without_time(facts, names)
    values = {register: Variable(name) for register, name in names.items()}
    shown = [substituted(fact, values) for fact in facts]
    yield from _registers(shown, list(names.values()), spec)
    yield from _cells(shown, list(names.values()), spec)
    wanted = written_as_wanted(tuple(shown), spec)
    if wanted is not None:
        yield _wanted_text(wanted, spec, shown)
    same = _unchanged(shown)
    if same == [Range(Number(0), M)]:
        yield "every cell is as at the start"
    elif same:
        yield f"{' and '.join(map(str, same))} {_is(same)} as at the start"


def _is(ranges: Sequence[Range]) -> str:
    single = len(ranges) == 1 and ranges[0].high - ranges[0].low == Number(1)
    return "is" if single else "are"


def _without_time(facts: Facts, names: Mapping[str, str]) -> Facts:
    """Facts in which t is said by a register that goes with it, where there is one."""
    for clock in equalities(facts, "t"):
        if free_names(clock) & (set(names) | {"u"}):
            return tuple(substituted(fact, {"t": clock}) for fact in facts)
    return facts


def _registers(facts: Sequence[Fact], names: Sequence[str], spec: TaskSpec) -> Iterator[str]:
    """What each register equals, said once, and how far it can go."""
    said = set[frozenset[str]]()
    for name in names:
        for term in equalities(facts, name):
            about = frozenset(free_names(term) | {name})
            if isinstance(term, Number) or about in said or _is_stored(term):
                continue
            said.add(about)
            yield _equality(name, term, spec)
    limits: dict[str, str] = {}
    for fact in facts:
        if isinstance(fact, Compare) and fact.relation == "<=" and _is_limit(fact, names, spec):
            limits.setdefault(text(fact.right), text(fact))
    yield from limits.values()


def _is_stored(term: Term) -> bool:
    return isinstance(term, Apply) and term.function == MEMORY


def _is_limit(fact: Compare, names: Sequence[str], spec: TaskSpec) -> bool:
    """Whether a fact bounds what moves from above by a parameter."""
    left, right = free_names(fact.left), free_names(fact.right)
    moves = bool(left & {*names, "u"}) and not left & right
    return moves and isinstance(fact.right, Variable) and fact.right.name in spec.params


def _equality(name: str, term: Term, spec: TaskSpec) -> str:
    sequences = {ghost.name for ghost in spec.ghosts if isinstance(ghost, Recursive)}
    if isinstance(term, Apply) and term.function in sequences:
        return f"{name} is number {text(term.index)} of the {term.function}s on the way, counted from 0"
    if isinstance(term, Apply) and term.function == BEFORE:
        part = next((part for part in spec.parts if part.is_cell and part.low == term.index), None)
        return f"{name} is {part.says if part else f'what cell {text(term.index)} held at the start'}"
    return f"{name} = {text(term)}"


def _cells(facts: Sequence[Fact], names: Sequence[str], spec: TaskSpec) -> Iterator[str]:
    """Which cells of the task hold what a register holds."""
    for part in spec.parts:
        for name in names if part.is_cell else ():
            if mem(part.low) in equalities(facts, name):
                yield f"{part.name} holds the same as {name}"


def written_as_wanted(facts: Facts, spec: TaskSpec) -> Range | None:
    """The cells of which it is known that those of them that belong to the output are as wanted."""
    goal = spec.post().body
    for fact in facts:
        if isinstance(fact, ForAll):
            body = fact.body.conclusion if isinstance(fact.body, Implies) else fact.body
            if body == goal:
                return Range(fact.low, fact.high)
    return None


def _wanted_text(known: Range, spec: TaskSpec, facts: Sequence[Fact]) -> str:
    first, end = spec.output
    starts, ends = is_at_least_0(first - known.low, facts), is_at_least_0(known.high - end, facts)
    if starts and ends:
        return "all output cells are as wanted"
    if starts:
        return f"the output cells up to cell {text(known.high - 1)} are as wanted"
    until = "on" if ends else f"to {text(known.high - 1)}"
    return f"the output cells from cell {text(known.low)} {until} are as wanted"


def _unchanged(facts: Sequence[Fact]) -> list[Range]:
    """Cells that are as at the start, in as few ranges as can be seen at once."""
    left = [same for fact in facts if (same := _same(fact)) is not None]
    everything = Range(Number(0), M)
    if everything in left:
        return [everything]
    apart: list[Range] = []
    while left:
        first = left.pop(0)
        near = next(((other, joined) for other in left if (joined := _joined(first, other))), None)
        if near is None:
            apart.append(first)
        else:
            left[left.index(near[0])] = near[1]
    return apart


def _joined(one: Range, other: Range) -> Range | None:
    """Two ranges as one where they touch or one lies in the other."""
    for first, second in ((one, other), (other, one)):
        if is_at_least_0(second.low - first.low, ()) and is_at_least_0(first.high - second.low, ()):
            reaches = is_at_least_0(first.high - second.high, ())
            return first if reaches else Range(first.low, second.high)
    return None


def _same(fact: Fact) -> Range | None:
    """The cells of which a fact says that they are as at the start."""
    if isinstance(fact, ForAll):
        return Range(fact.low, fact.high) if fact.body == mem(i).equals(before(i)) else None
    if isinstance(fact, Compare) and fact.relation == "==":
        for one, other in ((fact.left, fact.right), (fact.right, fact.left)):
            if isinstance(one, Apply) and one.function == MEMORY and other == before(one.index):
                return Range(one.index, one.index + 1)
    return None
