"""Tasks of one's own: registration, and what check_task finds."""

import re
import runpy
from dataclasses import replace
from itertools import count
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from nram_env.tasks import Finding, TaskBatch, check_task, get_task, register_task, task_names
from nram_env.tasks.copy import Copy
from nram_env.tasks.spec import before, n
from tests.custom_task import Fill


@pytest.mark.parametrize("name", task_names("NRAM")[:10])
def test_nothing_is_wrong_with_the_papers_tasks(name):
    for seed in range(3):
        assert check_task(get_task(name), seed) == []


@pytest.mark.parametrize("name", task_names("NRAM-X"))
def test_nothing_is_wrong_with_the_further_tasks(name):
    assert check_task(get_task(name)) == []


def test_the_examples_task_is_sound_and_becomes_an_environment():
    assert check_task(Fill()) == []
    register_task(Fill())
    assert "fill" in task_names()
    env = gym.make("NRAM/Fill-v0")
    check_env(env.unwrapped)
    envs = gym.make_vec("NRAM/Fill-v0", num_envs=2, differentiable=True)
    assert envs.reset(seed=0)[0].shape == (2, 4)


def test_the_example_is_sound_and_says_so_where_nothing_was_proved(capsys, monkeypatch):
    found = runpy.run_path("examples/custom_task.py")
    assert check_task(found["Max"]()) == []
    monkeypatch.setattr("sys.argv", ["custom_task.py", "--seconds", "0"])
    assert found["main"]() == 1
    assert "no proved program" in capsys.readouterr().out


def test_the_task_in_the_docs_is_sound_and_its_specification_agrees():
    names = {}
    task, spec = re.findall(r"```python\n(.*?)```", Path("docs/tasks.md").read_text(), flags=re.DOTALL)
    exec(task.replace("register_task(Double())", "") + spec, names)
    names["Double"].spec = names["spec"]
    assert check_task(names["Double"]()) == []


def test_registering_a_task_again_is_fine_but_its_name_is_not_free_for_another():
    register_task(Fill())
    register_task(Fill())

    class Other(Fill):
        pass

    with pytest.raises(ValueError, match="task name 'fill' is taken by Fill"):
        register_task(Other())


def named(**attributes):
    return type("Other", (Fill,), attributes)()


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (named(name="Loud"), "lower case, got 'Loud'"),
        (named(name="../escaped", title="Escaped"), "got '../escaped'"),
        (named(name="other", title="Copy"), "task title 'Copy' is taken by Copy"),
        (named(name="other", title="A/B"), "letters, digits and _, got 'A/B'"),
        (named(name="other", title="Other", num_registers=0), "num_registers is an integer from 1 on, got 0"),
        (Fill, "an instance of a subclass of Task, as in"),
    ],
)
def test_what_cannot_be_registered_is_refused_and_leaves_nothing(task, message):
    before = task_names(), set(gym.registry)
    with pytest.raises(ValueError, match=message):
        register_task(task)
    assert (task_names(), set(gym.registry)) == before


@pytest.mark.parametrize("name", ["copy", "Copy", "COPY"])
def test_a_task_is_found_by_name_and_title(name):
    assert get_task(name).name == "copy"


@pytest.mark.parametrize("name", ["coppy", "", None, 3])
def test_an_unknown_task_is_named_with_all_valid_ones(name):
    with pytest.raises(ValueError, match=f"unknown task {name!r}.*Valid: access, increment, copy"):
        get_task(name)


class WrongTarget(Copy):
    def draw(self, rng, difficulty, memory_size):
        batch = super().draw(rng, difficulty, memory_size)
        return TaskBatch(batch.memory, np.roll(batch.target, 1, axis=1), batch.mask, difficulty)


class WrongMask(Copy):
    def draw(self, rng, difficulty, memory_size):
        batch = super().draw(rng, difficulty, memory_size)
        return TaskBatch(batch.memory, batch.target, np.roll(batch.mask, 1, axis=1), difficulty)


class WrongType(Copy):
    def draw(self, rng, difficulty, memory_size):
        batch = super().draw(rng, difficulty, memory_size)
        return TaskBatch(batch.memory, batch.target, batch.mask.astype(int), difficulty)


class TooSmall(Copy):
    def smallest_memory_size(self, difficulty):
        return 2 * difficulty


class FailsOnZeros(Copy):
    def oracle(self, memory):
        answer = super().oracle(memory)
        return {cell: 1 if not any(answer.values()) else value for cell, value in answer.items()}


class FailsOnTheLargestValue(Copy):
    def oracle(self, memory):
        if len(memory) - 1 in memory[1 : memory[0]]:
            raise IndexError("out of memory")
        return super().oracle(memory)


class Unsteady(Copy):
    calls = count()

    def draw(self, rng, difficulty, memory_size):
        return super().draw(np.random.default_rng(next(self.calls)), difficulty, memory_size)


class Constant(Copy):
    def draw(self, rng, difficulty, memory_size):
        return super().draw(np.random.default_rng(0), difficulty, memory_size)


class WrongDifficulty(Copy):
    def difficulty_of(self, memory):
        return memory[0]


class Lenient(Copy):
    def check_memory(self, memory):
        pass


class Shrinking(Copy):
    def smallest_memory_size(self, difficulty):
        return 30 - 2 * difficulty


class NoTime(Copy):
    def horizon(self, difficulty):
        return 0


class EnumeratesTwice(Copy):
    def enumerate_instances(self, difficulty, memory_size):
        yield from [(2, 0, 0), (2, 0, 0)]


class ReturnsNoBatch(Copy):
    def draw(self, rng, difficulty, memory_size):
        return super().draw(rng, difficulty, memory_size).memory


class ReturnsNoDict(Copy):
    def oracle(self, memory):
        return list(super().oracle(memory).items())


class HalfTimes(Copy):
    def horizon(self, difficulty):
        return difficulty / 2


class RefusesWithATypeError(Copy):
    def check_memory(self, memory):
        raise TypeError("no list")


class EnumeratesWhatItRefuses(Copy):
    def enumerate_instances(self, difficulty, memory_size):
        yield (2, 0, 9)


class EasyWithoutAnswer(Copy):
    def draw_easy(self, rng, difficulty, memory_size):
        batch = self.draw(rng, difficulty, memory_size)
        return TaskBatch(batch.memory, np.roll(batch.target, 1, axis=1), batch.mask, difficulty)


class WantsAnotherCell(Copy):
    spec = replace(Copy.spec, want=before(1))


class ExcludesZeros(Copy):
    spec = replace(Copy.spec, pre=(*Copy.spec.pre, before(1) >= 1))


class HurriesOnPaper(Copy):
    spec = replace(Copy.spec, horizon=n + 2)


class CountsOtherwise(Copy):
    spec = replace(Copy.spec, params={"n": before(0)})


class FindsNothing(Copy):
    spec = replace(Copy.spec, params={"n": None})


class SpecifiedInWords(Copy):
    spec = "copy it"


class Loud(Copy):
    name = "Loud"


class Untitled(Copy):
    title = "A title"


class FromNothing(Copy):
    smallest_difficulty = 0


DRAWN = ("draw", "oracle")
SPEC_RULE = "spec says what the task's methods say"


@pytest.mark.parametrize(
    ("task", "what", "why", "methods"),
    [
        (WrongTarget, "the target is the oracle's answer, and the memory elsewhere", "n = 1, M = 3", DRAWN),
        (WrongMask, "the mask marks the oracle's cells, one at least", "n = 1", DRAWN),
        (WrongType, "mask is (B, M) bool", "int64", ("draw",)),
        (
            TooSmall,
            "check_memory accepts what the sampler draws",
            "the instance needs cells 0..4, M is 4",
            ("check_memory", "draw"),
        ),
        (FailsOnZeros, "the target is the oracle's answer, and the memory elsewhere", "0", DRAWN),
        (
            FailsOnTheLargestValue,
            "oracle answers without an error",
            "IndexError: out of memory",
            ("oracle",),
        ),
        (Unsteady, "the same generator state gives the same batch", "seed 0 gave two batches", ("draw",)),
        (Constant, "the batch depends on the generator", "seeds 0 and 1 gave the same batch", ("draw",)),
        (WrongDifficulty, "difficulty_of reads n off the memory", "n = 1", ("difficulty_of",)),
        (
            Lenient,
            "check_memory rejects a value outside 0..M-1",
            "-1 in the last cell, M = 3",
            ("check_memory",),
        ),
        (
            Shrinking,
            "smallest_memory_size rises with n, from 2 at least",
            "[28, 26, 24, 22]",
            ("smallest_memory_size",),
        ),
        (NoTime, "horizon is at least 1", "[0, 0, 0, 0]", ("horizon",)),
        (HalfTimes, "horizon is an integer", "0.5", ("horizon",)),
        (
            EnumeratesTwice,
            "enumerate_instances yields each instance once",
            "(2, 0, 0)",
            ("enumerate_instances",),
        ),
        (
            EnumeratesWhatItRefuses,
            "check_memory accepts what enumerate_instances yields",
            "(2, 0, 9)",
            ("check_memory", "enumerate_instances"),
        ),
        (
            ReturnsNoBatch,
            "draw answers without an error",
            "draw must return a TaskBatch, got ndarray",
            ("draw",),
        ),
        (ReturnsNoDict, "oracle returns a dict of integers, cell: value", "[(2, ", ("oracle",)),
        (RefusesWithATypeError, "check_memory answers without an error", "no list", ("check_memory",)),
        (
            EasyWithoutAnswer,
            "the target is the oracle's answer, and the memory elsewhere",
            "n = 1",
            ("draw_easy", "oracle"),
        ),
        (
            WantsAnotherCell,
            SPEC_RULE,
            "memory [3, 2, 4, 0, 0]: want and output say {3: 2, 4: 2}, oracle says {3: 2, 4: 4}",
            ("spec",),
        ),
        (ExcludesZeros, SPEC_RULE, "memory [2, 0, 0]: the axioms exclude it: not 1 <= before[1]", ("spec",)),
        (HurriesOnPaper, SPEC_RULE, "horizon is 3, the task's is 4", ("spec",)),
        (CountsOtherwise, SPEC_RULE, "n is 2, difficulty_of says 1", ("spec",)),
        (FindsNothing, "spec answers without an error", "the witness must give ['n']", ("spec",)),
        (SpecifiedInWords, "spec is usable", "is a TaskSpec, or None, got 'copy it'", ("spec",)),
        (Loud, "name is usable", "lower case, got 'Loud'", ("name",)),
        (Untitled, "title is usable", "letters, digits and _, got 'A title'", ("title",)),
        (FromNothing, "smallest_difficulty is usable", "from 1 on, got 0", ("smallest_difficulty",)),
    ],
)
def test_check_task_finds_what_is_wrong_and_names_the_method_to_mend(task, what, why, methods):
    findings = {finding.what: finding for finding in check_task(task())}
    assert isinstance(findings[what], Finding)
    assert why in findings[what].why
    assert findings[what].methods == methods
    assert str(findings[what]).startswith(f"override or mend {methods[0]}")


def test_the_oracle_of_another_formula_is_caught_at_every_difficulty():
    class OffByOne(Copy):
        def oracle(self, memory):
            pointer = memory[0]
            return {pointer + i: memory[i] for i in range(1, pointer)}

    whats = [finding.what for finding in check_task(OffByOne())]
    assert "the mask marks the oracle's cells, one at least" in whats
    assert len(whats) == len(set(whats))
