"""How members are tested on held-out sizes, hard and soft."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from agents.config import TrainConfig
from agents.controllers import Controller
from agents.hard import hard_failures
from agents.rollout import soft_wrong
from nram_env.tasks import MixedBatch, SizePlan, caps, draw_plan, horizons

Failures = Callable[[Controller, MixedBatch, np.ndarray, bool], tuple[np.ndarray, np.ndarray]]
"""Which examples P members fail on, and timesteps, both (P, B): as `agents.hard.hard_failures`."""

CONFIRMING = 16
"""A member without a hard error is tested again on so many times the examples."""


def held_out_errors(
    controller: Controller, config: TrainConfig, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Hard and soft exact error of every member, (P, 2), and mean timesteps at the larger sizes, (P,).

    Hard runs have all the time that they want, if members are to stop by themselves, in memories of many
    sizes each. They are of every size of the curriculum, then of larger ones, then of both again with more
    examples, since a few may miss what is rare; a member with an error is tested no further, and its error
    is the larger, the earlier that is. The soft error is measured, at the first of the larger sizes, for
    members without a hard error; it counts as 1 for the others.

    Args:
        controller: P members.
        config: The sizes and how many examples.
        rng: Source of the examples.
    """
    hard, steps = staged_errors(controller, config, rng, hard_failures)
    soft = torch.ones_like(hard)
    places, exact = _exact_members(controller, hard)
    if len(places):
        nearest = [factor * config.max_level for factor in config.evaluation_factors[:1]]
        plan = draw_plan(config.task_object, rng, nearest or [config.max_level], config.evaluation_examples)
        soft[places] = _soft_error(exact, config, rng, plan)
    return torch.stack([hard, soft], dim=1), steps


def staged_errors(
    controller: Controller, config: TrainConfig, rng: np.random.Generator, failures: Failures
) -> tuple[Tensor, Tensor]:
    """Hard error of every member, and mean timesteps at the larger sizes, both (P,), on the CPU.

    Args:
        controller: P members, where `failures` wants them.
        config: The sizes and how many examples.
        rng: Source of the examples.
        failures: Runs hardened stacks, as `agents.hard.hard_failures` does.
    """
    task, top = config.task_object, config.max_level
    beyond = [factor * top for factor in config.evaluation_factors]
    sizes, few = list(range(task.smallest_difficulty, top + 1)), config.evaluation_examples
    plans = [(sizes, few), (beyond, few), (sizes + beyond, CONFIRMING * few)]
    hard = torch.zeros(controller.num_members, dtype=torch.float32, device="cpu")
    steps = torch.zeros_like(hard)
    for stage, (difficulties, examples) in enumerate(plans):
        places, exact = _exact_members(controller, hard)
        if len(places) and difficulties:
            plan = draw_plan(task, rng, difficulties, examples)
            error, taken = _hard_error(exact, config, rng, plan, failures)
            if difficulties is beyond:
                steps[places] = taken
            left = len(plans) - 1 - stage
            hard[places] = (error + left * (error > 0)) / len(plans)
    return hard, steps


def _hard_error(
    controller: Controller, config: TrainConfig, rng: np.random.Generator, plan: SizePlan, run: Failures
) -> tuple[Tensor, Tensor]:
    """Share of failures and mean timesteps of every member, both (P,)."""
    stops, found = config.halting, []
    for batch in plan.mixed(config.task_object, rng, rows=controller.num_members):
        limit = caps(config.task_object, batch.difficulty, batch.memory_sizes) if stops else batch.horizon
        found.append(run(controller, batch, limit, stops))
    failures, steps = zip(*found, strict=True)
    return _share(failures), _share(steps)


def _soft_error(
    controller: Controller, config: TrainConfig, rng: np.random.Generator, plan: SizePlan
) -> Tensor:
    members, wrong = controller.num_members, []
    for batch in plan.batches(config.task_object, rng):
        rows = np.tile(np.arange(batch.batch_size), members)
        horizon = horizons(config.task_object, batch.difficulty[rows])
        cells = soft_wrong(controller, config.task_object, batch.rows(rows), horizon, config.backend)
        wrong.append(cells.any(1).reshape(members, -1))
    return _share(wrong)


def _exact_members(controller: Controller, errors: Tensor) -> tuple[Tensor, Controller]:
    """Places of the members without error, (k,), and a stack of them."""
    places = (errors == 0).nonzero()[:, 0]
    return places, Controller(controller.spec, controller.parameters[places])


def _share(parts: Sequence[np.ndarray]) -> Tensor:
    """Share of true examples, or mean, of every member, (P,), from parts (P, B)."""
    return torch.from_numpy(np.concatenate(parts, axis=1).mean(1)).float()
