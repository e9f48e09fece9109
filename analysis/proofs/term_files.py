"""Terms in files: nested lists that can be read back, and nothing that a solver would take for a command."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from nram_env.checks import FieldError, is_plain_text, shown
from nram_env.tasks.terms import (
    And,
    Apply,
    Choice,
    Compare,
    Fact,
    ForAll,
    Implies,
    Not,
    Number,
    Or,
    Sum,
    Term,
    Variable,
)

LARGEST_NUMBER = 2**31
"""Largest absolute value of an integer in a term."""

MOST_PARTS = 10_000
"""Parts of a list in a term."""


def term_record(tree: Term | Fact) -> Any:
    """A term or fact as nested lists, strings and integers.

    Example:
        >>> from nram_env.tasks.terms import app, variable
        >>> term_record(app("mem", variable("t") - 1) <= 3)
        ['<=', ['entry', 'mem', ['+', -1, ['t', 1]]], 3]
    """
    match tree:
        case Number(value):
            return value
        case Variable(name):
            return name
        case Sum(parts, constant):
            return ["+", constant, *([term_record(term), factor] for term, factor in parts)]
        case Apply(function, index):
            return ["entry", function, term_record(index)]
        case Choice(condition, then, otherwise):
            return ["if", term_record(condition), term_record(then), term_record(otherwise)]
        case Compare(relation, left, right):
            return [relation, term_record(left), term_record(right)]
        case Not(fact):
            return ["not", term_record(fact)]
        case And(facts):
            return ["and", *map(term_record, facts)]
        case Or(facts):
            return ["or", *map(term_record, facts)]
        case Implies(condition, conclusion):
            return ["implies", term_record(condition), term_record(conclusion)]
        case ForAll(name, low, high, body, triggers):
            hints = [[term_record(term) for term in terms] for terms in triggers]
            return ["all", name, term_record(low), term_record(high), term_record(body), hints]
    raise TypeError(f"no term and no fact: {tree!r}")


class TermReader:
    """Reads terms and facts that speak of known names alone.

    Args:
        variables: Names of integers.
        functions: Names of functions.

    Example:
        >>> reader = TermReader({"t", "n"}, {"mem"})
        >>> reader.fact(["<=", "t", 3], "goal")
        Compare(relation='<=', left=Variable(name='t'), right=Number(value=3))
        >>> reader.fact(["<=", "t", "x) (assert false"], "goal")
        Traceback (most recent call last):
        nram_env.checks.FieldError: goal[2] is 'x) (assert false'; must be one of n, t
    """

    def __init__(self, variables: Set[str], functions: Set[str]) -> None:
        self._variables, self._functions = frozenset(variables), frozenset(functions)

    def term(self, value: Any, where: str) -> Term:
        """The term at a place of a file.

        Raises:
            FieldError: There is none, or it speaks of what is not known.
        """
        if type(value) is int:
            return Number(_number(value, where))
        if isinstance(value, str):
            return Variable(_known(value, self._variables, where))
        head, rest = _parts(value, where)
        if head == "+":
            return self._sum(rest, where)
        if head == "entry" and len(rest) == 2:
            function = _known(rest[0], self._functions, f"{where}[1]")
            return Apply(function, self.term(rest[1], f"{where}[2]"))
        if head == "if" and len(rest) == 3:
            then, otherwise = (self.term(rest[place], f"{where}[{place + 1}]") for place in (1, 2))
            return Choice(self.fact(rest[0], f"{where}[1]"), then, otherwise)
        raise FieldError(where, shown(value), "a term")

    def fact(self, value: Any, where: str) -> Fact:
        """The fact at a place of a file.

        Raises:
            FieldError: There is none, or it speaks of what is not known.
        """
        head, rest = _parts(value, where)
        if head in ("<=", "<", "==") and len(rest) == 2:
            left, right = (self.term(rest[place], f"{where}[{place + 1}]") for place in (0, 1))
            return Compare(head, left, right)  # type: ignore[arg-type]
        if head == "all" and len(rest) == 5:
            return self._quantified(rest, where)
        facts = tuple(self.fact(part, f"{where}[{place}]") for place, part in enumerate(rest, start=1))
        if head in ("and", "or"):
            return And(facts) if head == "and" else Or(facts)
        if head == "not" and len(facts) == 1:
            return Not(facts[0])
        if head == "implies" and len(facts) == 2:
            return Implies(*facts)
        raise FieldError(where, shown(value), "a fact")

    def _sum(self, rest: list[Any], where: str) -> Term:
        constant, *parts = rest or [None]
        total: Term = Number(_number(constant, f"{where}[1]"))
        for place, part in enumerate(parts, start=2):
            if not isinstance(part, list) or len(part) != 2:
                raise FieldError(f"{where}[{place}]", shown(part), "a term and its factor")
            factor = _number(part[1], f"{where}[{place}][1]")
            total = total + self.term(part[0], f"{where}[{place}][0]") * factor
        return total

    def _quantified(self, rest: list[Any], where: str) -> ForAll:
        name, low, high, body, hints = rest
        if not (isinstance(name, str) and name.isidentifier() and name.isascii() and len(name) <= 20):
            raise FieldError(f"{where}[1]", shown(name), "a short name")
        inner = TermReader(self._variables | {name}, self._functions)
        if not isinstance(hints, list) or not all(isinstance(terms, list) for terms in hints):
            raise FieldError(f"{where}[5]", shown(hints), "lists of terms")
        triggers = tuple(
            tuple(inner.term(term, f"{where}[5][{place}]") for term in terms)
            for place, terms in enumerate(hints)
        )
        ends = self.term(low, f"{where}[2]"), self.term(high, f"{where}[3]")
        return ForAll(name, *ends, inner.fact(body, f"{where}[4]"), triggers)


def _parts(value: Any, where: str) -> tuple[str, list[Any]]:
    if not isinstance(value, list) or not value or len(value) > MOST_PARTS or not is_plain_text(value[0]):
        raise FieldError(where, shown(value), "a list that begins with what it is")
    return value[0], value[1:]


def _number(value: Any, where: str) -> int:
    if type(value) is not int or abs(value) > LARGEST_NUMBER:
        raise FieldError(where, shown(value), f"an integer within +-{LARGEST_NUMBER}")
    return value


def _known(value: Any, names: Set[str], where: str) -> str:
    if not isinstance(value, str) or value not in names:
        raise FieldError(where, shown(value), f"one of {', '.join(sorted(names))}")
    return value
