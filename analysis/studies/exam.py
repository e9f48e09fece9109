"""An exam before a member's program is read: fixed instances, far beyond those trained on, for the network.

To read and check a program takes seconds, and a population is full of kin that are wrong on the same. So
what one failed on is asked first of the next; whom the exam fails does not depend on that.
"""

from __future__ import annotations

import numpy as np

from agents.checkpoint import Agent
from analysis.extraction.inputs import HELD_OUT_FACTOR
from analysis.verification.stopping import limits
from nram_env.tasks import MixedBatch, TaskBatch, draw_plan, get_task, instance_of
from nram_env.tasks.sizes import GROUP

GROUPS = 256
"""Sizes of the instances, GROUP of each, n spread evenly over its logarithm to where programs are judged."""

KEPT = 32
"""Instances that are remembered, the latest ones."""


class Exam:
    """Fails members that are wrong hardened, or do not stop though they were to learn that."""

    def __init__(self) -> None:
        self._failed: list[TaskBatch] = []

    def fails(self, agent: Agent) -> bool:
        """Whether a member, of the same task and settings as those before, fails."""
        for place, instance in enumerate(self._failed):
            if _wrong(agent, instance).any():
                self._failed.insert(0, self._failed.pop(place))
                return True
        found = _first_wrong(agent)
        if found is None:
            return False
        self._failed = [found, *self._failed][:KEPT]
        return True


def _first_wrong(agent: Agent) -> TaskBatch | None:
    """The instance of the smallest M on which a member is wrong, as a batch of one."""
    task, rng = get_task(agent.task), np.random.default_rng(5)
    least = task.smallest_difficulty
    most = max(least, HELD_OUT_FACTOR * agent.trained_to)
    sizes = np.geomspace(least, most, GROUPS).round().astype(np.int64)
    for batch in draw_plan(task, rng, sizes, GROUP).mixed(task, rng):
        wrong = np.flatnonzero(_wrong(agent, batch))
        if len(wrong):
            return instance_of(task, batch.memory[wrong[:1], : batch.memory_sizes[wrong[0]]])
    return None


def _wrong(agent: Agent, batch: TaskBatch | MixedBatch) -> np.ndarray:
    """Examples that a member fails on, (B,)."""
    from agents.hard import hard_failures

    limit = limits(get_task(agent.task), batch, agent.must_stop)
    failed, _ = hard_failures(agent.controller, batch, limit, agent.must_stop)
    return failed[0]
