"""Device samplers: what they draw is what the tasks' own samplers draw, and the host never waits for it."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from scipy.stats import chi2
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)

from agents.device.chance import chance
from agents.device.samplers import has_sampler, sample, sample_easy
from nram_env.tasks import Task, TaskBatch, get_task, instance_of
from nram_env.tasks.access import Access
from nram_env.tasks.copy import Copy
from tests.agents.device.draws import DRAWS, EASY, NAMES, assert_answered, drawn
from tests.custom_task import Fill

LEAST_CHANCE = 1e-3
"""That numbers this far apart are of one distribution; seeds are fixed."""
CLASSES = 1009
"""A prime; numbers are told apart by their remainders, so that there are not too many for 20,000 samples."""


def drawn_by_numpy(name: str, easy: bool, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
    task, rng = get_task(name), np.random.default_rng(0)
    return (task.sample_easy if easy else task.sample)(rng, difficulty, memory_size)


def sizes(task: Task) -> Iterator[tuple[np.ndarray, int, int]]:
    """Difficulties, M and a spare in the bound on n: single and mixed sizes, M as small as may be or not."""
    low = task.smallest_difficulty
    for high in (low, low + 1, low + 2, low + 6, low + 15):
        mixed = np.resize(np.arange(low, high + 1), 80)
        for slack in (0, 1, 2, 17):
            yield mixed, task.smallest_memory_size(high) + slack, 0
        yield np.full(20, high), task.smallest_memory_size(high), 0
        yield mixed, task.smallest_memory_size(high + 3) + 1, 3


@pytest.mark.parametrize(("name", "easy"), DRAWS)
def test_the_oracle_answers_every_example_as_the_sampler_does(name, easy):
    for difficulty, memory_size, spare in sizes(get_task(name)):
        batch = drawn(name, easy, difficulty, memory_size, spare=spare)
        assert_answered(name, batch)
        assert np.array_equal(batch.difficulty.numpy(), difficulty)


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_legal_and_has_numpy_s_output_cells(name):
    task = get_task(name)
    for difficulty, memory_size, spare in sizes(task):
        batch = drawn(name, False, difficulty, memory_size, spare=spare)
        legal = instance_of(task, batch.memory.tolist())
        plain = drawn_by_numpy(name, False, difficulty, memory_size)
        assert np.array_equal(batch.target.numpy(), legal.target)
        assert np.array_equal(batch.mask.numpy(), plain.mask)


def unlikeness(first: np.ndarray, second: np.ndarray) -> float:
    """How likely two as long samples of integers are at least this unlike, if of one distribution.

    The chi-squared test of two histograms of remainders. What occurs fewer than 20 times in both is taken
    together, and may be no more than half.
    """
    _, both = np.unique(np.concatenate([first, second]) % CLASSES, return_inverse=True)
    counts = np.stack([np.bincount(part, minlength=both.max() + 1) for part in np.split(both, 2)])
    rare = counts.sum(0) < 20
    assert counts[:, rare].sum() <= counts.sum() / 2
    counts = np.concatenate([counts[:, ~rare], counts[:, rare].sum(1, keepdims=True)], axis=1)
    counts = counts[:, counts.sum(0) > 0]
    distance = ((counts[0] - counts[1]) ** 2 / counts.sum(0)).sum()
    return 1.0 if counts.shape[1] == 1 else float(chi2.sf(distance, counts.shape[1] - 1))


def codes(memory: np.ndarray, memory_size: int) -> np.ndarray:
    """Every row of integers 0..M-1 as one integer; they have to be few enough."""
    assert memory_size ** memory.shape[1] < 2**63
    return memory @ memory_size ** np.arange(memory.shape[1])


@pytest.mark.parametrize(("name", "easy"), DRAWS)
@pytest.mark.parametrize("slack", [0, 1])
def test_small_instances_are_as_frequent_as_numpy_s(name, easy, slack):
    """Whole memories, of the smallest n and the next in one batch."""
    task = get_task(name)
    low = task.smallest_difficulty
    difficulty = np.resize([low, low + 1], 200_000)
    memory_size = task.smallest_memory_size(low + 1) + slack
    memories = (
        np.asarray(draw(name, easy, difficulty, memory_size).memory) for draw in (drawn, drawn_by_numpy)
    )
    assert unlikeness(*(codes(memory, memory_size) for memory in memories)) > LEAST_CHANCE


@pytest.mark.parametrize(("name", "easy"), DRAWS)
def test_larger_instances_have_numpy_s_cells_and_pairs_of_cells(name, easy):
    """Every cell, and every cell with the next one and with the one named by what it holds."""
    task = get_task(name)
    difficulty = np.resize(np.arange(task.smallest_difficulty, task.smallest_difficulty + 6), 20_000)
    memory_size = task.smallest_memory_size(int(difficulty.max())) + 3
    samples = [
        np.asarray(draw(name, easy, difficulty, memory_size).memory) for draw in (drawn, drawn_by_numpy)
    ]
    assert unlikeness_of_cells(*samples) > LEAST_CHANCE


def unlikeness_of_cells(first: np.ndarray, second: np.ndarray) -> float:
    """As `unlikeness`, at most: of single cells, and pairs of them, of memories (B, M)."""
    size, chances = first.shape[1], []
    for other in (np.zeros_like, lambda memory: np.roll(memory, -1, 1), pointed_at):
        pairs = [memory * size + other(memory) for memory in (first, second)]
        chances += [unlikeness(*(pair[:, cell] for pair in pairs)) for cell in range(size)]
    return min(chances) * len(chances)


def pointed_at(memory: np.ndarray) -> np.ndarray:
    return np.take_along_axis(memory, memory, 1)


@pytest.mark.parametrize("easy", [False, True])
def test_trees_have_numpy_s_shapes_and_paths(easy):
    """Of ten nodes, where numpy goes down level by level: the path, and the depths in the order of values."""
    difficulty, memory_size = np.full(40_000, 10), get_task("walkbst").smallest_memory_size(10)
    found = [
        np.asarray(draw("walkbst", easy, difficulty, memory_size).memory) for draw in (drawn, drawn_by_numpy)
    ]
    steps = [memory[:, 2:12] * (memory[:, 2:12] > 0).cumprod(1) for memory in found]
    paths = [codes(path, 3) for path in steps]
    assert unlikeness(*paths) > LEAST_CHANCE
    depths = [node_depths(memory) for memory in found]
    assert unlikeness(*(codes(depth[:, :5], 11) for depth in depths)) > LEAST_CHANCE
    assert unlikeness(*(codes(depth[:, 3:8], 11) for depth in depths)) > LEAST_CHANCE
    assert unlikeness(*(depth.sum(1) for depth in depths)) > LEAST_CHANCE


def node_depths(memory: np.ndarray, nodes: int = 10) -> np.ndarray:
    """Depths (B, n) of the trees' nodes by rising value."""
    rows, level = np.arange(len(memory))[:, None], memory[:, :1]
    values, depths = [], []
    for depth in range(nodes):
        values.append(np.where(level > 0, memory[rows, level], memory.shape[1]))
        depths.append(np.full(level.shape, depth))
        below = np.concatenate([memory[rows, level + side] * (level > 0) for side in (1, 2)], axis=1)
        level = -np.sort(-below, axis=1)[:, :nodes]
    order = np.concatenate(values, axis=1).argsort(1)[:, :nodes]
    return np.take_along_axis(np.concatenate(depths, axis=1), order, 1)


@pytest.mark.parametrize("name", EASY)
def test_the_comparison_tells_distributions_apart(name):
    difficulty, size = np.full(20_000, 8), get_task(name).smallest_memory_size(8)
    plain, easy = (drawn(name, kind, difficulty, size).memory.numpy() for kind in (False, True))
    assert unlikeness_of_cells(plain, easy) < 1e-9


@pytest.mark.parametrize(("name", "easy"), DRAWS)
def test_a_seed_gives_one_batch_and_another_seed_another(name, easy):
    task = get_task(name)
    difficulty = np.resize(np.arange(4, 8), 64)
    first, again, other = (
        drawn(name, easy, difficulty, task.smallest_memory_size(7) + 2, seed) for seed in (0, 0, 1)
    )
    assert all(value.equal(vars(again)[key]) for key, value in vars(first).items())
    assert not first.memory.equal(other.memory)


@pytest.mark.parametrize(("name", "easy"), DRAWS)
def test_nothing_is_drawn_elsewhere_than_asked_for_nor_waited_for(name, easy):
    """Tensors without numbers: whatever needs numbers, or another device, is refused."""
    task, sampler = get_task(name), sample_easy if easy else sample
    size = task.smallest_memory_size(7)
    with FakeTensorMode(allow_non_fake_inputs=False):
        n = torch.full((9,), 5, dtype=torch.int64, device="meta")
        batch = sampler(task, chance("cpu", 0, 0), n, 7, size)
    for key, kind in (("memory", torch.int64), ("target", torch.int64), ("mask", torch.bool)):
        tensor = vars(batch)[key]
        assert (tensor.device.type, tensor.dtype) == ("meta", kind)
        assert tensor.shape == (9, size)
        assert tensor.is_contiguous()
    assert batch.difficulty is n


@pytest.mark.parametrize(
    "wait",
    [
        lambda n: n.max().item(),
        lambda n: n.tolist(),
        lambda n: n.nonzero(),
        lambda n: n[n > 0],
        lambda n: bool((n > 0).all()),
        lambda n: torch.arange(9, dtype=torch.int64, device="cpu") + n,
    ],
)
def test_what_would_wait_is_refused_there(wait):
    refusals = (DataDependentOutputException, DynamicOutputShapeException, RuntimeError)
    with FakeTensorMode(allow_non_fake_inputs=False):
        n = torch.full((9,), 5, dtype=torch.int64, device="meta")
        with pytest.raises(refusals):
            wait(n)


@pytest.mark.parametrize(("name", "easy"), DRAWS)
def test_the_state_of_torch_changes_nothing(name, easy):
    task = get_task(name)
    difficulty = np.resize(np.arange(4, 8), 64)
    size = task.smallest_memory_size(7)
    usual = drawn(name, easy, difficulty, size)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float16)
    try:
        with torch.device("meta"), torch.autocast("cpu", torch.bfloat16):
            other = drawn(name, easy, difficulty, size)
    finally:
        torch.set_default_dtype(before)
    assert all(value.equal(vars(other)[key]) for key, value in vars(usual).items())


class Duplicate(Copy):
    """A task of one's own that draws otherwise than the one that it is made from."""

    name, title = "duplicate", "Duplicate"

    def draw(self, rng, difficulty, memory_size):
        return super().draw(rng, np.ones_like(difficulty), memory_size)


def test_only_the_paper_s_own_tasks_have_samplers():
    assert all(has_sampler(get_task(name)) for name in NAMES)
    for task in (Duplicate(), Fill()):
        assert not has_sampler(task)
        with pytest.raises(
            ValueError, match=f"task {task.name} of .* has no device sampler; these do: access"
        ):
            sample(task, chance("cpu", 0, 0), torch.tensor([2]), 2, 9)


def test_every_task_with_easy_examples_can_draw_them():
    assert [name for name in NAMES if get_task(name).has_easy_examples] == EASY
    with pytest.raises(ValueError, match="task access has no easy examples"):
        sample_easy(Access(), chance("cpu", 0, 0), torch.tensor([2]), 2, 9)


@pytest.mark.parametrize(
    ("difficulty", "largest", "memory_size", "words"),
    [
        (torch.tensor([2]), 4, 5, r"difficulty 4 needs memory_size >= 6, got 5"),
        (torch.tensor([2]), 0, 9, r"difficulty of task access must be at least 1, got 0"),
        (torch.tensor([2.0]), 2, 9, r"\(N,\) int64, N at least 1, got torch.float32 \(1,\)"),
        (torch.tensor([[2]]), 2, 9, r"got torch.int64 \(1, 1\)"),
        (torch.tensor([], dtype=torch.int64), 2, 9, r"got torch.int64 \(0,\)"),
    ],
)
def test_a_malformed_request_is_refused(difficulty, largest, memory_size, words):
    with pytest.raises(ValueError, match=words):
        sample(Access(), chance("cpu", 0, 0), difficulty, largest, memory_size)
