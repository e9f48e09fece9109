"""Selection: the worst members of a population give way to clones of the best and to fresh starts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import torch

from agents.config import TrainConfig
from agents.losses import mastered
from agents.noise import normal, uniform
from agents.population import UNKNOWN, Population, renew, start
from agents.spec import ControllerSpec

SOFTER, SHARPER, REBORN = (0.3, 0.8), (1.25, 4.0), (0.6, 1.0)
"""Ranges of the factor on the output layer of a clone: softened, sharpened, or of a new generation."""

UNDECIDED = (-5.0, -2.0)
"""Range of the constant halting logit with which a member begins to learn to stop."""


def select(population: Population, config: TrainConfig, generator: torch.Generator) -> Population:
    """Replace the worst members: half by clones of the best, half by fresh starts.

    Members in place for less than `config.spare_age` updates and solved ones stay. Until a member masters
    the top level, families, the descendants of one fresh start each, are kept apart, since a population of
    one family explores nothing: clones are of the best of different families, and where a family has more
    than its share, its worst go first. Afterwards clones are of those who master it.
    """
    order = population.ranking()
    places = _places_in_families(population, order)
    on_top = mastered(population, config).tolist()
    masters = [index for index in order if on_top[index]]
    crowded = population.size if masters else max(1, int(config.family_share * population.size))
    ripe = ((population.tenure >= config.spare_age) & ~population.solved).tolist()
    worst = [index for index in reversed(order) if ripe[index]]
    worst.sort(key=lambda index: places[index] < crowded)  # stable: the worst of either kind stay in front
    worst = worst[: int(config.cull_share * population.size)]
    cloned, renewed = worst[: len(worst) // 2], worst[len(worst) // 2 :]
    if cloned:
        leaders = masters or [index for index in order if places[index] == 0]
        parents = _places(leaders[: max(1, population.size // 8)])
        size = (len(cloned),)
        picks = torch.randint(len(parents), size, generator=generator, dtype=torch.int64, device="cpu")
        clones = _perturb(population.take(parents[picks]).to("cpu"), config, generator)
        population = population.put(_places(cloned), clones)
    return renew(population, renewed, config, generator)


def _places(indices: list[int]) -> torch.Tensor:
    return torch.tensor(indices, dtype=torch.int64, device="cpu")


def _places_in_families(population: Population, order: list[int]) -> dict[int, int]:
    """How many members of its own family stand before each member in the ranking."""
    seen: Counter[int] = Counter()
    places, families = {}, population.family.tolist()
    for index in order:
        family = families[index]
        places[index] = seen[family]
        seen[family] += 1
    return places


def _perturb(clones: Population, config: TrainConfig, generator: torch.Generator) -> Population:
    """Multiply the clones' hyper-parameters by exp(perturbation * z), and rescale the logits of some."""
    changed = {
        name: getattr(clones, name) * torch.exp(config.perturbation * normal(generator, clones.size))
        for name in ("learning_rate", "entropy_bonus", "gradient_noise")
    }
    untested = replace(
        clones,
        **changed,
        tenure=torch.zeros_like(clones.tenure),
        best_error=torch.full_like(clones.best_error, UNKNOWN),
        best_steps=torch.zeros_like(clones.best_steps),
    )
    return _rescaled(untested, config, generator)


def _rescaled(clones: Population, config: TrainConfig, generator: torch.Generator) -> Population:
    """Start some clones anew from another output layer.

    A selector that is all but certain has no gradient left to change its mind: smaller logits bring it
    back and keep what the member prefers. A member that masters the top level, but not hardened, leans on
    what is left of its doubts: larger logits take these away, and it trains on without.
    """
    chance = uniform(generator, clones.size)
    factor = torch.where(mastered(clones, config), _between(SHARPER, chance), _between(SOFTER, chance))
    chosen = uniform(generator, clones.size) < config.rescale_share
    scaled = rescale(clones, torch.where(chosen, factor, 1.0), config.spec)
    return replace(
        scaled,
        momentum=scaled.momentum.masked_fill(chosen[:, None], 0.0),
        variance=scaled.variance.masked_fill(chosen[:, None], 0.0),
        age=scaled.age.masked_fill(chosen, 0),
    )


def next_generation(population: Population, config: TrainConfig, generator: torch.Generator) -> Population:
    """Let everyone start again as a clone of the best, with softer choices and new hyper-parameters.

    Members that master the top level on training examples, but none of them hardened and on held-out ones,
    have all found the same almost right program. Few of their selectors still have a gradient. Softened,
    from the first level on and without competition from their parents, they mend it. Where what is wrong is
    a valley of its own, they need noise on their weights as well: some find the rest again, but not that.
    """
    best = population.ranking()[: max(1, population.size // 8)]
    picks = _places([best[place % len(best)] for place in range(population.size)])
    parents = population.take(picks).to("cpu")
    factor = _between(REBORN, uniform(generator, population.size))
    children = rescale(parents, factor, config.spec).parameters
    if config.generation_noise:
        children = _mutated(children, config.generation_noise, generator)
    generation = replace(
        start(config, population.size, generator),
        parameters=children,
        best_parameters=children.clone(),
        easy_share=parents.easy_share,
        family=parents.family,
    ).to(population.device)
    return replace(generation, restarts=population.restarts)


def forget_halting(
    population: Population, chosen: torch.Tensor, config: TrainConfig, generator: torch.Generator
) -> Population:
    """Let the chosen members (P,) forget what they know of stopping: the halting logit becomes a constant.

    Over the task's own horizon an early stop is all that can go wrong, so the logit has sunk to where the
    sigmoid has no gradient left. What tells the last timestep from the others is in the hidden layer.
    """
    fixed = chosen[:, None] & _of_halting(config.spec, population.device)
    constant = _between(UNDECIDED, uniform(generator, population.size))
    parameters = population.parameters.masked_fill(fixed, 0.0)
    parameters[:, -1] = torch.where(chosen, constant, parameters[:, -1])
    return replace(
        population,
        parameters=parameters,
        momentum=population.momentum.masked_fill(fixed, 0.0),
        variance=population.variance.masked_fill(fixed, 0.0),
    )


@cache
def _of_halting(spec: ControllerSpec, device: torch.device) -> torch.Tensor:
    return spec.of_halting.to(device)


def _mutated(parameters: torch.Tensor, most: float, generator: torch.Generator) -> torch.Tensor:
    """Add noise to the weights (P, N), to those of each member another amount."""
    amount = most * uniform(generator, len(parameters), 1)
    noise = normal(generator, *parameters.shape)
    return parameters + amount * parameters.std(1, keepdim=True) * noise


def _between(bounds: tuple[float, float], chance: torch.Tensor) -> torch.Tensor:
    low, high = bounds
    return low + (high - low) * chance


def rescale(population: Population, factor: torch.Tensor, spec: ControllerSpec) -> Population:
    """Multiply all logits of every member by its factor (P,)."""
    wide = factor[:, None]
    scale = [
        (wide if name.startswith("head") else torch.ones_like(wide)).expand(-1, rows * columns)
        for name, (rows, columns) in spec.shapes.items()
    ]
    return replace(population, parameters=population.parameters * torch.cat(scale, dim=1))
