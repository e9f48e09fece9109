"""Tests on held-out sizes of many members: a screen on the device, then the tests of `agents.held_out`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from agents import hard
from agents.config import TrainConfig
from agents.controllers import Controller
from agents.cuda import hard as kernel
from agents.held_out import held_out_errors, staged_errors
from nram_env.support import warn_once
from nram_env.tasks import MixedBatch

CONFIRMED_AT_ONCE = 4
"""So many members are tested on the processor at a time: one that passes takes it a second or more."""

UNCONFIRMED = 1e-6
"""Hard error of a member that has passed on the device alone: less than any that is measured, so that it is
the first in rank of those that are not solved, and selection lets it live."""


def screened_errors(
    controller: Controller, config: TrainConfig, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Errors (P, 2) and timesteps (P,) as `agents.held_out.held_out_errors` gives them, on the CPU.

    Whoever fails on the device, in float32, has its error there. Of the others a few, by chance, are tested
    in float64 by `held_out_errors` itself, so that nobody is free of errors whom that does not find so. The
    rest wait for another time, as `UNCONFIRMED`.

    Args:
        controller: P members on the device.
        config: The sizes and how many examples.
        rng: Source of the examples.
    """
    found, steps = staged_errors(controller, config, rng, failures)
    errors = torch.stack([found, torch.ones_like(found)], dim=1)
    passed = (found == 0).nonzero()[:, 0]
    if len(passed):
        errors[passed, 0] = UNCONFIRMED
        chosen = passed[torch.from_numpy(rng.permutation(len(passed))[:CONFIRMED_AT_ONCE])]
        members = replace(controller, parameters=controller.parameters[chosen].cpu())
        errors[chosen], steps[chosen] = held_out_errors(members, config, rng)
    return errors, steps


def failures(
    controller: Controller, batch: MixedBatch, limit: np.ndarray, must_stop: bool
) -> tuple[np.ndarray, np.ndarray]:
    """As `agents.hard.hard_failures`: by the kernel where it can."""
    reason = kernel.obstacle(controller, batch)
    if reason is None:
        failed, steps = kernel.hard_failures(controller, batch, limit, must_stop)
        return failed.numpy(force=True), steps.numpy(force=True)
    if controller.parameters.is_cuda:
        warn_once(f"the kernel of hardened stacks cannot run, the processor runs instead: {reason}")
    members = replace(controller, parameters=controller.parameters.cpu())
    return hard.hard_failures(members, batch, limit, must_stop)
