"""What the tasks want, in terms, compared with their oracles, which know nothing of it."""

import subprocess
import sys
from dataclasses import replace
from itertools import islice, product

import numpy as np
import pytest

from docs import list_specs
from nram_env.tasks import get_task
from nram_env.tasks.check_spec import spec_disagreement
from nram_env.tasks.sizes import draw_range_plan
from nram_env.tasks.spec import Chosen, Defined, M, Recursive, TaskSpec, before, i, j, n
from nram_env.tasks.terms import Number, app, evaluate, free_names, variable
from tests.env.test_tasks import ALL, SMALL_SIZES

COMPLETE = [name for name in ALL if not get_task(name).spec.legal_ghosts]
"""Tasks whose legal memories can be told from the others by trying all parameters."""


def test_the_page_of_specifications_shows_them_as_they_are():
    assert list_specs.PAGE.read_text(encoding="utf-8") == list_specs.page(), "run docs/list_specs.py --write"


@pytest.mark.parametrize("name", ALL)
def test_a_specification_agrees_with_its_task_on_all_small_instances(name):
    task, count = get_task(name), 0
    for difficulty, memory_size in SMALL_SIZES[name]:
        for memory in islice(task.enumerate_instances(difficulty, memory_size), 1500):
            assert spec_disagreement(task, memory) is None, memory
            count += 1
    assert count > 100


@pytest.mark.parametrize("name", ALL)
def test_a_specification_agrees_with_its_task_on_random_instances(name):
    task, rng = get_task(name), np.random.default_rng(5)
    plan = draw_range_plan(task, rng, task.smallest_difficulty, 9, 200)
    for batch in plan.batches(task, rng):
        for memory, mask, target in zip(batch.memory.tolist(), batch.mask, batch.target, strict=True):
            assert spec_disagreement(task, memory) is None, memory
            cells = np.flatnonzero(mask).tolist()
            assert task.spec.oracle(memory) == dict(zip(cells, target[cells].tolist(), strict=True))


def of_legal_memories(spec):
    """The specification but for what is wanted, and for sequences that every legal memory has."""
    chosen = {ghost.name for ghost in spec.ghosts if isinstance(ghost, Chosen)}
    return replace(
        spec,
        lemmas=(),
        want=Number(0),
        horizon=Number(1),
        ghosts=tuple(ghost for ghost in spec.ghosts if ghost.name not in chosen),
        pre=tuple(fact for fact in spec.pre if not free_names(fact) & chosen),
    )


def meets(spec, memory):
    """Whether some parameters make a memory legal in the specification's eyes."""
    free = [name for name, term in spec.params.items() if term is None]
    return any(
        holds(replace(spec, witness=lambda _, found=found: dict(zip(free, found, strict=True))), memory)
        for found in product(range(len(memory)), repeat=len(free))
    )


def holds(spec, memory):
    try:
        values = spec.values(memory)
        return all(evaluate(fact, values) for fact in (*spec.axioms(), *spec.legal))
    except IndexError:
        return False


@pytest.mark.parametrize("name", COMPLETE)
def test_a_specification_and_its_task_call_the_same_memories_legal(name):
    """All memories of up to 4 cells, and legal ones with one or two cells changed."""
    task, rng = get_task(name), np.random.default_rng(3)
    spec = of_legal_memories(task.spec)
    memories = [list(memory) for size in range(5) for memory in product(range(size), repeat=size)]
    for _ in range(150):
        difficulty = task.smallest_difficulty + int(rng.integers(2))
        size = task.smallest_memory_size(difficulty) + int(rng.integers(2))
        memory = task.sample(rng, difficulty, size).memory[0].tolist()
        for cell in rng.integers(0, size, 2):
            memory[cell] = int(rng.integers(0, size))
        memories.append(memory)
    verdicts = [task.is_legal(memory) for memory in memories]
    assert [meets(spec, memory) for memory in memories] == verdicts
    assert 8 < sum(verdicts) < len(memories) - 8


def copy_spec(**changes):
    parts = {
        "params": {"n": before(0) - 1},
        "pre": (n >= 1, 2 * n + 1 <= M),
        "output": (n + 1, 2 * n + 1),
        "want": before(i - n),
        "horizon": n + 3,
    }
    return TaskSpec(**(parts | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pre": (variable("m") >= 1,)}, r"pre speaks of 'm' in 1 <= m; declared are \['M', 'before', 'n'\]"),
        ({"pre": (before(i) >= 1,)}, "pre speaks of 'i'"),
        ({"want": before(variable("j"))}, "want speaks of 'j'"),
        ({"output": (Number(0), variable("N"))}, "output speaks of 'N'"),
        ({"params": {}}, "params must have n, the difficulty"),
        ({"params": {"n": variable("k"), "k": before(0)}}, "params speaks of 'k' in k; declared are"),
        ({"ghosts": (Defined("value", before(variable("k")), n),)}, "ghosts speaks of 'k' in for all j"),
        ({"ghosts": (Recursive("node", n, app("next", j), n),)}, "ghosts speaks of 'next' in for all j"),
    ],
)
def test_a_name_that_nobody_declared_is_rejected(changes, message):
    with pytest.raises(ValueError, match=message):
        copy_spec(**changes)


def test_a_witness_gives_what_has_no_term():
    spec = copy_spec(params={"n": None})
    with pytest.raises(ValueError, match=r"the witness must give \['n'\], and nothing else, got \[\]"):
        spec.values([2, 1, 0])
    spec = replace(spec, witness=lambda memory: {"n": memory[0] - 1})
    assert spec.oracle((2, 1, 0)) == {2: 1}


def test_specifications_need_neither_solver_nor_torch():
    code = "import nram_env.tasks, sys; sys.exit(bool({'z3', 'cvc5', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
