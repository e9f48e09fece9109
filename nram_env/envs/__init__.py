"""The Gymnasium environments. The classes need torch and are loaded on first use."""

from typing import TYPE_CHECKING, Any

from nram_env.envs.registration import env_ids
from nram_env.support import lazy_name

if TYPE_CHECKING:
    from nram_env.envs import wrappers
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
    "wrappers": "",
}


def __getattr__(name: str) -> Any:
    return lazy_name(__name__, _MODULE_OF, name)


__all__ = [
    "ChoiceActions",
    "EpisodeState",
    "NRAMEnv",
    "NRAMVectorEnv",
    "NamedActions",
    "env_ids",
    "wrappers",
]
