"""z3 on SMT-LIB text. Loaded when a proof is asked for, so that nothing else needs z3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

INSTALL = "proofs need the solvers z3 and cvc5: pip install 'nram[prove]'"

EFFORT = 2_000_000
"""Steps of the solver for one question, about a second's; answers must not depend on load."""

TIMEOUT = 30.0
"""Seconds after which a question is given up in any case."""

OPTIONS = {"auto_config": False, "mbqi": False}
"""Quantifiers are instantiated by their triggers alone."""


class Questions:
    """Questions to z3 that share declarations.

    Args:
        declarations: SMT-LIB commands.
        seed: Seed of the solver's choices.

    Raises:
        ValueError: z3 is not installed.

    Example:
        >>> ask = Questions(["(declare-fun x () Int)"])
        >>> ask.follows(ask.parsed(["(< x 3)"]), ask.parsed(["(not (< x 4))"]))
        True
    """

    def __init__(self, declarations: Sequence[str], seed: int = 0) -> None:
        self._z3 = z3_module()
        self._context = self._z3.Context()
        self._declarations = "\n".join(declarations)
        self._seed = seed
        self.count = 0

    def parsed(self, formulas: Sequence[str], definitions: Sequence[str] = ()) -> list[Any]:
        """Formulas as z3 has them."""
        asserted = "\n".join(f"(assert {formula})" for formula in formulas)
        text = "\n".join([self._declarations, *definitions, asserted])
        found = list(self._z3.parse_smt2_string(text, ctx=self._context))
        assert len(found) == len(formulas)
        return found

    def follows(self, known: Sequence[Any], denied: Sequence[Any]) -> bool:
        """Whether it is certain that formulas cannot hold together with what is known."""
        solver = self.solver(known)
        solver.add(*denied)
        return self.is_impossible(solver)

    def solver(self, known: Sequence[Any]) -> Any:
        """A solver that knows some formulas."""
        solver = self._z3.SimpleSolver(ctx=self._context)
        solver.set(rlimit=EFFORT, timeout=int(1000 * TIMEOUT), random_seed=self._seed, **OPTIONS)
        solver.add(*known)
        return solver

    def is_impossible(self, solver: Any, *literals: Any) -> bool:
        """Whether what a solver knows is contradictory for certain."""
        self.count += 1
        return bool(solver.check(*literals) == self._z3.unsat)

    def any_of(self, formulas: Sequence[Any]) -> Any:
        """That one of the formulas holds."""
        return self._z3.Or(*formulas)

    def suspects(self, solver: Any, formulas: Sequence[Any]) -> list[int]:
        """Places of the formulas that hold in the model which the solver has in mind, if it has one."""
        try:
            model = solver.model()
            values = [model.eval(formula, model_completion=True) for formula in formulas]
        except self._z3.Z3Exception:
            return []
        return [place for place, value in enumerate(values) if self._z3.is_true(value)]

    def literals(self, count: int) -> list[Any]:
        """Fresh propositions."""
        return [self._z3.FreshBool("use", ctx=self._context) for _ in range(count)]

    def core(self, solver: Any, literals: Sequence[Any]) -> list[int]:
        """Places of the literals that the last contradiction needed."""
        needed = {literal.get_id() for literal in solver.unsat_core()}
        return [place for place, literal in enumerate(literals) if literal.get_id() in needed]

    def implied(self, literal: Any, formula: Any) -> Any:
        """That a formula holds if a literal does."""
        return self._z3.Implies(literal, formula)


def z3_module() -> Any:
    """z3, or a ValueError that says how to install it."""
    try:
        import z3
    except ImportError:
        raise ValueError(INSTALL) from None
    return z3
