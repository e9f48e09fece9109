"""The formulas of gates are the integer functions, for every M."""

from itertools import product

import pytest
import z3

from analysis.proofs.checking import ask_z3
from analysis.proofs.obligations import gate_obligations
from analysis.proofs.setting import Setting
from analysis.proofs.symbols import LARGEST_CONSTANT, constant_term, gate_term
from nram_env import get_task
from nram_env.machine import Gate, apply_gate
from tests.analysis.proofs.settings import one_edge

PURE = [gate for gate in Gate if gate not in (Gate.READ, Gate.WRITE)]
CONSTANTS = [-LARGEST_CONSTANT, -3, -2, -1, 0, 1, 2, 3, LARGEST_CONSTANT]


def value(term, **integers):
    """What a term without variables comes to, once they are filled in."""
    defined = [f"(define-fun {name} () Int {number})" for name, number in integers.items()]
    text = "\n".join([*defined, "(declare-fun result () Int)", f"(assert (= result {term}))"])
    solver = z3.Solver()
    solver.from_string(text)
    assert solver.check() == z3.sat
    return solver.model()[z3.Int("result")].as_long()


@pytest.mark.parametrize("gate", PURE, ids=lambda gate: gate.label)
def test_a_formula_has_the_value_of_its_gate_on_all_small_integers(gate):
    term = gate_term(gate, ["x", "y"][: gate.arity])
    for size in range(1, 6):
        for x, y in product(range(size), repeat=2):
            wanted = apply_gate(gate, [x, y][: gate.arity], [0] * size)
            assert value(term, M=size, x=x, y=y) == wanted, (size, x, y)


@pytest.mark.parametrize("constant", CONSTANTS)
def test_a_constant_is_taken_modulo_every_memory_size(constant):
    for size in (1, 2, 3, 7, 63, 64, 65, 1000):
        assert value(constant_term(constant), M=size) == constant % size


def test_a_constant_with_too_many_cases_is_refused():
    with pytest.raises(ValueError, match="holds the constant 65; proofs know constants of at most 64"):
        constant_term(65)


def test_every_gate_and_constant_stays_within_the_memory_size_whatever_it_is():
    program = one_edge(*PURE, constants=CONSTANTS)
    shown = list(gate_obligations(Setting(program, get_task("access"))))
    assert len(shown) == len(PURE) + len(CONSTANTS)
    for obligation in shown:
        assert ask_z3(obligation.script, 0, 10.0) == "unsat", obligation.name
