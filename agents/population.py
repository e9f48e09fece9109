"""A population: everything that training keeps of its members, as tensors with one row a member."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from agents.bounds import RANGES
from agents.config import TrainConfig
from agents.noise import uniform

UNKNOWN = 1.0
"""Error of a member that has not been measured yet: all examples wrong."""

UNKNOWN_LOSS = 10.0
"""Loss of an output cell, in nats, of a member that has not been measured yet."""


@dataclass(frozen=True)
class Population:
    """P members. Every attribute is a tensor whose first dimension is P.

    The optimiser writes to the first three in place; nothing else changes a tensor that is here.

    Attributes:
        parameters: (P, N), the controllers' parameters.
        momentum: (P, N), Adam's running mean of the gradient.
        variance: (P, N), Adam's running mean of its square.
        age: Updates of these parameters, those of a clone's parent included.
        tenure: Updates since the member took its place.
        level: Current level of the curriculum.
        level_age: Updates since the last rise.
        error: Running exact error on training examples of exactly the current level, or up to it.
        loss: Running loss of an output cell, in nats, on the same examples.
        hard_loss: What its hardened runs cost it when last tested, in nats; 0 before, and without such tests.
        easy_share: Share of easy examples that the member still gets; none once it masters the top level.
        family: The same number for all descendants of one fresh start.
        learning_rate: Own hyper-parameter, like the next three.
        output_scale: See TrainConfig.
        entropy_bonus: See TrainConfig.
        gradient_noise: See TrainConfig.
        best_parameters: (P, N), the parameters that did best on held-out examples.
        best_error: Their hard exact error, then their soft one: (P, 2).
        best_steps: Mean timesteps of their hard runs at the larger sizes; 0 if they were not run there.
        restarts: How often this place in the population was started anew because a number was not finite.
    """

    parameters: Tensor
    momentum: Tensor
    variance: Tensor
    age: Tensor
    tenure: Tensor
    level: Tensor
    level_age: Tensor
    error: Tensor
    loss: Tensor
    hard_loss: Tensor
    easy_share: Tensor
    family: Tensor
    learning_rate: Tensor
    output_scale: Tensor
    entropy_bonus: Tensor
    gradient_noise: Tensor
    best_parameters: Tensor
    best_error: Tensor
    best_steps: Tensor
    restarts: Tensor

    @property
    def size(self) -> int:
        """P."""
        return len(self.parameters)

    @property
    def solved(self) -> Tensor:
        """(P,) booleans: members whose best parameters, hardened, made no error on held-out sizes."""
        return self.best_error[:, 0] == 0

    def ranking(self) -> list[int]:
        """Members from best to worst: by held-out hard error, soft error, timesteps, level, losses."""
        held_out = zip(self.best_error.tolist(), self.best_steps.tolist(), strict=True)
        keys = zip(held_out, (-self.level).tolist(), (self.loss + self.hard_loss).tolist(), strict=True)
        return [index for _, index in sorted((key, index) for index, key in enumerate(keys))]

    @property
    def device(self) -> torch.device:
        """Where the members are."""
        return self.parameters.device

    def to(self, device: torch.device | str) -> Population:
        """The same members on another device; on their own, themselves."""
        return Population(*(getattr(self, field.name).to(device) for field in fields(self)))

    def put(self, places: Tensor, members: Population) -> Population:
        """A population whose members at `places` (k,) are replaced by the given k members, of any device."""
        where, fresh = places.to(self.device), members.to(self.device)
        return Population(
            *(
                getattr(self, field.name).index_copy(0, where, getattr(fresh, field.name))
                for field in fields(self)
            )
        )

    def take(self, places: Tensor) -> Population:
        """The members at `places` (k,), as a population of size k."""
        where = places.to(self.device)
        return Population(*(getattr(self, field.name)[where] for field in fields(self)))


def start(config: TrainConfig, members: int, generator: torch.Generator) -> Population:
    """Draw fresh members on the generator's device: hyper-parameters from the ranges of `config`."""
    drawn = {name: _log_uniform(getattr(config, name), members, generator) for name in RANGES}
    parameters = config.spec.initialise(generator, drawn["output_scale"])
    place = generator.device
    whole = torch.zeros(members, dtype=torch.int64, device=place)
    real = torch.ones(members, dtype=torch.float32, device=place)
    return Population(
        parameters=parameters,
        momentum=torch.zeros_like(parameters),
        variance=torch.zeros_like(parameters),
        age=whole,
        tenure=whole,
        level=whole + config.lowest_level,
        level_age=whole,
        error=UNKNOWN * real,
        loss=UNKNOWN_LOSS * real,
        hard_loss=0 * real,
        easy_share=config.easy_share * real,
        family=torch.randint(2**62, (members,), generator=generator, dtype=torch.int64, device=place),
        **drawn,
        best_parameters=parameters.clone(),
        best_error=UNKNOWN * torch.ones(members, 2, dtype=torch.float32, device=place),
        best_steps=0 * real,
        restarts=whole,
    )


def _log_uniform(bounds: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    low, high = np.log(bounds)
    return torch.exp(low + (high - low) * uniform(generator, count))


def renew(
    population: Population, places: list[int], config: TrainConfig, generator: torch.Generator
) -> Population:
    """Put fresh members at the given places."""
    if not places:
        return population
    where = torch.tensor(places, dtype=torch.int64, device="cpu")
    fresh = start(config, len(places), generator).to(population.device)
    return population.put(where, replace(fresh, restarts=population.take(where).restarts))
