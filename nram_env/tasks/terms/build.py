"""Short ways to write terms and facts down."""

from __future__ import annotations

from nram_env.tasks.terms.nodes import (
    And,
    Apply,
    Choice,
    Fact,
    ForAll,
    Implies,
    Not,
    Or,
    Term,
    Variable,
    term_of,
)

TRUE, FALSE = And(()), Or(())


def variable(name: str) -> Variable:
    """The integer of this name."""
    return Variable(name)


def app(function: str, index: Term | int) -> Apply:
    """The entry of a function at an index."""
    return Apply(function, term_of(index))


def choose(condition: Fact, then: Term | int, otherwise: Term | int) -> Choice:
    """One of two terms."""
    return Choice(condition, term_of(then), term_of(otherwise))


def all_of(*facts: Fact) -> Fact:
    """That all facts hold; one fact alone is that fact."""
    flat = [part for fact in facts for part in (fact.facts if isinstance(fact, And) else (fact,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(*facts: Fact) -> Fact:
    """That one of the facts holds; one fact alone is that fact."""
    flat = [part for fact in facts for part in (fact.facts if isinstance(fact, Or) else (fact,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def implies(condition: Fact, conclusion: Fact) -> Implies:
    """That the second fact holds where the first does."""
    return Implies(condition, conclusion)


def between(low: Term | int, term: Term, high: Term | int) -> Fact:
    """That low <= term <= high."""
    return all_of(low <= term, term <= high)


def exists(name: str, low: Term | int, high: Term | int, body: Fact) -> Fact:
    """That a fact holds for some integer from `low` to `high` - 1."""
    return Not(forall(name, low, high, Not(body)))


def forall(
    name: str, low: Term | int, high: Term | int, body: Fact, *triggers: Term | tuple[Term, ...]
) -> ForAll:
    """That a fact holds from `low` to `high` - 1; a trigger is a term or several that occur together."""
    together = tuple(trigger if isinstance(trigger, tuple) else (trigger,) for trigger in triggers)
    return ForAll(name, term_of(low), term_of(high), body, together)
