"""Gymnasium ids of the environments. Imports neither torch nor the environments themselves."""

from __future__ import annotations

import gymnasium

_ENTRY_POINT = "nram_env.envs.env:NRAMEnv"


def env_ids() -> list[str]:
    """Every id that `gym.make` and `gym.make_vec` know here, one for each task, by namespace and title.

    Those of the further tasks, `NRAM-X/Max-v0` and others, stand last, those of one's own among the paper's.

    Example:
        >>> import gymnasium as gym, nram_env
        >>> gym.register_envs(nram_env)
        >>> nram_env.env_ids()[:2]
        ['NRAM/Access-v0', 'NRAM/Copy-v0']
    """
    known = (name for name, spec in gymnasium.registry.items() if spec.entry_point == _ENTRY_POINT)
    return sorted(known, key=lambda name: name.split("/"))


def register_environment(identifier: str, task: str) -> None:
    """Register an id: the single environment, and the vector one behind `gym.make_vec`.

    Args:
        identifier: The id, as in "NRAM/Copy-v0".
        task: Name of the task.
    """
    if identifier not in gymnasium.registry:
        gymnasium.register(
            identifier,
            entry_point=_ENTRY_POINT,
            vector_entry_point="nram_env.envs.vector_env:NRAMVectorEnv",
            kwargs={"task": task},
        )
