"""The tasks: what memory holds before a run, and what it should hold after it. Needs numpy, not torch."""

from nram_env.tasks.access import Access
from nram_env.tasks.base import Task, TaskBatch, instance_of
from nram_env.tasks.copy import Copy
from nram_env.tasks.increment import Increment
from nram_env.tasks.registry import get_task, register_task, task_names
from nram_env.tasks.reverse import Reverse
from nram_env.tasks.swap import Swap

for _task in (Access(), Increment(), Copy(), Reverse(), Swap()):
    register_task(_task)

__all__ = ["Task", "TaskBatch", "get_task", "instance_of", "register_task", "task_names"]
