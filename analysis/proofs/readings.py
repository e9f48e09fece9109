"""The third reading of terms: SMT-LIB text."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.proofs.symbols import number
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

Names = Mapping[str, str]
"""What stands for a variable or a function of terms in SMT-LIB; a name that is missing stands for itself."""

_RELATIONS = {"<=": "<=", "<": "<", "==": "="}


def formula(tree: Term | Fact, names: Names) -> str:
    """A term or a fact in SMT-LIB.

    Args:
        tree: The term or fact.
        names: What its variables and functions are called there.

    Example:
        >>> from nram_env.tasks.terms import app, variable
        >>> formula(app("now", variable("t") - 1) <= 3, {"t": "(+ t 1)"})
        '(<= (now (+ (+ t 1) (- 1))) 3)'
    """
    match tree:
        case Number(value):
            return number(value)
        case Variable(name):
            return names.get(name, name)
        case Sum(parts, constant):
            scaled = [_scaled(formula(term, names), factor) for term, factor in parts]
            return _joined("+", [*scaled, number(constant)] if constant else scaled)
        case Apply(function, index):
            return f"({names.get(function, function)} {formula(index, names)})"
        case Choice(condition, then, otherwise):
            return f"(ite {formula(condition, names)} {formula(then, names)} {formula(otherwise, names)})"
        case Compare(relation, left, right):
            return f"({_RELATIONS[relation]} {formula(left, names)} {formula(right, names)})"
        case Not(fact):
            return negated(formula(fact, names))
        case And(facts):
            return conjunction([formula(fact, names) for fact in facts])
        case Or(facts):
            return disjunction([formula(fact, names) for fact in facts])
        case Implies(condition, conclusion):
            return f"(=> {formula(condition, names)} {formula(conclusion, names)})"
        case ForAll():
            return _quantified(tree, names)
    raise TypeError(f"no term and no fact: {tree!r}")


def conjunction(formulas: list[str]) -> str:
    """That all formulas hold; of none: true."""
    return _joined("and", formulas) if formulas else "true"


def disjunction(formulas: list[str]) -> str:
    """That one of the formulas holds; of none: false."""
    return _joined("or", formulas) if formulas else "false"


def negated(text: str) -> str:
    """That a formula does not hold."""
    return f"(not {text})"


def refutation(fact: Fact, names: Names) -> tuple[list[str], str]:
    """How a fact fails: constants that have to be declared, and the formula that it fails at them.

    Example:
        >>> from nram_env.tasks.terms import app, forall, variable
        >>> refutation(forall("i", 0, variable("n"), app("now", variable("i")).equals(0)), {})
        (['at.i'], '(and (<= 0 at.i) (< at.i n) (not (= (now at.i) 0)))')
    """
    constants, conditions, names = [], [], dict(names)
    while isinstance(fact, ForAll):
        low, high, at = formula(fact.low, names), formula(fact.high, names), f"at.{fact.variable}"
        conditions += [f"(<= {low} {at})", f"(< {at} {high})"]
        constants.append(at)
        names[fact.variable] = at
        fact = fact.body
    return constants, conjunction([*conditions, negated(formula(fact, names))])


def _quantified(fact: ForAll, names: Names) -> str:
    """One quantifier over the variables of facts that stand directly within each other."""
    variables, conditions, inner = list[str](), list[str](), dict(names)
    triggers = fact.triggers
    body: Fact = fact
    while isinstance(body, ForAll):
        low, high, bound = formula(body.low, inner), formula(body.high, inner), f"every.{body.variable}"
        conditions += [f"(<= {low} {bound})", f"(< {bound} {high})"]
        variables.append(bound)
        inner[body.variable] = bound
        triggers = body.triggers or triggers
        body = body.body
    implication = f"(=> {conjunction(conditions)} {formula(body, inner)})"
    patterns = " ".join(
        f":pattern ({' '.join(formula(term, inner) for term in terms)})" for terms in triggers
    )
    declared = " ".join(f"({variable} Int)" for variable in variables)
    return f"(forall ({declared}) {f'(! {implication} {patterns})' if patterns else implication})"


def _scaled(text: str, factor: int) -> str:
    return text if factor == 1 else f"(* {number(factor)} {text})"


def _joined(operator: str, parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({operator} {' '.join(parts)})"
