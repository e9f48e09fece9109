"""The page of a task: its memory, a controller at work, the program that it became, spaces and horizon."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym

from analysis.explanation.page import explanation
from docs.list_programs import Entry
from docs.site import film, memory_picture
from nram_env import Task

WIDTH = 90
"""Of the program with its sentences; code is never broken."""

_SIZES = (1, 5, 10)

_EXAMPLE = """import gymnasium as gym
import nram_env

gym.register_envs(nram_env)
env = gym.make("{id}", difficulty={n}, render_mode="ansi")
observation, info = env.reset(seed=0)
observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
print(env.render())
"""


def task_page(task: Task, entry: Entry | None) -> str:
    """The page as Markdown; `NAME.svg` lies beside it, and `NAME.gif` where there is a controller.

    Args:
        task: One of nram's own.
        entry: The program of its entry in the zoo; None where it has none.
    """
    learned = () if entry is None else (*_film(task), *_program(task, entry))
    return "\n".join([*_picture(task), *learned, *_environment(task), *_more(task, entry)])


def _picture(task: Task) -> Iterator[str]:
    assert task.spec is not None
    yield f"# {task.title}\n\n{task.summary}\n"
    yield f"![an instance of {task.title} in memory, and what is wanted]({task.name}.svg)\n"
    yield f"An instance of n = {memory_picture.DIFFICULTY}; what is wanted, and what its parts are called:\n"
    words = f"{task.spec.text()}\n{task.spec.parts_text()}"
    yield f"```text\n{words}\n```\n\n[How to read this](../specifications.md#{task.title.lower()})\n"


def _film(task: Task) -> Iterator[str]:
    yield f"## At work\n\n![the machine at every timestep]({task.name}.gif)\n"
    yield (
        f"The controller of `zoo:{task.name}`, every selector replaced by its largest choice, with "
        f"n = {film.DIFFICULTY}, until it stops by itself. A column is a cell or a register, a row an "
        "integer; READ and WRITE frame the cell that they point at; green frames are wanted.\n"
    )


def _program(task: Task, entry: Entry) -> Iterator[str]:
    text = explanation(entry.after, task, entry.proof, WIDTH) or ""
    head, _, lines = text.partition("\n\n")
    yield f"## The program that it became\n\nOutput: {entry.output}. {head}\n\n```text\n{lines}\n```\n"
    yield f"[As it was learned, and what else was tried](../readable.md#{entry.name})\n"


def _environment(task: Task) -> Iterator[str]:
    name = task.environment_id
    env = gym.make(name)
    yield f"## Environment\n\n| `{name}` | |\n| --- | --- |"
    yield f"| registers R | {task.num_registers} |"
    yield f"| observation | `{env.observation_space}`: P(r = 0) of every register |"
    yield f"| action | `{env.action_space}`: the logits of all selectors, and of halting |"
    for n in _SIZES:
        yield f"| n = {n} | M >= {task.smallest_memory_size(n)}, T = {task.horizon(n)} |"
    example = _EXAMPLE.format(id=name, n=2)
    exec(compile(example, name, "exec"), {"print": lambda text: None})
    yield f"\n[Arguments, rewards, episode ends](../environments.md)\n\n```python\n{example}```\n"


def _more(task: Task, entry: Entry | None) -> Iterator[str]:
    yield "## From the command line\n\n```bash"
    yield f"nram tasks {task.name}                  # the task, and an instance"
    if entry is not None:
        yield f"nram show zoo:{task.name} --explain     # the program, with what is claimed of it"
        yield f"nram trace zoo:{task.name} --n 4        # every timestep"
    yield f"nram train {task.name}                  # learn it\n```\n"
