"""The tasks: samplers, oracles, enumerators, checks."""

import json
from math import comb, factorial, perm
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nram_env.tasks import get_task, instance_of, task_names
from tests.env import further

NAMES = (
    "access", "increment", "copy", "reverse", "swap",
    "permutation", "listk", "listsearch", "merge", "walkbst",
)  # fmt: skip

ALL = NAMES + further.FURTHER

COUNTS = further.COUNTS | {
    "access": lambda n, m: n * (m - 1) ** n,
    "increment": lambda n, m: (m - 1) ** n,
    "copy": lambda n, m: m**n,
    "reverse": lambda n, m: m**n,
    "swap": lambda n, m: n**2 * m ** (n - 1) * (m - 1),
    "permutation": lambda n, m: factorial(n) * m**n,
    "listk": lambda n, m: n * perm(m - 3 - n, n) * m ** (m - 3 - n),
    "listsearch": lambda n, m: (
        perm(m - 3 - n, n) * m ** (m - 3 - 2 * n) * m * (m**n - (m - 1) ** n)
    ),
    "merge": lambda n, m: sum(comb(m - 2 + a, a) * comb(m - 2 + n - a, n - a) for a in range(1, n)),
    "walkbst": lambda n, m: comb(m, n) * sum(
        2**k * (k + 2) * comb(2 * n - k, n - k - 1) // (2 * n - k) * perm(m - 3 - k - 2 * n, n)
        for k in range(n)
    ),
}  # fmt: skip

SMALL_SIZES = further.SMALL_SIZES | {
    "access": [(1, 3), (2, 4), (3, 5), (2, 7)],
    "increment": [(1, 2), (2, 3), (3, 6)],
    "copy": [(1, 3), (2, 5), (3, 7), (2, 8)],
    "reverse": [(1, 3), (2, 5), (3, 7), (2, 8)],
    "swap": [(1, 4), (2, 5), (3, 6), (2, 8)],
    "permutation": [(1, 3), (2, 5), (3, 7), (2, 8)],
    "listk": [(1, 5), (1, 6), (2, 7), (2, 8)],
    "listsearch": [(1, 5), (1, 6), (2, 7), (2, 8)],
    "merge": [(2, 9), (3, 11), (2, 11)],
    "walkbst": [(1, 6), (1, 8), (2, 10), (2, 12)],
}


def test_the_papers_ten_tasks_come_first():
    assert task_names()[:10] == NAMES
    assert set(task_names("NRAM")) >= set(NAMES)
    assert not set(task_names("NRAM")) & set(further.FURTHER)


SAMPLERS = [
    pytest.param(name, sampler, id=f"{name}-{sampler}")
    for name in ALL
    for sampler in ("sample", "sample_easy")
    if sampler == "sample" or get_task(name).has_easy_examples
]


@pytest.mark.parametrize(("name", "sampler"), SAMPLERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), batch_size=st.integers(1, 8))
def test_the_oracle_equals_the_samplers_answer(name, sampler, data, seed, batch_size):
    task = get_task(name)
    difficulty = data.draw(
        st.lists(st.integers(task.smallest_difficulty, 12), min_size=batch_size, max_size=batch_size)
    )
    memory_size = task.smallest_memory_size(max(difficulty)) + data.draw(st.integers(0, 20))
    batch = getattr(task, sampler)(np.random.default_rng(seed), difficulty, memory_size)
    for row, memory in enumerate(batch.memory.tolist()):
        answer, cells = task.oracle(memory), np.flatnonzero(batch.mask[row])
        assert sorted(answer) == cells.tolist()
        wanted = [answer.get(cell, value) for cell, value in enumerate(memory)]
        assert batch.target[row].tolist() == wanted
        assert task.difficulty_of(memory) == difficulty[row]
    if sampler == "sample":
        assert np.array_equal(instance_of(task, batch.memory).target, batch.target)
    assert batch.difficulty.tolist() == difficulty


@pytest.mark.parametrize("name", ALL)
def test_every_enumerated_instance_is_legal_and_comes_once(name):
    task = get_task(name)
    for difficulty, memory_size in SMALL_SIZES[name]:
        memories = list(task.enumerate_instances(difficulty, memory_size))
        assert len(memories) == COUNTS[name](difficulty, memory_size)
        assert len(set(memories)) == len(memories)
        assert {task.difficulty_of(memory) for memory in memories} == {difficulty}
        for memory in memories[:: 1 + len(memories) // 500]:
            task.check_memory(memory)


@pytest.mark.parametrize("name", ALL)
def test_the_sampler_reaches_every_enumerated_instance_and_no_other(name):
    task = get_task(name)
    difficulty, memory_size = SMALL_SIZES[name][0] if name != "merge" else (2, 9)
    expected = set(task.enumerate_instances(difficulty, memory_size))
    batch = task.sample(np.random.default_rng(0), difficulty, memory_size, 40 * len(expected))
    assert {tuple(row) for row in batch.memory.tolist()} == expected


@pytest.mark.parametrize("name", ["listk", "walkbst", "permutation"])
def test_the_sampler_reaches_every_arrangement_of_two(name):
    task = get_task(name)
    memory_size = task.smallest_memory_size(2)
    batch = task.sample(np.random.default_rng(0), 2, memory_size, 40_000)
    expected = set(task.enumerate_instances(2, memory_size))
    assert {tuple(row) for row in batch.memory.tolist()} == expected


@pytest.mark.parametrize("name", ALL)
def test_a_memory_size_or_difficulty_below_the_smallest_is_rejected(name):
    task, rng = get_task(name), np.random.default_rng(0)
    needed = task.smallest_memory_size(6)
    with pytest.raises(ValueError, match=f"task {name} at difficulty 6 needs memory_size >= {needed}, got"):
        task.sample(rng, 6, needed - 1)
    with pytest.raises(ValueError, match=f"at least {task.smallest_difficulty}, got 0"):
        task.sample(rng, [6, 0], 50)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"difficulty": 2.5}, "difficulty must be an integer"),
        ({"difficulty": []}, "difficulty must be an integer"),
        ({"difficulty": [[3]]}, "difficulty must be an integer"),
        ({"difficulty": True}, "difficulty must be an integer"),
        ({"memory_size": 9.0}, "memory_size must be an integer, got 9.0"),
        ({"memory_size": True}, "memory_size must be an integer, got True"),
        ({"difficulty": [1, 2], "batch_size": 3}, "batch_size is 3, but 2 difficulties were given"),
    ],
)
def test_a_request_of_the_wrong_type_is_rejected(request_, message):
    with pytest.raises(ValueError, match=message):
        get_task("copy").sample(np.random.default_rng(0), **{"difficulty": 3, "memory_size": 9} | request_)


@pytest.mark.parametrize(
    ("name", "memory", "message"),
    [
        ("access", [1, 4, 0, 0], "cell 1 holds 4, but must hold an integer in 0..3"),
        ("access", [1, 0, 0, 0], "cell 1 holds 0"),
        ("access", [3, 1, 2, 0], r"cell 0 holds 3, but must hold an address in 1..2"),
        ("access", [1, 1, 2, 3], "cell 3 holds 3, but must hold 0"),
        ("access", [1, 1, 0, 3], "cell 3 holds 3, but must hold 0"),
        ("increment", [0, 1, 2, 0], "cell 0 holds 0"),
        ("increment", [1, 1, 2, 3], "cell 3 holds 3, but must hold 0"),
        ("increment", [1, 0, 2, 0], "cell 2 holds 2, but must hold 0"),
        ("copy", [1, 0, 0, 0, 0], "cell 0 holds 1, but must hold p"),
        ("copy", [4, 0, 0, 0, 0], "needs cells 0..6, M is 5"),
        ("reverse", [3, 1, 1, 1, 0], "cell 3 holds 1, but must hold 0"),
        ("swap", [2, 4, 1, 1, 0], "cell 1 holds 4, but must hold an address in 2..3"),
        ("swap", [2, 2, 0, 0, 0], "cell 2 holds 0"),
        ("swap", [2, 2, 1, 1, 1], "cell 4 holds 1, but must hold 0"),
        ("permutation", [3, 0, 2, 4, 4], "cell 2 holds 2, but must hold one of 0..1"),
        ("permutation", [3, 1, 1, 4, 4], "cell 2 holds 1, but must hold one of 0..1"),
        ("permutation", [2, 0, 1, 4, 4], "cell 3 holds 4, but must hold 0"),
        ("listk", [0, 0, 0, 0, 1], "cell 0 holds 0, but must hold the address"),
        ("listk", [3, 1, 0, 0, 1], "cell 1 holds 1, but must hold a number of hops in 0..0"),
        ("listk", [3, 0, 1, 0, 1], "cell 2 holds 1, but must hold 0"),
        ("listk", [3, 0, 0, 3, 1, 1, 1], "cell 3 holds 3, but must hold the address of a new node"),
        ("listk", [3, 0, 0, 4, 1, 1, 1], "cell 3 holds 4, but must hold the address of a new node"),
        ("listk", [3, 0, 0, 6, 1, 1, 1], "cell 3 holds 6, but must hold the address of a new node"),
        ("listsearch", [3, 2, 0, 0, 1], r"cell 1 holds 2, but must hold one of the nodes' values \[1\]"),
        ("merge", [2, 5, 7, 1, 8, 1, 8, 0, 0], "cell 0 holds 2, but must hold a = 3"),
        ("merge", [3, 4, 7, 8, 1, 1, 8, 0, 0], "cell 1 holds 4"),
        ("merge", [3, 5, 6, 1, 8, 8, 0, 0, 0], "cell 2 holds 6"),
        ("merge", [3, 5, 8, 1, 8, 1, 1, 8, 0], "needs cells 0..10, M is 9"),
        ("merge", [3, 5, 7, 8, 8, 1, 8, 0, 0], "cell 3 holds 8, but must hold a value in 0..7"),
        ("merge", [3, 5, 7, 1, 0, 1, 8, 0, 0], "cell 4 holds 0, but must hold the guard 8"),
        ("merge", [3, 6, 8, 2, 1, 10, 1, 10, 0, 0, 0], "cell 4 holds 1, but must hold at least 2"),
        ("merge", [3, 5, 7, 1, 8, 1, 8, 0, 1], "cell 8 holds 1, but must hold 0"),
        ("walkbst", [3, 1, 0, 5, 0, 0], "cell 1 holds 1, but must hold 0"),
        ("walkbst", [3, 0, 3, 5, 0, 0], "cell 2 holds 3, but must hold 1 .left., 2 .right. or NULL"),
        ("walkbst", [3, 0, 1, 1, 1, 1], "cell 5 holds 1, but must hold a node"),
        ("walkbst", [2, 0, 0, 5, 0, 0], "cell 0 holds 2, but must hold the address of a new node in 3..3"),
        ("walkbst", [4, 0, 1, 0, 5, 0, 0], "cell 2 holds 1, but must hold a step to a child that is there"),
        ("walkbst", [3, 0, 0, 5, 0, 0, 1], "cell 6 holds 1, but must hold 0"),
        ("walkbst", [3, 0, 0, 4, 6, 0, 5, 0, 0, 0], "cell 6 holds 5, but must hold a value in 0..3"),
        ("x-max", [0, 1, 2], "cell 2 holds 2, but must hold 0 where no earlier cell ends the array"),
        ("x-max", [0, 0, 2], r"cell 1 holds 0, but must hold a value in 1..2"),
        ("x-max", [1, 1, 0], "cell 0 holds 1, but must hold slot, the place of the output: 0"),
        ("x-max", [0, 1, 0, 1], "cell 3 holds 1, but must hold 0"),
        ("x-find", [2, 1, 0, 0], r"cell 0 holds 2, but must hold one of the elements \[1\]"),
        ("x-rotate", [2, 0, 0, 0], "cell 0 holds 2, but must hold an address of 3 or more"),
        ("x-rotate", [3, 1, 0, 0], "cell 1 holds 1, but must hold k, .*: 0"),
        ("x-rotate", [4, 2, 1, 1, 0, 0], "cell 1 holds 2, but must hold k, .*: one of 0..1"),
        ("x-rotate", [4, 1, 1, 1, 0], "needs cells 0..5, M is 5"),
        ("x-insert", [1, 2, 1, 0], "cell 2 holds 1, but must hold at least 2, as cell 1"),
        ("x-listlength", [3, 1, 0, 0, 1], "cell 1 holds 1, but must hold 0"),
        (
            "walkbst",
            [3, 0, 0, 4, 3, 0, 5, 0, 0, 0],
            "cell 4 holds 3, but must hold the address of a new node",
        ),
    ],
)
def test_a_malformed_memory_is_rejected_with_the_cell(name, memory, message):
    with pytest.raises(ValueError, match=f"example 0: task {name}: .*{message}"):
        instance_of(get_task(name), [memory])


@pytest.mark.parametrize("memories", [[], [[1, 1, 0], [1, 1, 0, 0]]])
def test_memories_must_have_one_size(memories):
    with pytest.raises(ValueError, match="expected memories of one size, got sizes"):
        instance_of(get_task("access"), memories)


@pytest.mark.parametrize("value", [1.0, "1", None, True])
def test_a_cell_that_holds_no_integer_is_rejected(value):
    with pytest.raises(ValueError, match="cell 1 holds"):
        instance_of(get_task("access"), [[1, value, 0]])


@pytest.mark.parametrize("name", ["access", "increment", "copy", "reverse", "swap"])
def test_the_papers_own_examples_are_legal_and_solved_as_in_its_tables(name):
    rows = json.loads(Path("tests/data/paper_traces.json").read_text())["tables"][name]["rows"]
    batch = instance_of(get_task(name), [rows[0]["memory"]])
    assert np.array(rows[-1]["memory"])[batch.mask[0]].tolist() == batch.target[batch.mask].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_zero_and_the_largest_legal_value_occur(name):
    task = get_task(name)
    memory_size = task.smallest_memory_size(3)
    batch = task.sample(np.random.default_rng(0), 3, memory_size, 500)
    assert batch.memory.max() == memory_size - 1
    assert batch.target[batch.mask].min() == (1 if name == "access" else 3 if name == "listsearch" else 0)


@pytest.mark.parametrize(
    ("name", "measure", "wanted"),
    [
        ("x-find", lambda memory, answer: answer[0], {1, 2, 3, 4, 5}),
        ("x-count", lambda memory, answer: answer[0], {0, 1, 2, 3, 4, 5}),
        ("x-replace", lambda memory, answer: memory[2:].count(memory[0]), {0, 1, 2, 3, 4, 5}),
        ("x-dedup", lambda memory, answer: list(answer.values()).count(0), {0, 1, 2, 3, 4}),
        ("x-removezeros", lambda memory, answer: list(answer.values()).count(0), {0, 1, 2, 3, 4, 5}),
        ("x-add", lambda memory, answer: list(answer.values()).count(0), {0, 1, 2}),
        ("x-rotate", lambda memory, answer: memory[1], {0, 1, 2, 3, 4}),
        ("x-contains", lambda memory, answer: memory[1:].count(memory[0]), {0, 1, 2, 3, 4, 5}),
        ("x-findlast", lambda memory, answer: memory[1:].count(memory[0]), {1, 2, 3, 4, 5}),
        ("x-findlast", lambda memory, answer: answer[0], {1, 2, 3, 4, 5}),
    ],
)
def test_what_matters_occurs_however_large_the_memory_is(name, measure, wanted):
    batch = get_task(name).sample(np.random.default_rng(0), 5, 100, 1000)
    answers = map(get_task(name).oracle, batch.memory.tolist())
    assert wanted <= {measure(*pair) for pair in zip(batch.memory.tolist(), answers, strict=True)}


def test_the_sums_of_differences_are_the_elements():
    batch = get_task("x-differences").sample(np.random.default_rng(0), 5, 9, 200)
    sums = batch.target.cumsum(axis=1) % 9
    assert np.array_equal(sums[batch.mask], batch.memory[batch.mask])


def test_the_nodes_of_a_list_lie_anywhere_and_the_cells_between_hold_random_values():
    task = get_task("listk")
    batch = task.sample(np.random.default_rng(0), 2, 12, 2000)
    assert set(batch.memory[:, 0].tolist()) == set(range(3, 11))
    assert all(len(set(batch.memory[:, cell].tolist())) == 12 for cell in range(3, 12))


def test_the_path_of_a_tree_ends_at_leaves_and_at_inner_nodes_of_every_depth():
    task = get_task("walkbst")
    batch = task.sample(np.random.default_rng(0), 4, 18, 3000)
    lengths = (np.cumprod(batch.memory[:, 2:] > 0, axis=1)).sum(1)
    assert set(lengths.tolist()) == {0, 1, 2, 3}


def test_easy_trees_are_balanced_or_chains():
    batch = get_task("walkbst").sample_easy(np.random.default_rng(0), [7] * 1000, 40)
    depths = (batch.memory[:, 2:] == 0).argmax(1)
    counts = np.bincount(depths, minlength=7)
    assert counts[:3].sum() > 600, "seven nodes in three rows, and the upper part of chains"
    assert (counts[3:] > 40).all(), "the lower part of chains"


def smallest_value(memory: list[int]) -> int:
    """The value of a search tree's leftmost node."""
    node = memory[0]
    while memory[node + 1]:
        node = memory[node + 1]
    return memory[node]


def test_half_of_the_easy_trees_are_made_to_hold_the_value_0():
    task, rng = get_task("walkbst"), np.random.default_rng(0)
    usual, easy = (draw(rng, [7] * 2000, 35).memory.tolist() for draw in (task.sample, task.sample_easy))
    shares = [np.mean([smallest_value(memory) == 0 for memory in memories]) for memories in (usual, easy)]
    assert np.allclose(shares, [0.2, 0.6], atol=0.04), (
        "without help seven values of 35 hold the 0 one time in five"
    )


def test_easy_merges_have_one_array_below_the_other_and_lie_anywhere():
    batch = get_task("merge").sample_easy(np.random.default_rng(0), [5] * 300, 20)
    first_is_lower, orders, gaps = set(), set(), set()
    for memory in batch.memory.tolist():
        a, b, o = memory[:3]
        first, second = (memory[start : memory.index(19, start)] for start in (a, b))
        assert first[-1] <= second[0] or second[-1] <= first[0]
        first_is_lower.add(first[-1] <= second[0])
        pieces = sorted([(a, len(first) + 1), (b, len(second) + 1), (o, 5)])
        orders.add([start for start, _ in pieces].index(o))
        ends = [3, *(start + length for start, length in pieces)]
        gaps |= {start - end for (start, _), end in zip(pieces, ends, strict=False)}
        assert ends[-1] <= 20
        assert min(gaps) >= 0
    assert first_is_lower == {True, False}
    assert orders == {0, 1, 2}
    assert gaps == set(range(6))


def test_rows_of_a_batch_are_a_batch():
    batch = get_task("copy").sample(np.random.default_rng(0), [1, 2, 3], 9)
    assert batch.rows(2).difficulty.tolist() == [3]
    assert batch.rows([0, 2]).memory.tolist() == batch.memory[[0, 2]].tolist()
    assert batch.rows(slice(1, 3)).batch_size == 2
    assert batch.rows(np.array([True, False, True])).difficulty.tolist() == [1, 3]


@pytest.mark.parametrize("name", ALL)
def test_a_memory_too_small_for_any_instance_is_rejected(name):
    task = get_task(name)
    needed = task.smallest_memory_size(task.smallest_difficulty)
    for size in range(needed):
        with pytest.raises(ValueError, match=f"needs cells 0..{needed - 1}, M is {size}"):
            task.check_memory([0] * size)
