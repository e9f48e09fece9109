"""The second reading of terms: their text."""

from __future__ import annotations

from collections.abc import Sequence

from nram_env.tasks.terms.nodes import (
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


def text(tree: Term | Fact) -> str:
    """The tree in words and formulas, on one line."""
    match tree:
        case Number(value):
            return str(value)
        case Variable(name):
            return name
        case Sum(parts, constant):
            return _sum_text(parts, constant)
        case Apply(function, index):
            return f"{function}[{text(index)}]"
        case Choice(condition, then, otherwise):
            return f"({text(then)} if {text(condition)} else {text(otherwise)})"
        case Compare(relation, left, right):
            return f"{text(left)} {_SIGN[relation]} {text(right)}"
        case Not(Compare(relation, left, right)):
            return f"{text(left)} {_OPPOSITE[relation]} {text(right)}"
        case Not(ForAll(name, low, high, Not(body))):
            return f"for some {name} in {text(low)}..{text(high - 1)}: {text(body)}"
        case Not(fact):
            return f"not ({text(fact)})"
        case And((Compare(first, low, term), Compare(second, same, high))) if term == same:
            return f"{text(low)} {_SIGN[first]} {text(term)} {_SIGN[second]} {text(high)}"
        case And(facts):
            return " and ".join(_part(fact) for fact in facts) or "true"
        case Or(facts):
            return " or ".join(_part(fact) for fact in facts) or "false"
        case Implies(condition, conclusion):
            return f"{_part(condition)} implies {_part(conclusion)}"
        case ForAll(name, low, high, body):
            return f"for all {name} in {text(low)}..{text(high - 1)}: {text(body)}"
    raise TypeError(f"no term and no fact: {tree!r}")


_SIGN = {"==": "=", "<=": "<=", "<": "<"}
_OPPOSITE = {"==": "!=", "<=": ">", "<": ">="}


def _part(fact: Fact) -> str:
    """The text of a fact as a part of another one, in brackets where words join it."""
    match fact:
        case And() | Or() | Implies() | ForAll() | Not(ForAll()):
            return f"({text(fact)})"
    return text(fact)


def _sum_text(parts: Sequence[tuple[Term, int]], constant: int) -> str:
    terms = [
        (text(term) if abs(factor) == 1 else f"{abs(factor)}*{text(term)}", factor) for term, factor in parts
    ]
    signed = [*terms, (str(abs(constant)), constant)] if constant else terms
    words = "".join(f" {'-' if sign < 0 else '+'} {word}" for word, sign in signed)
    return words.removeprefix(" + ").replace(" - ", "-", 1) if words.startswith(" - ") else words[3:]
