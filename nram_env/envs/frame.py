"""What a picture of one machine shows, as plain numpy: the state, and what the last timestep touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nram_env.envs.episode import EpisodeState, Rules
from nram_env.machine import Gate
from nram_env.machine.ambient import full_precision
from nram_env.machine.backends.reference import soften
from nram_env.machine.soft_gates import soft_gate


@dataclass(frozen=True)
class Access:
    """One READ or WRITE of a timestep.

    Attributes:
        gate: READ or WRITE.
        pointer: (M,); distribution of the address.
        value: (M,); distribution of the integer that was read or stored.
    """

    gate: Gate
    pointer: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class Frame:
    """One machine at one moment.

    Attributes:
        title: Title of the task.
        state: The episode's state, a batch of one.
        before: The state one timestep earlier, or None at the start.
        accesses: The READs and WRITEs that lie between, in order.
    """

    title: str
    state: EpisodeState
    before: EpisodeState | None = None
    accesses: tuple[Access, ...] = ()


def frame_of(
    rules: Rules, title: str, state: EpisodeState, last: tuple[EpisodeState, Tensor] | None, row: int = 0
) -> Frame:
    """What a picture shows of one row of a batch.

    Args:
        rules: What the episode is run with.
        title: Title of the task.
        state: B episodes.
        last: The state before the last timestep and its logits (B, D), if it led to this state. Where a row
            stood still in it, or has begun again since, the frame has no READ and WRITE.
        row: Which one.
    """
    now = state.row(row)
    if last is None or (before := last[0].row(row)).elapsed.item() + 1 != now.elapsed.item():
        return Frame(title, now)
    return Frame(title, now, before, accesses(rules, before, last[1][row : row + 1].detach().cpu()))


@torch.no_grad()
def accesses(rules: Rules, before: EpisodeState, logits: Tensor) -> tuple[Access, ...]:
    """Run the gates of one timestep again and note every READ and WRITE.

    Args:
        rules: What the episode is run with.
        before: The state before the timestep, a batch of one.
        logits: (1, D).
    """
    layout = rules.machine.layout
    selectors = soften(layout, logits)[0]
    if rules.hard:
        selectors = torch.from_numpy(layout.one_hot(layout.choices(logits.numpy()))).to(selectors)
    values, memory, noted = before.registers, before.memory, []
    for gate, rows in zip(rules.machine.gates, layout.rows_of_gate, strict=True):
        weights = [selectors[:, None, selector.slice] for selector in layout.selectors[rows]]
        with full_precision(logits):
            arguments = [(weight @ values)[:, 0] for weight in weights]
            output, memory = soft_gate(gate, arguments, memory)
        if gate in (Gate.READ, Gate.WRITE):
            noted.append(Access(gate, arguments[0][0].numpy(), output[0].numpy()))
        values = torch.cat([values, output[:, None]], dim=1)
    return tuple(noted)
