"""The step of a population from its gradient: clipped, with decaying noise, by Adam (paper, Section 4).

Works on the rows of (P, N), so that no member touches another's numbers, and in place: parameters and
Adam's state are read and written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from agents import library
from agents.cuda import optimiser as kernel
from agents.noise import Key, gaussian
from agents.population import Population

ADAM_BETAS, ADAM_EPSILON = (0.9, 0.999), 1e-8
NOISE_DECAY = 0.55
"""Variance of the gradient noise decays as (1 + t)^-0.55 (Neelakantan et al., 2015)."""


def step(
    population: Population, gradient: Tensor, clip: float, key: Key, backend: str = "auto"
) -> tuple[Population, Tensor]:
    """Update all members: `parameters`, `momentum` and `variance` in place.

    Args:
        population: P members.
        gradient: Of their losses, (P, N).
        clip: Each member's gradient is rescaled to an L2 norm of at most this, before the noise.
        key: Of the noise; each update needs another.
        backend: "fused" (the library), "reference" (torch) or "auto": the library on the CPU, its kernel
            on a card, or torch where neither can.

    Returns:
        The population a step older, and (P,) booleans: members whose gradient and new parameters are finite.

    Raises:
        ValueError: The backend is "fused" and cannot run on these tensors.
    """
    if gradient.shape != population.parameters.shape:
        wanted = tuple(population.parameters.shape)
        raise ValueError(f"gradient must have shape (P, N) = {wanted}, got {tuple(gradient.shape)}")
    arrays = {name: getattr(population, name) for name in ("parameters", "momentum", "variance")}
    arrays |= {"gradient": gradient, **_coefficients(population)}
    if library.serves((backend,), lambda: _obstacle(arrays)):
        finite = _fused(arrays, clip, key)
    elif backend == "auto" and kernel.serves(arrays):
        finite = kernel.update(arrays, clip, key, ADAM_BETAS)
    else:
        finite = _reference(**arrays, clip=clip, key=key)
    aged = {name: getattr(population, name) + 1 for name in ("age", "tenure", "level_age")}
    return replace(population, **aged), finite


def _coefficients(population: Population) -> dict[str, Tensor]:
    """Numbers of each member, (P,); rate and epsilon account for the biases of Adam's running means."""
    first, second = ADAM_BETAS
    age = population.age.float() + 1
    bias = (1 - second**age).sqrt()  # that of the square root of the variance
    return {
        "rate": population.learning_rate * bias / (1 - first**age),
        "epsilon": ADAM_EPSILON * bias,
        "deviation": population.gradient_noise * age ** (-NOISE_DECAY / 2),
    }


def _reference(
    parameters: Tensor,
    momentum: Tensor,
    variance: Tensor,
    gradient: Tensor,
    rate: Tensor,
    epsilon: Tensor,
    deviation: Tensor,
    clip: float,
    key: Key,
) -> Tensor:
    first, second = ADAM_BETAS
    norm = torch.linalg.vector_norm(gradient, dim=1, keepdim=True, dtype=torch.float64)
    members, size = gradient.shape
    noise = gaussian(key, members, size, gradient.device) * deviation[:, None]
    noisy = gradient * (clip / norm.clamp_min(clip)).to(gradient.dtype) + noise
    momentum.lerp_(noisy, 1 - first)
    variance.mul_(second).addcmul_(noisy, noisy, value=1 - second)
    parameters.addcmul_(-rate[:, None], momentum / (variance.sqrt() + epsilon[:, None]))
    return library.finite_rows(gradient) & library.finite_rows(parameters)


def _sizes(arrays: Mapping[str, Tensor]) -> dict[str, int]:
    members, size = arrays["parameters"].shape
    return {"P": members, "N": size}


def _obstacle(arrays: Mapping[str, Tensor]) -> str | None:
    return library.Update.obstacle(_sizes(arrays), arrays) or library.missing()


def _fused(arrays: Mapping[str, Tensor], clip: float, key: Key) -> Tensor:
    sizes = _sizes(arrays)
    update = library.Update(
        members=sizes["P"],
        size=sizes["N"],
        threads=torch.get_num_threads(),
        instruction_set=library.best_instruction_set(),
        key=key,
        clip=clip,
        first=ADAM_BETAS[0],
        second=ADAM_BETAS[1],
    )
    room = library.Update.room(sizes, ["finite"])
    library.call("learner_update", update.point(sizes, {**arrays, **room}))
    return room["finite"]
