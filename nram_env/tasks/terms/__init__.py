"""Terms: a small language in which a task says what it wants, once, to be read in several ways.

A term is an integer, a fact is true or false; both are trees of the frozen dataclasses of `nodes`, and of no
others, so that a reader may go through them by type. Two readings are here, the value in Python (`evaluate`)
and the text (`text`); a proof adds a third, formulas for a solver.

Example:
    >>> from nram_env.tasks.terms import app, evaluate, forall, text, variable
    >>> n, i = variable("n"), variable("i")
    >>> rest = forall("i", n + 1, variable("M"), app("before", i).equals(0), app("before", i))
    >>> text(rest)
    'for all i in n + 1..M - 1: before[i] = 0'
    >>> evaluate(rest, {"n": 1, "M": 4, "before": [2, 7, 0, 0]})
    True
"""

from nram_env.tasks.terms.build import (
    FALSE,
    TRUE,
    all_of,
    any_of,
    app,
    between,
    choose,
    exists,
    forall,
    implies,
    variable,
)
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
    free_names,
    subterms,
    term_of,
)
from nram_env.tasks.terms.values import Values, compiled, evaluate
from nram_env.tasks.terms.words import text

__all__ = [
    "FALSE",
    "TRUE",
    "And",
    "Apply",
    "Choice",
    "Compare",
    "Fact",
    "ForAll",
    "Implies",
    "Not",
    "Number",
    "Or",
    "Sum",
    "Term",
    "Values",
    "Variable",
    "all_of",
    "any_of",
    "app",
    "between",
    "choose",
    "compiled",
    "evaluate",
    "exists",
    "forall",
    "free_names",
    "implies",
    "subterms",
    "term_of",
    "text",
    "variable",
]
