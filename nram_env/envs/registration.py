"""Gymnasium ids of the environments. Imports neither torch nor the environments themselves."""

from __future__ import annotations

import gymnasium

_NAMESPACE, _VERSION = "NRAM", "v0"


def env_ids() -> list[str]:
    """Every id that `gym.make` and `gym.make_vec` know here, one for each task, those of one's own included.

    Example:
        >>> import gymnasium as gym, nram_env
        >>> gym.register_envs(nram_env)
        >>> nram_env.env_ids()[:2]
        ['NRAM/Access-v0', 'NRAM/Copy-v0']
    """
    return sorted(name for name, spec in gymnasium.registry.items() if spec.namespace == _NAMESPACE)


def register_environment(task: str, title: str) -> None:
    """Register `NRAM/<title>-v0`: the single environment, and the vector one behind `gym.make_vec`.

    Args:
        task: Name of the task.
        title: As it stands in the id.
    """
    identifier = f"{_NAMESPACE}/{title}-{_VERSION}"
    if identifier not in gymnasium.registry:
        gymnasium.register(
            identifier,
            entry_point="nram_env.envs.env:NRAMEnv",
            vector_entry_point="nram_env.envs.vector_env:NRAMVectorEnv",
            kwargs={"task": task},
        )
