"""The program as a transition system in SMT-LIB: what is known at a location, and what one step does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from analysis.proofs.blocks import BlockText, guard_formula
from analysis.proofs.readings import Names, conjunction, disjunction, formula, negated
from analysis.proofs.setting import STOP, UNSEEN, Location, Setting, t, u
from nram_env.tasks.spec import BEFORE, MEMORY, M, i
from nram_env.tasks.terms import Apply, Fact, ForAll, Term, free_names, subterms

Invariants = Mapping[Location, Sequence[Fact]]
"""What always holds at the locations that a run may reach; one that is not named is not reached."""


@dataclass(frozen=True)
class Step:
    """What leads to a location.

    Attributes:
        source: Where it comes from; None for the start of a run.
        target: Where it leads.
        definitions: SMT-LIB commands that name what the block computes.
        known: What holds when it is taken.
        arrived: What makes the target the place where one is then.
        names: What the variables of terms stand for afterwards.
    """

    source: Location | None
    target: Location
    definitions: tuple[str, ...]
    known: tuple[str, ...]
    arrived: tuple[str, ...]
    names: Names

    @property
    def assumptions(self) -> tuple[str, ...]:
        """What holds where the step leads to the target."""
        return (*self.known, *self.arrived)


class System:
    """The transition system of a setting.

    Args:
        setting: Program, task and knobs.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.ghosts = tuple(ghost.name for ghost in setting.spec.ghosts)
        self.names: Names = {register.name: register.name for register in setting.registers}
        self._facts, self._instanced = _sorted_facts(setting, self.ghosts)

    @property
    def declarations(self) -> tuple[str, ...]:
        """SMT-LIB commands that declare every variable and function."""
        setting = self.setting
        integers = (M, *setting.counters, *setting.params, *setting.registers)
        return (
            *(f"(declare-fun {function} (Int) Int)" for function in (BEFORE, MEMORY, *self.ghosts)),
            *(f"(declare-fun {integer.name} () Int)" for integer in integers),
        )

    @property
    def background(self) -> list[str]:
        """What holds at every location: the task's facts, and the range of every value."""
        return self._background(self._facts)

    @property
    def without_lemmas(self) -> list[str]:
        """The same as far as it does not come from the task's lemmas."""
        return self._background([fact for fact in self._facts if fact not in self.setting.spec.lemmas])

    def _background(self, given: Sequence[Fact]) -> list[str]:
        ranges = [_in_range(register.name) for register in self.setting.registers]
        cells = [
            f"(forall ((every.c Int)) (! (=> {_cell('every.c')} {_in_range(f'({memory} every.c)')}) "
            f":pattern (({memory} every.c))))"
            for memory in (BEFORE, MEMORY)
        ]
        size = formula(self.setting.program.min_size <= M, {})
        facts = [formula(fact, {}) for fact in given]
        return [*facts, size, *self._counting, *ranges, *cells]

    @property
    def _counting(self) -> list[str]:
        if self.setting.phase == 1:
            return ["(<= 0 t)"]
        return ["(<= 0 t)", f"(= u (div t {self.setting.phase}))"]

    def assumptions(self, location: Location, invariants: Sequence[Fact]) -> list[str]:
        """Everything that is known of a situation at a location."""
        known = [formula(fact, self.names) for fact in invariants]
        where = self._decided(location, self.names)
        return [*self.background, *self.instances(invariants, self.names), *known, *where]

    def starts(self) -> Iterator[Step]:
        """What a run may begin with: all registers 0 and the memory as it was."""
        zero = {register.name: "0" for register in self.setting.registers}
        names = {**zero, t.name: "0", u.name: "0", MEMORY: BEFORE}
        for target in self.setting.locations_after(()):
            yield Step(None, target, (), tuple(self.background), tuple(self._decided(target, names)), names)

    def steps(self, source: Location, invariants: Sequence[Fact]) -> Iterator[Step]:
        """The steps that may be taken at a location, one for each location that may come next."""
        if source.next in (STOP, UNSEEN):
            return
        edge = self.setting.program.edges[source.next]
        registers = [register.name for register in self.setting.registers]
        block = BlockText(edge.block, registers, MEMORY)
        phase = f"(div (+ t 1) {self.setting.phase})"
        after = dict(zip(registers, block.registers, strict=True))
        names = {**after, t.name: "(+ t 1)", u.name: phase, MEMORY: block.memory}
        known = self.assumptions(source, invariants) + self._stored(block.addresses)
        if self.setting.last is not None:
            known.append(formula(t < self.setting.last, self.names))
        history = self.setting.after(source, source.next)
        for target in self.setting.locations_after(history):
            arrived = tuple(self._decided(target, names))
            yield Step(source, target, tuple(block.definitions), tuple(known), arrived, names)

    def instances(self, facts: Iterable[Fact], names: Names) -> list[str]:
        """What the task says of its ghosts at every index that facts name, and beside it."""
        if not self._instanced:
            return []
        spec = self.setting.spec
        named = [*facts, *self._facts, *self._instanced, spec.post()]
        indices = dict.fromkeys(
            index + beside for index in _named_indices(named, self.ghosts) for beside in (-1, 0, 1)
        )
        return self._instances([formula(index, names) for index in indices], self._instanced)

    def lemma_instances(self, indices: Sequence[Term]) -> list[str]:
        """The same at given indices, and nothing that the task's lemmas say."""
        facts = [fact for fact in self._instanced if fact not in self.setting.spec.lemmas]
        return self._instances([formula(index, {}) for index in indices], facts)

    def _stored(self, addresses: Sequence[str]) -> list[str]:
        """What the task says of its ghosts where the wanted values of the stored cells need it."""
        if not self._instanced:
            return []
        indices = [read.index for read in _reads(self.setting.spec.want, self.ghosts)]
        named = [formula(index, {i.name: address}) for address in addresses for index in indices]
        return self._instances(list(dict.fromkeys(named)), self._instanced)

    @staticmethod
    def _instances(indices: Sequence[str], facts: Sequence[ForAll]) -> list[str]:
        found = []
        for index, fact in product(indices, facts):
            names = {fact.variable: index}
            inside = [f"(<= {formula(fact.low, names)} {index})", f"(< {index} {formula(fact.high, names)})"]
            found.append(f"(=> {conjunction(inside)} {formula(fact.body, names)})")
        return found

    def _decided(self, location: Location, names: Names) -> list[str]:
        """That a location is the one where one is."""
        sides = [
            formula(split, names) if side else negated(formula(split, names))
            for split, side in zip(self.setting.splits, location.sides, strict=True)
        ]
        return sides if location.next == STOP else [*sides, self._fires(location, names)]

    def _fires(self, location: Location, names: Names) -> str:
        edges, registers = self.setting.program.edges, [names[r.name] for r in self.setting.registers]
        if location.next != UNSEEN:
            return guard_formula(edges[location.next].guard, registers)
        others = self.setting.edges_from(self.setting.state_of(location))
        return negated(disjunction([guard_formula(edges[index].guard, registers) for index in others]))


def _in_range(value: str) -> str:
    return f"(and (<= 0 {value}) (< {value} M))"


def _cell(index: str) -> str:
    return _in_range(index)


def _reads(tree: Term | Fact, functions: Sequence[str]) -> Iterator[Apply]:
    for part in subterms(tree):
        if isinstance(part, Apply) and part.function in functions:
            yield part


def _sorted_facts(setting: Setting, ghosts: Sequence[str]) -> tuple[list[Fact], list[ForAll]]:
    """The task's facts: those that a solver is given as they are, and those that it is given index by index.

    A fact about all entries of a ghost would set off itself again and again, as each next node names another.
    """
    plain, instanced = list[Fact](), list[ForAll]()
    for fact in setting.spec.axioms():
        if isinstance(fact, ForAll) and set(ghosts) & free_names(fact):
            instanced.append(fact)
        else:
            plain.append(fact)
    return plain, instanced


def _named_indices(facts: Iterable[Fact], ghosts: Sequence[str]) -> Iterator[Term]:
    """Indices of ghosts in facts that no quantifier binds."""
    for fact in facts:
        bound = _bound(fact)
        for read in _reads(fact, ghosts):
            if not bound & free_names(read.index):
                yield read.index


def _bound(fact: Fact) -> set[str]:
    return {tree.variable for tree in subterms(fact) if isinstance(tree, ForAll)} | {i.name}
