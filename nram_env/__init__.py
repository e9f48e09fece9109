"""The world: the differentiable machine, its tasks and its Gymnasium environments.

Importing it registers `NRAM/Copy-v0` and the others with Gymnasium (`gym.register_envs(nram_env)` shows to
readers and linters that this is what the import is for), and does not import torch.
"""

from typing import TYPE_CHECKING, Any

from nram_env.envs import env_ids
from nram_env.machine import Gate, MachineConfig
from nram_env.support import lazy_name
from nram_env.tasks import Task, TaskBatch, TaskSpec, check_task, get_task, register_task, task_names

if TYPE_CHECKING:
    from nram_env.envs import NRAMEnv, NRAMVectorEnv, wrappers

__version__ = "0.1.0"

_MODULE_OF = {
    "NRAMEnv": "envs",
    "NRAMVectorEnv": "envs",
    "wrappers": "envs",
}


def __getattr__(name: str) -> Any:
    return lazy_name(__name__, _MODULE_OF, name)


__all__ = [
    "Gate",
    "MachineConfig",
    "NRAMEnv",
    "NRAMVectorEnv",
    "Task",
    "TaskBatch",
    "TaskSpec",
    "__version__",
    "check_task",
    "env_ids",
    "get_task",
    "register_task",
    "task_names",
    "wrappers",
]


def __dir__() -> list[str]:
    return __all__
