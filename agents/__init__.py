"""The learner: controllers, training, runs, checkpoints, and the zoo of trained controllers."""

from typing import TYPE_CHECKING, Any

from nram_env import __version__
from nram_env.support import lazy_name

if TYPE_CHECKING:
    from agents import zoo
    from agents.checkpoint import Agent, load_agent, save_agent
    from agents.config import TrainConfig
    from agents.controllers import Controller, ControllerSpec
    from agents.evaluation import evaluate
    from agents.trainer import Trainer

_MODULE_OF = {
    "Agent": "checkpoint",
    "Controller": "controllers",
    "ControllerSpec": "controllers",
    "TrainConfig": "config",
    "Trainer": "trainer",
    "evaluate": "evaluation",
    "load_agent": "checkpoint",
    "save_agent": "checkpoint",
    "zoo": "",
}


def __getattr__(name: str) -> Any:
    return lazy_name(__name__, _MODULE_OF, name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Agent",
    "Controller",
    "ControllerSpec",
    "TrainConfig",
    "Trainer",
    "__version__",
    "evaluate",
    "load_agent",
    "save_agent",
    "zoo",
]
