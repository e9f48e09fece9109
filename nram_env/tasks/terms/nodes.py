"""What terms and facts are made of: a closed set of frozen dataclasses, plain for their readers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal


class Term:
    """An integer. Sums, differences and integer multiples are terms again, `<=`, `<`, `>=` and `>` are facts.

    `==` compares trees; the fact that two terms have one value is `equals`.
    """

    __slots__ = ()

    def __add__(self, other: Term | int) -> Term:
        return _summed(self, term_of(other), 1)

    def __radd__(self, other: int) -> Term:
        return _summed(term_of(other), self, 1)

    def __sub__(self, other: Term | int) -> Term:
        return _summed(self, term_of(other), -1)

    def __rsub__(self, other: int) -> Term:
        return _summed(term_of(other), self, -1)

    def __mul__(self, factor: int) -> Term:
        return _summed(Number(0), self, factor)

    __rmul__ = __mul__

    def __neg__(self) -> Term:
        return self * -1

    def __le__(self, other: Term | int) -> Compare:
        return Compare("<=", self, term_of(other))

    def __lt__(self, other: Term | int) -> Compare:
        return Compare("<", self, term_of(other))

    def __ge__(self, other: Term | int) -> Compare:
        return Compare("<=", term_of(other), self)

    def __gt__(self, other: Term | int) -> Compare:
        return Compare("<", term_of(other), self)

    def equals(self, other: Term | int) -> Compare:
        """The fact that both have the same value."""
        return Compare("==", self, term_of(other))

    def differs(self, other: Term | int) -> Not:
        """The fact that they have different values."""
        return Not(self.equals(other))


class Fact:
    """What is true or false of the values of terms."""

    __slots__ = ()

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} is true or false only with values, as in evaluate(fact, values); "
            "facts are joined by all_of and any_of, not by `and`, `or` and chains of comparisons"
        )


@dataclass(frozen=True, slots=True)
class Number(Term):
    """An integer that is written down."""

    value: int


@dataclass(frozen=True, slots=True)
class Variable(Term):
    """An integer that has a name."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum(Term):
    """constant + the sum of coefficient times term, in normal form: made by + and -, never by hand.

    Attributes:
        parts: (term, coefficient) pairs, at least one: no term twice, none a Number or Sum, no coefficient 0;
            positive coefficients come first, of those variables, then it goes by the repr.
        constant: What is added.
    """

    parts: tuple[tuple[Term, int], ...]
    constant: int


@dataclass(frozen=True, slots=True)
class Apply(Term):
    """The entry of a function, such as the memory, at an index."""

    function: str
    index: Term


@dataclass(frozen=True, slots=True)
class Choice(Term):
    """One of two terms: `then` if the condition holds, else `otherwise`."""

    condition: Fact
    then: Term
    otherwise: Term


@dataclass(frozen=True, slots=True)
class Compare(Fact):
    """Two terms compared."""

    relation: Literal["<=", "<", "=="]
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Not(Fact):
    """That a fact does not hold."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class And(Fact):
    """That all facts hold; of none: true."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Or(Fact):
    """That one of the facts holds; of none: false."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Implies(Fact):
    """That the second fact holds where the first does."""

    condition: Fact
    conclusion: Fact


@dataclass(frozen=True, slots=True)
class ForAll(Fact):
    """That a fact holds for every integer from `low` to `high` - 1.

    Attributes:
        variable: Name of the integer, bound in `body` and `triggers`.
        low: The first.
        high: One behind the last.
        body: The fact.
        triggers: A hint for solvers, without meaning: the body matters for integers at which all terms of one
            of these tuples occur.
    """

    variable: str
    low: Term
    high: Term
    body: Fact
    triggers: tuple[tuple[Term, ...], ...] = ()


def term_of(value: Term | int) -> Term:
    """A term as it is, an integer as a Number."""
    return value if isinstance(value, Term) else Number(int(value))


def subterms(tree: Term | Fact) -> Iterator[Term | Fact]:
    """The tree and everything in it, from the outside in; triggers, which mean nothing, are left out."""
    yield tree
    for part in _parts(tree):
        yield from subterms(part)


def free_names(tree: Term | Fact) -> set[str]:
    """Variables that no ForAll binds, and functions."""
    match tree:
        case Variable(name):
            return {name}
        case Apply(function, index):
            return {function} | free_names(index)
        case ForAll(name, low, high, body):
            return free_names(low) | free_names(high) | (free_names(body) - {name})
    return {name for part in _parts(tree) for name in free_names(part)}


def _summed(left: Term, right: Term, factor: int) -> Term:
    """left + factor * right in normal form."""
    coefficients, constant = dict(_linear(left)[0]), _linear(left)[1] + factor * _linear(right)[1]
    for term, coefficient in _linear(right)[0]:
        coefficients[term] = coefficients.get(term, 0) + factor * coefficient
    parts = [(term, coefficient) for term, coefficient in coefficients.items() if coefficient]
    if not parts:
        return Number(constant)
    if constant == 0 and len(parts) == 1 and parts[0][1] == 1:
        return parts[0][0]
    return Sum(tuple(sorted(parts, key=_order)), constant)


def _order(part: tuple[Term, int]) -> tuple[bool, bool, str]:
    term, coefficient = part
    return coefficient < 0, not isinstance(term, Variable), repr(term)


def _linear(term: Term) -> tuple[tuple[tuple[Term, int], ...], int]:
    """The parts and the constant of a term as a sum."""
    match term:
        case Number(value):
            return (), value
        case Sum(parts, constant):
            return parts, constant
    return ((term, 1),), 0


def _parts(tree: Term | Fact) -> Sequence[Term | Fact]:
    match tree:
        case Sum(parts):
            return [term for term, _ in parts]
        case Apply(_, index):
            return [index]
        case Choice(condition, then, otherwise):
            return [condition, then, otherwise]
        case Compare(_, left, right):
            return [left, right]
        case Not(fact):
            return [fact]
        case And(facts) | Or(facts):
            return facts
        case Implies(condition, conclusion):
            return [condition, conclusion]
        case ForAll(_, low, high, body):
            return [low, high, body]
    return []
