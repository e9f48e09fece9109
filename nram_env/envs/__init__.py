"""The Gymnasium environments. The classes need torch and are loaded on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nram_env.envs.env import NRAMEnv
    from nram_env.envs.episode import EpisodeState
    from nram_env.envs.vector_env import NRAMVectorEnv
    from nram_env.envs.wrappers import ChoiceActions, NamedActions

_MODULE_OF = {
    "ChoiceActions": "wrappers",
    "EpisodeState": "episode",
    "NRAMEnv": "env",
    "NRAMVectorEnv": "vector_env",
    "NamedActions": "wrappers",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


__all__ = ["ChoiceActions", "EpisodeState", "NRAMEnv", "NRAMVectorEnv", "NamedActions"]
