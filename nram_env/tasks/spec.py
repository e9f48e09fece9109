"""What a task wants, said once in terms: to be computed, printed and, elsewhere, proved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nram_env.tasks.parts import Part
from nram_env.tasks.terms import (
    Apply,
    Fact,
    ForAll,
    Number,
    Term,
    app,
    compiled,
    evaluate,
    forall,
    free_names,
    subterms,
    text,
    variable,
)

M, n = variable("M"), variable("n")
"""The memory size and the difficulty."""

i, j = variable("i"), variable("j")
"""A cell, and an index of a ghost."""

BEFORE, MEMORY = "before", "mem"
"""The functions that stand for the memory at the start, and now."""

Witness = Callable[[list[int]], Mapping[str, int | Sequence[int]]]


def before(cell: Term | int) -> Apply:
    """What a cell held at the start."""
    return app(BEFORE, cell)


def mem(cell: Term | int) -> Apply:
    """What a cell holds now."""
    return app(MEMORY, cell)


def cells(low: Term | int, high: Term | int, fact: Fact) -> ForAll:
    """That a fact about cell `i` at the start holds for every i from `low` to `high` - 1."""
    return forall("i", low, high, fact, before(i))


def zeros(low: Term | int) -> ForAll:
    """That every cell from `low` on held 0 at the start."""
    return cells(low, M, before(i).equals(0))


@dataclass(frozen=True)
class Recursive:
    """A sequence that every memory has: name[0] = first, and name[j + 1] = step for j in 0..last - 1.

    Attributes:
        name: Of the function.
        first: Its entry 0.
        step: Its entry j + 1, in `j` and name[j].
        last: Index of its last entry.
    """

    name: str
    first: Term
    step: Term
    last: Term

    def entries(self, values: Mapping[str, Any]) -> list[int]:
        """Entries 0..last."""
        step, found = compiled(self.step), [evaluate(self.first, values)]
        for index in range(evaluate(self.last, values)):
            found.append(step({**values, "j": index, self.name: found}))
        return found

    def axioms(self) -> list[Fact]:
        """What holds of it. The second is a trap for solvers that may use it without end: use instances."""
        following = app(self.name, j + 1).equals(self.step)
        trigger = next((read for read in subterms(self.step) if _reads(read)), app(self.name, j))
        assert isinstance(trigger, Term)
        return [app(self.name, 0).equals(self.first), forall("j", 0, self.last, following, trigger)]


@dataclass(frozen=True)
class Defined:
    """A sequence that every memory has: name[j] = value for j in 0..end - 1.

    Attributes:
        name: Of the function.
        value: Its entry j, in `j`.
        end: One behind the index of its last entry.
    """

    name: str
    value: Term
    end: Term

    def entries(self, values: Mapping[str, Any]) -> list[int]:
        """Entries 0..end - 1."""
        value = compiled(self.value)
        return [value({**values, "j": index}) for index in range(evaluate(self.end, values))]

    def axioms(self) -> list[Fact]:
        """What holds of it."""
        entry = app(self.name, j)
        return [forall("j", 0, self.end, entry.equals(self.value), entry)]


@dataclass(frozen=True)
class Chosen:
    """A sequence of `end` entries, found by the witness: one for which `pre`, or `legal`, holds.

    Attributes:
        name: Of the function.
        end: How many entries it has.
    """

    name: str
    end: Term

    def entries(self, values: Mapping[str, Any]) -> list[int]:
        """What the witness gave."""
        return list(values[self.name])

    def axioms(self) -> list[Fact]:
        """Nothing: `pre` or `legal` says what holds of it."""
        return []


Ghost = Recursive | Defined | Chosen


@dataclass(frozen=True)
class TaskSpec:
    """What a task wants: which memories are legal, and what the output cells hold at the end.

    Facts speak of the memory size M, of parameters (the difficulty n among them), of the memory at the start,
    `before`, and of ghosts, sequences that only the specification knows. That every cell holds one of 0..M-1
    goes without saying.

    Attributes:
        params: The parameters in order, each a term in M, `before` and earlier ones, or None where the
            witness finds it: then it is the one for which `pre` holds.
        pre: What is given, as far as proofs need it.
        output: The first output cell, and one behind the last.
        want: What output cell `i` holds at the end.
        horizon: T(n).
        ghosts: Sequences that `pre` and `want` speak of, in order.
        cuts: Cells at which the memory falls into pieces, for whoever looks for invariants.
        legal: What else makes a memory legal: `pre` and this together are exactly `Task.check_memory`.
            Only counterexamples need it.
        legal_ghosts: Sequences that only `legal` speaks of.
        lemmas: What follows from the rest by induction over its bound variable; to be proved before use.
        witness: From a legal memory: the parameters without a term and the entries of what is `Chosen`.
        parts: What the picture of the memory calls its cells; words for readers.
        fields: The cells of a node, in order, where the memory holds nodes.

    Raises:
        ValueError: A term speaks of a name that nothing here, or nothing before it, declares.

    Example:
        >>> from nram_env import get_task
        >>> spec = get_task("copy").spec
        >>> print(spec.text())
        let     n = before[0] - 1
        given   1 <= n
                2*n + 1 <= M
                for all i in n + 1..M - 1: before[i] = 0
        wanted  for all i in n + 1..2*n: mem[i] = before[i - n]
        within  T(n) = n + 3
        >>> spec.oracle([3, 7, 5, 0, 0, 0, 0, 0])
        {3: 7, 4: 5}
    """

    params: Mapping[str, Term | None]
    pre: tuple[Fact, ...]
    output: tuple[Term, Term]
    want: Term
    horizon: Term
    ghosts: tuple[Ghost, ...] = ()
    cuts: tuple[Term, ...] = ()
    legal: tuple[Fact, ...] = ()
    legal_ghosts: tuple[Chosen, ...] = ()
    lemmas: tuple[Fact, ...] = ()
    witness: Witness | None = field(default=None, repr=False)
    parts: tuple[Part, ...] = ()
    fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if "n" not in self.params:
            raise ValueError(f"params must have n, the difficulty, got {sorted(self.params)}")
        known = {"M", BEFORE}
        for name, term in self.params.items():
            _require_known("params", known, [] if term is None else [term])
            known.add(name)
        for ghost in self.ghosts:
            known.add(ghost.name)
            _require_known("ghosts", known, ghost.axioms())
        for part in ("pre", "output", "cuts", "lemmas"):
            _require_known(part, known, getattr(self, part))
        _require_known("parts", known, [end for part in self.parts for end in (part.low, part.high)])
        _require_known("want", known | {"i"}, [self.want])
        _require_known("horizon", known, [self.horizon])
        _require_known("legal", known | {ghost.name for ghost in self.legal_ghosts}, self.legal)

    def values(self, memory: Sequence[int]) -> dict[str, Any]:
        """What terms are read with at the start of a legal memory, where `mem` is `before`.

        Raises:
            ValueError: The witness leaves something out.
        """
        values: dict[str, Any] = {"M": len(memory), BEFORE: list(memory), MEMORY: list(memory)}
        values |= self._witnessed(list(memory))
        for name, term in self.params.items():
            if term is not None:
                values[name] = evaluate(term, values)
        for ghost in self.ghosts:
            values[ghost.name] = ghost.entries(values)
        return values

    def _witnessed(self, memory: list[int]) -> Mapping[str, int | Sequence[int]]:
        """What no term gives."""
        wanted = {name for name, term in self.params.items() if term is None}
        wanted |= {ghost.name for ghost in (*self.ghosts, *self.legal_ghosts) if isinstance(ghost, Chosen)}
        found = self.witness(memory) if self.witness else {}
        if set(found) != wanted:
            raise ValueError(f"the witness must give {sorted(wanted)}, and nothing else, got {sorted(found)}")
        return found

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """The wanted value of every output cell, as `Task.oracle` says it in its own way."""
        want, values = compiled(self.want), self.values(memory)
        low, high = (evaluate(cell, values) for cell in self.output)
        return {cell: want({**values, "i": cell}) for cell in range(low, high)}

    def axioms(self) -> list[Fact]:
        """Everything that a proof may use of the start: parameters, `pre`, ghosts and lemmas."""
        named = [variable(name).equals(term) for name, term in self.params.items() if term is not None]
        ghosts = [fact for ghost in self.ghosts for fact in ghost.axioms()]
        return [*named, *self.pre, *ghosts, *self.lemmas]

    def post(self) -> ForAll:
        """What has to hold at the end: every output cell holds what is wanted."""
        return forall("i", *self.output, mem(i).equals(self.want), mem(i))

    def _plain_post(self) -> Fact:
        """`post` without a quantifier where there is one output cell."""
        first, end = self.output
        one = end - first == Number(1) and "i" not in free_names(self.want)
        return mem(first).equals(self.want) if one else self.post()

    def text(self) -> str:
        """The specification in words and formulas, a line a fact."""
        return "\n".join(f"{head:<8}{line}" for head, line in self._lines())

    def parts_text(self) -> str:
        """What the parts of the memory are called, a line a part.

        Example:
            >>> from nram_env import get_task
            >>> print(get_task("listk").spec.parts_text())
            called  cell 0: head, the address of the first node
                    cell 1: k, the number of hops
                    cell 2: slot, the place of the output
                    cells of a node: next, value
        """
        lines = [str(part) for part in self.parts]
        lines += [f"cells of a node: {', '.join(self.fields)}"] if self.fields else []
        return "\n".join(f"{'' if number else 'called':<8}{line}" for number, line in enumerate(lines))

    def _lines(self) -> Iterator[tuple[str, str]]:
        for name, term in self.params.items():
            yield "let", f"{name} = {text(term)}" if term is not None else f"{name} be found in the memory"
        for ghost in (*self.ghosts, *self.legal_ghosts):
            if isinstance(ghost, Chosen):
                yield "let", f"{ghost.name}[0..{text(ghost.end - 1)}] be found in the memory"
            else:
                yield "let", ", and ".join(text(fact) for fact in ghost.axioms())
        for number, fact in enumerate((*self.pre, *self.legal)):
            yield "" if number else "given", text(fact)
        yield "wanted", text(self._plain_post())
        yield "within", f"T(n) = {text(self.horizon)}"


def _require_known(part: str, known: set[str], trees: Sequence[Term | Fact]) -> None:
    for tree in trees:
        for name in sorted(free_names(tree) - known):
            raise ValueError(f"{part} speaks of {name!r} in {text(tree)}; declared are {sorted(known)}")


def _reads(part: Term | Fact) -> bool:
    return isinstance(part, Apply) and part.function == BEFORE and "j" in free_names(part)
