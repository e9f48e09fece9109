"""Terms read as formulas and as arrays have the values that Python gives them."""

from itertools import islice

import numpy as np
import pytest
import z3

from analysis.proofs.readings import formula, refutation
from analysis.proofs.runs import start_of
from nram_env import get_task
from nram_env.tasks import task_names
from nram_env.tasks.terms import ForAll, app, evaluate, forall, variable

TASKS = [*task_names()[:10], *task_names("NRAM-X")]


def instances(task):
    """Some of the smallest instances, and some that are none: with one cell too large by one."""
    n = task.smallest_difficulty + 1
    memories = [*islice(task.enumerate_instances(n, task.smallest_memory_size(n) + 1), 300)][::60]
    return [list(memory) for memory in memories]


def changed(values, rng):
    """The same values after some cells were written."""
    memory = list(values["before"])
    for cell in rng.integers(0, len(memory), 2):
        memory[cell] = int(rng.integers(0, len(memory)))
    return {**values, "mem": memory}


def definitions(values):
    """SMT-LIB commands that define every name of a situation."""
    for name, value in values.items():
        if isinstance(value, int):
            yield f"(define-fun {name} () Int {value})"
        else:
            body = "0"
            for index, entry in enumerate(value):
                body = f"(ite (= c {index}) {entry} {body})"
            yield f"(define-fun {name} ((c Int)) Int {body})"


def is_true(values, text):
    """Whether a formula holds in a situation, by z3."""
    solver = z3.Solver()
    solver.from_string("\n".join([*definitions(values), f"(assert {text})"]))
    answer = solver.check()
    assert answer in (z3.sat, z3.unsat)
    return answer == z3.sat


@pytest.mark.parametrize("name", TASKS)
def test_the_readings_agree_on_what_a_task_wants_and_gives(name):
    task, rng = get_task(name), np.random.default_rng(0)
    facts = [*task.spec.axioms(), task.spec.post()]
    for memory in instances(task):
        values = changed(task.spec.values(memory), rng)
        rows = start_of(task.spec, [memory]).chosen(np.array([0]))
        rows.functions["mem"][:] = values["mem"]
        for fact in facts:
            wanted = evaluate(fact, values)
            assert rows.holds(fact) == wanted, fact
            plain = {
                key: value
                for key, value in values.items()
                if key in (*task.spec.params, "M", "before", "mem")
            }
            ghosts = {ghost.name: values[ghost.name] for ghost in task.spec.ghosts}
            assert is_true({**plain, **ghosts}, formula(fact, {})) == wanted, fact


def test_a_refutation_names_the_first_places_where_a_fact_fails():
    fact = forall("i", 0, variable("n"), forall("j", variable("i"), 2, app("mem", variable("j")) >= 1))
    constants, text = refutation(fact, {"mem": "after"})
    assert isinstance(fact, ForAll)
    assert constants == ["at.i", "at.j"]
    assert text == "(and (<= 0 at.i) (< at.i n) (<= at.i at.j) (< at.j 2) (not (<= 1 (after at.j))))"
