"""Gymnasium ids of the environments. Imports neither torch nor the environments themselves."""

from __future__ import annotations

import gymnasium


def register_environment(task: str, title: str) -> None:
    """Register `NRAM/<title>-v0`: the single environment, and the vector one behind `gym.make_vec`.

    Args:
        task: Name of the task.
        title: As it stands in the id.
    """
    identifier = f"NRAM/{title}-v0"
    if identifier not in gymnasium.registry:
        gymnasium.register(
            identifier,
            entry_point="nram_env.envs.env:NRAMEnv",
            vector_entry_point="nram_env.envs.vector_env:NRAMVectorEnv",
            kwargs={"task": task},
        )
