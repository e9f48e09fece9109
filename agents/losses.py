"""The update: loss of a member, its gradient made safe, and Adam (paper, Section 4).

Everything works on rows of (P, N), so that no member touches another's numbers.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from agents.config import TrainConfig
from agents.population import Population
from agents.rollout import Rollout

ADAM_BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-8
NOISE_DECAY = 0.55
"""Variance of the gradient noise decays as (1 + t)^-0.55 (Neelakantan et al., 2015)."""


def member_losses(rollout: Rollout, population: Population, config: TrainConfig) -> Tensor:
    """Loss of every member, (P,): mean negative return, minus the entropy bonus.

    Late sharpening also counts the entropy of the halting choice: a small constant willingness to finish
    does no harm at the trained horizons, but adds up over longer ones.
    """
    weight = entropy_weight(population, config)
    entropy = weight * rollout.entropy.mean(1) + weight.clamp_max(0) * rollout.halting_entropy.mean(1)
    return -rollout.returns.mean(1) - entropy


def entropy_weight(population: Population, config: TrainConfig) -> Tensor:
    """Coefficient of the entropy bonus, (P,); it halves every half-life.

    Negative, a penalty, for members that master the top level: late sharpening, which the paper suggests
    and did not try.
    """
    bonus = population.entropy_bonus * torch.exp2(-population.age / config.entropy_half_life)
    return torch.where(mastered(population, config), torch.tensor(-config.sharpening), bonus)


def mastered(population: Population, config: TrainConfig) -> Tensor:
    """(P,) booleans: members at the top level with an error below the threshold."""
    return (population.level >= config.max_level) & (population.error < config.level_threshold)


def clip_norm(gradient: Tensor, limit: float) -> Tensor:
    """Rescale each row of (P, N) to an L2 norm of at most `limit`."""
    norm = gradient.norm(dim=1, keepdim=True)
    return gradient * (limit / norm.clamp_min(limit))


def decaying_noise(population: Population, generator: torch.Generator) -> Tensor:
    """Gaussian noise (P, N) whose standard deviation starts at the member's own and decays with its age."""
    deviation = population.gradient_noise * (1 + population.age) ** (-NOISE_DECAY / 2)
    return torch.randn(population.parameters.shape, generator=generator).mul_(deviation[:, None])


def apply_adam(population: Population, gradient: Tensor) -> Population:
    """One step of Adam (Kingma and Ba, 2015) with each member's own learning rate and age."""
    first, second = ADAM_BETAS
    age = population.age + 1
    momentum = torch.lerp(population.momentum, gradient, 1 - first)
    variance = torch.mul(population.variance, second).addcmul_(gradient, gradient, value=1 - second)
    bias = (1 - second**age).sqrt()  # that of the square root of the variance
    rate = population.learning_rate * bias / (1 - first**age)
    change = momentum / variance.sqrt().add_(ADAM_EPSILON * bias[:, None])
    return replace(
        population,
        parameters=torch.addcmul(population.parameters, change, -rate[:, None]),
        momentum=momentum,
        variance=variance,
        age=age,
        tenure=population.tenure + 1,
        level_age=population.level_age + 1,
    )
