"""A program explained: beside every line a sentence, in every loop what holds when it goes round again."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.explanation.invariants import told, written_as_wanted
from analysis.explanation.knowledge import Facts, Knowledge, equalities, is_at_least_0, substituted
from analysis.explanation.names import meaning_names, meanings
from analysis.explanation.phrases import Phrases
from analysis.printing.layout import Line, Listing
from analysis.printing.lowering import nested_code
from analysis.printing.nested import Body, Break, Choice, Condition, Continue, Repeat, Step, Stop, items
from analysis.program.expressions import Assign, Let, Store, Variable
from analysis.program.program import Program
from analysis.proofs.evidence import code_hash
from analysis.proofs.proof import Proof
from analysis.proofs.setting import STOP, t, u
from nram_env.tasks import Task, TaskSpec
from nram_env.tasks.spec import M
from nram_env.tasks.terms import Number, Term, free_names

_UNPROVED = "Not proved: the sentences say what the statements do, without invariants."
_PROVED = "Proved: what stands behind # after a loop's head holds whenever the loop goes round again."
_PROVED_WITHOUT_WORDS = "Proved, by invariants of which none is in words here."

_COMMENT = "  # "


@dataclass(frozen=True)
class Explained:
    """A line of code.

    Attributes:
        line: The text.
        sentence: What it does in the task's terms; empty where the line says it.
        invariant: Of the loop that begins here, clauses that are proved.
    """

    line: str
    sentence: str
    invariant: tuple[str, ...] = ()


def explained(program: Program, task: Task, proof: Proof | None) -> list[Explained] | None:
    """The lines of a program, explained; None where its states do not nest.

    Args:
        program: The program, as it is to be printed.
        task: What it is for.
        proof: A proof about its code, or None: then names are roles, and loops have no invariants.

    Raises:
        ValueError: The task has no specification, or the proof is about other code.
    """
    if task.spec is None:
        raise ValueError(f"task {task.name} has no specification, whose words an explanation needs")
    if proof is not None and code_hash(program) != code_hash(proof.setting.program):
        raise ValueError(
            f"the proof is about {proof.setting.program.name}, whose code is not {program.name}'s"
        )
    body = nested_code(program)
    if body is None:
        return None
    return list(_Explainer(program, task.spec, proof).lines(body))


def explanation(program: Program, task: Task, proof: Proof | None, width: int) -> str | None:
    """The explained program as text; None where its states do not nest.

    Args:
        program: The program, as it is to be printed.
        task: What it is for.
        proof: A proof about its code, or None.
        width: Of a line, at most; code is never broken.
    """
    lines = explained(program, task, proof)
    if lines is None:
        return None
    column = max(len(found.line) for found in lines)
    printed = [text for found in lines for text in _printed(found, column, width)]
    return "\n".join([foundation(lines, proof), "", *printed])


def foundation(lines: Sequence[Explained], proof: Proof | None) -> str:
    """What the sentences beside the lines rest on, in a sentence."""
    if proof is None:
        return _UNPROVED
    return _PROVED if any(found.invariant for found in lines) else _PROVED_WITHOUT_WORDS


def _printed(found: Explained, column: int, width: int) -> Iterator[str]:
    indent = " " * (column + len(_COMMENT))
    room = max(20, width - len(indent))
    first, *rest = textwrap.wrap(found.sentence, room) or [""]
    yield f"{found.line:<{column}}{_COMMENT}{first}" if first else found.line
    yield from (f"{indent}{line}" for line in rest)
    margin = " " * (len(found.line) - len(found.line.lstrip()) + 4)
    for clause in found.invariant:
        yield textwrap.fill(f"{margin}# {clause}", width, subsequent_indent=f"{margin}#   ")


class _Explainer:
    def __init__(self, program: Program, spec: TaskSpec, proof: Proof | None) -> None:
        self.program, self.spec = program, spec
        self.names = meaning_names(program, proof)
        self.knowledge = Knowledge(proof) if proof else None
        known = meanings(proof) if proof else (None,) * program.num_registers
        self.phrases = Phrases(self.names, known, spec)

    def lines(self, body: Body) -> Iterator[Explained]:
        for line in Listing(self.names).lines(body):
            yield Explained(line.text, self._sentence(line), self._invariant(line.loop))

    def _sentence(self, line: Line) -> str:
        about = line.about
        if isinstance(about, Let | Store | Assign):
            return self.phrases.statement(about) + self._remark(about, line.step)
        if isinstance(about, tuple):
            said = self.phrases.condition(about)
            if line.loop:
                return f"as long as {said}{self._wrap(about, line.loop)}"
            return said if said == "otherwise" else f"if {said}"
        if isinstance(about, Stop):
            return "the output is as wanted" if self.knowledge else "the end"
        words = {Repeat: "again and again", Continue: "go on with the next pass", Break: "leave the loop"}
        return words.get(type(about), "")

    def _remark(self, statement: Let | Store | Assign, step: Step | None) -> str:
        """What is proved of a statement besides."""
        edge = self.knowledge.number(step.edge) if self.knowledge and step else None
        if self.knowledge is None or edge is None:
            return ""
        if isinstance(statement, Assign):
            return self._first_time(statement, edge)
        if isinstance(statement, Store) and isinstance(statement.address, Variable):
            return self._as_wanted(statement.address.register, edge)
        return ""

    def _first_time(self, statement: Assign, edge: int) -> str:
        """That a register which is still 0 makes a field of a node a cell with a name."""
        assert self.knowledge is not None
        for register, value in zip(statement.registers, statement.values, strict=True):
            part = self.phrases.read_at_0(register, value)
            places = self.knowledge.before(edge)
            zero = any(Number(0) in equalities(facts, self._term(register)) for facts in places)
            if part is not None and zero:
                name = self.names[register]
                return f"; the first time, where {name} is 0, it becomes {part.name}, {part.says}"
        return ""

    def _as_wanted(self, register: int, edge: int) -> str:
        """That the cell which is written, one timestep before the next pass, is as wanted from then on."""
        assert self.knowledge is not None
        name = self._term(register)
        for facts in self.knowledge.between({edge}, {edge}):
            clocks = {name: term for name in self._terms() if (term := _by_time(facts, name)) is not None}
            known = written_as_wanted(facts, self.spec)
            if known is None or name not in clocks:
                continue
            cell = substituted(clocks[name], {"t": t - 1})
            high = substituted(known.high, clocks)
            if is_at_least_0(high - 1 - cell, ()) and self._leaves_all_wanted(edge):
                late = "" if self._at_once(edge, name, high) else " (from the second pass on)"
                return f", as wanted where this is an output cell{late}"
        return ""

    def _wrap(self, condition: Condition, loop: Repeat) -> str:
        """That a loop ends where a register would be M, and is 0 therefore."""
        value = condition[0][0].value
        if self.knowledge is None or not isinstance(value, Variable) or condition[0][0].zero:
            return ""
        inside, name = self._blocks(loop.body), self._term(value.register)
        staying = {block for block in inside if self._stays(block)}
        going = [_by_time(facts, name) for facts in self.knowledge.between(staying, staying)]
        ends = self.knowledge.between(staying, inside - staying)
        times = [end for facts in ends for end in equalities(facts, "t")]
        values = {substituted(term, {"t": end}) for term in going if term for end in times}
        return ": when it has passed the last cell, M - 1, it is 0 again" if values == {M} else ""

    def _leaves_all_wanted(self, edge: int) -> bool:
        """Whether, where another block follows, the whole output is as wanted."""
        assert self.knowledge is not None
        first, end = self.spec.output
        others = set(range(STOP, len(self.program.edges))) - {edge}
        places = self.knowledge.between({edge}, others)
        known = [(facts, written_as_wanted(facts, self.spec)) for facts in places]
        return all(
            cells is not None
            and is_at_least_0(first - cells.low, (*facts, *self.spec.pre))
            and is_at_least_0(cells.high - end, (*facts, *self.spec.pre))
            for facts, cells in known
        )

    def _at_once(self, edge: int, name: str, high: Term) -> bool:
        """Whether the cell is as wanted in the first pass already."""
        assert self.knowledge is not None
        others = set(range(len(self.program.edges))) - {edge}
        for facts in self.knowledge.between(others, {edge}):
            clock = next(equalities(facts, "t"), t)
            reached = substituted(high, {"t": clock + 1})
            cells = list(equalities(facts, name))
            if not any(
                is_at_least_0(reached - 1 - cell, facts) and is_at_least_0(cell - self.spec.output[0], facts)
                for cell in cells
            ):
                return False
        return True

    def _term(self, register: int) -> str:
        assert self.knowledge is not None
        return self.knowledge.proof.setting.registers[register].name

    def _terms(self) -> list[str]:
        return [self._term(register) for register in range(self.program.num_registers)]

    def _invariant(self, loop: Repeat | None) -> tuple[str, ...]:
        """Clauses that hold whenever a loop goes round again."""
        if loop is None or self.knowledge is None:
            return ()
        inside = self._blocks(loop.body)
        heads = {head for head in self._heads(loop.body) if self._stays(head)}
        places = self.knowledge.between(inside, heads)
        names = dict(zip(self._terms(), self.names, strict=True))
        found = [list(told(facts, names, self.spec)) for facts in places]
        clauses = [clause for clause in found[0] if all(clause in other for other in found)] if found else []
        entries = self.knowledge.between(set(range(len(self.program.edges))) - inside, heads)
        return (*self._passes(places, entries, clauses), *clauses)

    def _passes(self, places: list[Facts], entries: list[Facts], clauses: list[str]) -> Iterator[str]:
        """What u is, where it is spoken of: the number of passes, if it is that."""
        assert self.knowledge is not None
        if not any("u" in re.findall(r"\w+", clause) for clause in clauses):
            return
        phase = self.knowledge.proof.setting.phase
        first = {term for facts in entries for term in equalities(facts, "t")}
        later = {term for facts in places for term in equalities(facts, "t")}
        if len(first) == 1 and later == {u * phase + term for term in first}:
            yield "u is how many passes are done"
        else:
            yield f"u is the number of timesteps so far, divided by {phase} and rounded down"

    def _blocks(self, body: Body) -> set[int]:
        assert self.knowledge is not None
        found = (self.knowledge.number(item.edge) for item in items(body) if isinstance(item, Step))
        return {number for number in found if number is not None}

    def _heads(self, body: Body) -> set[int]:
        """The blocks that may be the first of a pass."""
        for item in body:
            if isinstance(item, Step):
                return self._blocks((item,))
            if isinstance(item, Choice):
                return {head for _, branch in item.branches for head in self._heads(branch)}
            if isinstance(item, Repeat):
                return self._heads(item.body)
        return set()

    def _stays(self, edge: int) -> bool:
        return self.program.edges[edge].target is not None


def _by_time(facts: Facts, register: str) -> Term | None:
    """What a register holds, by t and parameters alone."""
    terms = (term for term in equalities(facts, register) if "t" in free_names(term))
    return next((term for term in terms if not any(name.startswith("r_") for name in free_names(term))), None)
