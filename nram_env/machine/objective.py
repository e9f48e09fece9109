"""Halting distribution, log-likelihood of the output, losses and errors (paper, Section 3.3)."""

from __future__ import annotations

import torch
from torch import Tensor

LOG_FLOOR = 1e-6
"""Default eps of log(max(x, eps)); the paper leaves its value open."""


def halting_distribution(halting_probs: Tensor) -> Tensor:
    """p_t = f_t * prod over s < t of (1 - f_s); the last step takes what is left whatever f_T says.

    Args:
        halting_probs: f_t, (B, T), each in 0..1.

    Returns:
        (B, T); every row sums to 1.
    """
    alive = torch.cumprod(1 - halting_probs, dim=1)
    before = torch.cat([torch.ones_like(alive[:, :1]), alive[:, :-1]], dim=1)
    return torch.cat([(halting_probs * before)[:, :-1], before[:, -1:]], dim=1)


def output_probabilities(memory: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Probability M[i, y_i] of each wanted value, (B, M); 1 outside the output cells.

    Args:
        memory: (B, M, M).
        target: Wanted integers y, (B, M).
        mask: (B, M), true at the output cells.
    """
    wanted = memory.gather(-1, target[..., None])[..., 0]
    return wanted.masked_fill(~mask, 1.0)


def output_log_likelihood(
    memory: Tensor, target: Tensor, mask: Tensor, log_floor: float = LOG_FLOOR
) -> Tensor:
    """Sum over output cells i of log max(M[i, y_i], log_floor), (B,)."""
    return output_probabilities(memory, target, mask).clamp_min(log_floor).log().sum(-1)


def expected_loss(halting: Tensor, log_likelihoods: Tensor) -> Tensor:
    """- sum over t of p_t * log-likelihood_t, (B,).

    Args:
        halting: p_t, (B, T), from `halting_distribution`.
        log_likelihoods: (B, T), from `output_log_likelihood` of the memory after each step.
    """
    return -(halting * log_likelihoods).sum(1)


def mixture_loss(halting: Tensor, probabilities: Tensor, log_floor: float = LOG_FLOOR) -> Tensor:
    """- sum over cells i of log sum over t of p_t M_t[i, y_i], (B,).

    Args:
        halting: p_t, (B, T).
        probabilities: (B, T, M), from `output_probabilities` of the memory after each step.
        log_floor: Floor under the logarithm.
    """
    mixed = (halting[..., None] * probabilities).sum(1)
    return -mixed.clamp_min(log_floor).log().sum(-1)


def wrong_cells(memory: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Output cells whose most probable value is not the wanted one, (B, M) booleans."""
    return (memory.argmax(-1) != target) & mask


def cell_error(wrong: Tensor, mask: Tensor) -> float:
    """Wrong output cells / output cells, over the whole batch; both (B, M)."""
    return (wrong.sum() / mask.sum()).item()


def exact_error(wrong: Tensor) -> float:
    """Share of examples with any wrong output cell; `wrong` is (B, M)."""
    return wrong.any(-1).float().mean().item()
