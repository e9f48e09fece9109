"""The tasks: what memory holds before a run, and what it should hold after it. Needs numpy, not torch."""

from nram_env.tasks.access import Access
from nram_env.tasks.base import Task, instance_of
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.check import Finding, check_task
from nram_env.tasks.copy import Copy
from nram_env.tasks.imports import IMPORTS, import_tasks
from nram_env.tasks.increment import Increment
from nram_env.tasks.list_k import ListK
from nram_env.tasks.list_search import ListSearch
from nram_env.tasks.merge import Merge
from nram_env.tasks.more import FURTHER_TASKS
from nram_env.tasks.permutation import Permutation
from nram_env.tasks.plugins import plugin_names
from nram_env.tasks.registry import (
    UnknownTaskError,
    find_task,
    get_task,
    register_task,
    task_imports,
    task_names,
)
from nram_env.tasks.reverse import Reverse
from nram_env.tasks.sizes import (
    MixedBatch,
    SizePlan,
    caps,
    draw_plan,
    draw_range_plan,
    example_of,
    grid_plan,
    horizons,
    join,
    most_steps,
)
from nram_env.tasks.spec import TaskSpec
from nram_env.tasks.swap import Swap
from nram_env.tasks.walk_bst import WalkBST

_PAPER_TASKS: tuple[type[Task], ...] = (
    Access,
    Increment,
    Copy,
    Reverse,
    Swap,
    Permutation,
    ListK,
    ListSearch,
    Merge,
    WalkBST,
)
for _task in (*_PAPER_TASKS, *FURTHER_TASKS):
    register_task(_task())

__all__ = [
    "IMPORTS",
    "Finding",
    "MixedBatch",
    "SizePlan",
    "Task",
    "TaskBatch",
    "TaskSpec",
    "UnknownTaskError",
    "caps",
    "check_task",
    "draw_plan",
    "draw_range_plan",
    "example_of",
    "find_task",
    "get_task",
    "grid_plan",
    "horizons",
    "import_tasks",
    "instance_of",
    "join",
    "most_steps",
    "plugin_names",
    "register_task",
    "task_imports",
    "task_names",
]
