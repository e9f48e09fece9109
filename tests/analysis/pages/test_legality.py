"""What the script of a report says of memories is what the tasks say, told by specifications as data."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

import analysis.pages
from analysis.pages.task_data import task_data
from nram_env.tasks import draw_plan, get_task, task_names
from tests.browser import program_or_skip

SCRIPT = Path(analysis.pages.__file__).parent / "assets" / "legality.js"
LIMIT = 60


def judged(data, memories):
    """What the script says of every memory."""
    ask = f"console.log(JSON.stringify({json.dumps(memories)}.map(judged)));"
    source = f'"use strict"; const data = {json.dumps({"task": data})};\n{SCRIPT.read_text()}\n{ask}'
    done = subprocess.run(
        [program_or_skip("node"), "-"], input=source, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def instances(task, rng):
    """Legal memories, each followed by some that differ from it in a cell or two."""
    sizes = [task.smallest_difficulty, task.smallest_difficulty + 2, 5]
    for batch in draw_plan(task, rng, sizes, 2).batches(task, rng):
        for memory in batch.memory:
            yield memory.tolist()
            for changes in (1, 1, 1, 2, 5):
                other = memory.copy()
                other[rng.integers(len(other), size=changes)] = rng.integers(len(other), size=changes)
                yield other.tolist()


@pytest.mark.parametrize("name", [*task_names()[:10], *task_names("NRAM-X")])
def test_the_script_judges_memories_as_the_task_does(name):
    task = get_task(name)
    memories = list(instances(task, np.random.default_rng(5)))
    legal = [task.is_legal(memory) for memory in memories]
    data = task_data(task)
    for memory, right, found in zip(memories, legal, judged(data, memories), strict=True):
        if found["legal"] is None:
            assert data["unchecked"]
            assert found["says"].endswith(f"not looked at: {data['unchecked']}.")
            continue
        assert found["legal"] == right, (memory, found)
        if right:
            wanted = {int(cell): value for cell, value in found["wanted"].items()}
            assert wanted == {cell: int(value) for cell, value in task.oracle(memory).items()}
    assert {True, False} <= set(legal)


def test_an_illegal_memory_is_answered_by_the_first_fact_that_does_not_hold():
    (found,) = judged(task_data(get_task("copy")), [[3, 6, 5, 0, 0, 1, 0]])
    broken = "with n = 2 it is not so that for all i in n + 1..M - 1: before[i] = 0."
    assert found["says"].startswith(f"It is NOT a legal memory of copy: {broken}")


def test_what_is_too_large_or_has_no_specification_is_not_judged():
    copy, search = task_data(get_task("copy")), task_data(get_task("listsearch"))
    for data, cells in ((copy, 1001), (search, 400), ({"name": "x"}, 3), (None, 3)):
        (found,) = judged(data, [[0] * cells])
        assert found["legal"] is None
        assert "not judged" in found["says"]
