"""What a task says of the memories of one size, without quantifiers: every cell and entry has a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from analysis.proofs.readings import conjunction, disjunction, formula, negated
from nram_env.tasks.spec import BEFORE, MEMORY, Ghost, Recursive, TaskSpec
from nram_env.tasks.terms import (
    And,
    Compare,
    Fact,
    ForAll,
    Implies,
    Not,
    Or,
    Term,
    evaluate,
    free_names,
    variable,
)


class Grounding:
    """The legal memories of one size, as SMT-LIB text.

    Where the size alone does not say how far a quantifier or a ghost goes, it is followed to n + 2 or M.

    Args:
        spec: What the task says of them.
        difficulty: n.
        memory_size: M.

    Attributes:
        cells: Names of the M cells at the start.

    Example:
        >>> from nram_env.tasks import get_task
        >>> ground = Grounding(get_task("copy").spec, 1, 3)
        >>> ground.cells
        ('before.0', 'before.1', 'before.2')
        >>> ground.facts()[:2]
        ['(and (<= 0 before.0) (< before.0 3))', '(and (<= 0 before.1) (< before.1 3))']
        >>> ground.wrong(["a", "b", "c"])[1]
        '(not (=> true (= (mem 2) (before (+ 2 (* (- 1) 1))))))'
    """

    def __init__(self, spec: TaskSpec, difficulty: int, memory_size: int) -> None:
        self._spec = spec
        self._known = {"M": memory_size, "n": difficulty}
        self._most = max(memory_size, difficulty + 2) + 1
        self.cells = tuple(f"{BEFORE}.{cell}" for cell in range(memory_size))

    def declarations(self) -> Iterator[str]:
        """Commands that declare cells, parameters and the entries of ghosts, and define how they are read."""
        params = [name for name in self._spec.params if name not in self._known]
        tables = {BEFORE: self.cells} | {ghost.name: self._entries(ghost) for ghost in self._ghosts}
        for name in (*params, *(entry for entries in tables.values() for entry in entries)):
            yield f"(declare-fun {name} () Int)"
        for function, entries in tables.items():
            yield _reading(function, entries)

    def facts(self) -> list[str]:
        """What makes a memory legal. Lemmas, which follow, are left out."""
        size = self._known["M"]
        inside = [f"(and (<= 0 {cell}) (< {cell} {size}))" for cell in self.cells]
        facts = [fact for fact in self._spec.axioms() if fact not in self._spec.lemmas]
        return [*inside, *(self._ground(fact, self._known) for fact in (*facts, *self._spec.legal))]

    def wrong(self, memory: Sequence[str]) -> tuple[str, str]:
        """That some output cell does not hold what is wanted.

        Args:
            memory: Terms of the M cells at the end.

        Returns:
            A command that defines how the cells are read, and the formula.
        """
        return _reading(MEMORY, memory), negated(self._ground(self._spec.post(), self._known))

    @property
    def _ghosts(self) -> tuple[Ghost, ...]:
        return (*self._spec.ghosts, *self._spec.legal_ghosts)

    def _entries(self, ghost: Ghost) -> tuple[str, ...]:
        end = ghost.last + 1 if isinstance(ghost, Recursive) else ghost.end
        return tuple(f"{ghost.name}.{index}" for index in range(self._bound(end, self._known, self._most)))

    def _bound(self, term: Term, known: Mapping[str, int], otherwise: int) -> int:
        """The value of a term that the size decides; for any other a bound of it."""
        return evaluate(term, known) if free_names(term) <= set(known) else otherwise

    def _ground(self, fact: Fact, known: Mapping[str, int]) -> str:
        """A fact with its quantifiers written out."""
        match fact:
            case ForAll():
                return conjunction(list(self._instances(fact, known)))
            case And(facts):
                return conjunction([self._ground(part, known) for part in facts])
            case Or(facts):
                return disjunction([self._ground(part, known) for part in facts])
            case Not(part):
                return negated(self._ground(part, known))
            case Implies(condition, conclusion):
                return f"(=> {self._ground(condition, known)} {self._ground(conclusion, known)})"
        assert isinstance(fact, Compare)
        return formula(fact, _texts(known))

    def _instances(self, fact: ForAll, known: Mapping[str, int]) -> Iterator[str]:
        index = variable(fact.variable)
        open_sides = [
            side
            for side, bound in ((fact.low <= index, fact.low), (index < fact.high, fact.high))
            if not free_names(bound) <= set(known)
        ]
        for value in range(self._bound(fact.low, known, 0), self._bound(fact.high, known, self._most)):
            here = {**known, fact.variable: value}
            conditions = conjunction([formula(side, _texts(here)) for side in open_sides])
            yield f"(=> {conditions} {self._ground(fact.body, here)})"


def read(entries: Sequence[str], index: str) -> str:
    """The term of the entry at an index; of the last one where there is none."""
    if index.isdecimal() and int(index) < len(entries):
        return entries[int(index)]
    found = entries[-1]
    for place in reversed(range(len(entries) - 1)):
        found = f"(ite (= {index} {place}) {entries[place]} {found})"
    return found


def _reading(function: str, entries: Sequence[str]) -> str:
    return f"(define-fun {function} ((c Int)) Int {read(entries, 'c')})"


def _texts(known: Mapping[str, int]) -> dict[str, str]:
    return {name: str(value) for name, value in known.items()}
