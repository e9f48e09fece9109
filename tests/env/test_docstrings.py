"""The examples in the docstrings of tasks and environments give what they say."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import gymnasium as gym
import pytest

import nram_env.envs
import nram_env.tasks
from nram_env.envs import ChoiceActions, NamedActions, NRAMEnv, NRAMVectorEnv
from nram_env.tasks import get_task, task_names

MODULES = [
    module.name
    for package in (nram_env.tasks, nram_env.envs)
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + ".")
]
HEADINGS = (
    "Description",
    "Action Space",
    "Observation Space",
    "Rewards",
    "Starting State",
    "Episode End",
    "Arguments",
    "Version History",
)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_hold(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0


@pytest.mark.parametrize("environment", [NRAMEnv, NRAMVectorEnv, NamedActions, ChoiceActions])
def test_every_environment_has_gymnasiums_headings(environment):
    headings = " ".join(line for line in environment.__doc__.splitlines() if line.strip().startswith("## "))
    assert all(heading in headings for heading in HEADINGS)


def test_the_page_on_environments_lists_every_id_with_its_registers():
    page = Path("docs/environments.md").read_text()
    rows = dict(re.findall(r"^\| `(NRAM/\w+-v0)` \|.*\| (\d+) \|$", page, re.MULTILINE))
    tasks = [get_task(name) for name in task_names()[:10]]
    assert rows == {f"NRAM/{task.title}-v0": str(task.num_registers) for task in tasks}


@pytest.mark.parametrize("name", [*task_names()[:10], *task_names("NRAM-X")])
def test_every_task_draws_its_memory(name):
    picture = type(get_task(name)).__doc__
    assert "cell   0" in picture
    assert "Smallest M:" in picture
    assert get_task(name).environment_id in gym.registry
