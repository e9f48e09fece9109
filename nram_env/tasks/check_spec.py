"""Does a task's specification say what the task's own code says?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nram_env.tasks.base import Task
from nram_env.tasks.spec import TaskSpec
from nram_env.tasks.terms import evaluate, text


def spec_disagreement(task: Task, memory: Sequence[int]) -> str | None:
    """What the specification of a task and the rest of the task say differently of a legal memory.

    Args:
        task: A task with a specification.
        memory: A memory that `check_memory` accepts.

    Returns:
        The first difference in words; None if there is none.

    Example:
        >>> from dataclasses import replace
        >>> from nram_env.tasks import get_task
        >>> from nram_env.tasks.spec import before, i
        >>> copy = get_task("copy")
        >>> spec_disagreement(copy, [3, 7, 5, 0, 0, 0, 0, 0])
        >>> copy.spec = replace(copy.spec, want=before(i))
        >>> spec_disagreement(copy, [3, 7, 5, 0, 0, 0, 0, 0])
        'want and output say {3: 0, 4: 0}, oracle says {3: 7, 4: 5}'
        >>> del copy.spec
    """
    assert task.spec is not None
    return next(_differences(task, task.spec, memory), None)


def _differences(task: Task, spec: TaskSpec, memory: Sequence[int]) -> Iterator[str]:
    values = spec.values(memory)
    n = task.difficulty_of(memory)
    if values["n"] != n:
        yield f"n is {values['n']}, difficulty_of says {n}"
    if evaluate(spec.horizon, values) != task.horizon(n):
        yield f"horizon is {evaluate(spec.horizon, values)}, the task's is {task.horizon(n)}"
    for part, facts in (("the axioms", spec.axioms()), ("legal", spec.legal)):
        yield from (f"{part} exclude it: not {text(fact)}" for fact in facts if not evaluate(fact, values))
    if spec.oracle(memory) != task.oracle(memory):
        yield f"want and output say {spec.oracle(memory)}, oracle says {task.oracle(memory)}"
