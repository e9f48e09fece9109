"""ActionLayout: which slice of the action is which selector. The single source for all packages.

Order of the numbers: for gate 0, 1, ...: for each argument that it reads, R + i numbers; then for
register 0, 1, ...: R + Q numbers; last the halting logit. Needs numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from nram_env.machine.gates import Gate
from nram_env.support import unknown_name

HALT = "halt"
"""Name of the halting logit, the last number of an action."""


@dataclass(frozen=True)
class Selector:
    """One attention: a distribution over the values that a gate argument or a register may take.

    Choice c < R is register c; choice R + j is the output of gate j.

    Attributes:
        name: As in "gate5.ADD.b" or "register2".
        start: First position in the action.
        size: Number of choices: R + i for an argument of gate i, R + Q for a register.
        gate: Position of the gate in the gate list, or None for a register's selector.
        argument: Which argument of the gate (0 or 1); 0 for a register's selector.
        register: Register that is updated, or None for a gate's selector.
    """

    name: str
    start: int
    size: int
    gate: int | None = None
    argument: int = 0
    register: int | None = None

    @property
    def slice(self) -> slice:
        """The positions of this selector in an action."""
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class ActionLayout:
    """Every slice of a machine's action.

    Attributes:
        num_registers: R.
        gates: The gate list.
        selectors: All selectors in order.

    Example:
        >>> from nram_env.machine import MachineConfig
        >>> layout = MachineConfig(4).layout
        >>> layout.num_probs, layout.size, layout["gate0.READ.p"].slice
        (307, 308, slice(0, 4, None))
    """

    num_registers: int
    gates: tuple[Gate, ...]
    selectors: tuple[Selector, ...]

    @staticmethod
    @cache
    def of(num_registers: int, gates: tuple[Gate, ...]) -> ActionLayout:
        """Lay out the action of a machine with these registers and gates."""
        sizes = [
            (f"gate{i}.{gate.label}.{name}", num_registers + i, i, k, None)
            for i, gate in enumerate(gates)
            for k, name in enumerate(gate.arguments)
        ] + [(f"register{r}", num_registers + len(gates), None, 0, r) for r in range(num_registers)]
        starts = np.cumsum([0] + [size for _, size, *_ in sizes]).tolist()
        selectors = tuple(
            Selector(name, start, size, gate, argument, register)
            for start, (name, size, gate, argument, register) in zip(starts, sizes, strict=False)
        )
        return ActionLayout(num_registers, gates, selectors)

    @cached_property
    def num_probs(self) -> int:
        """K, the length of packed selector probabilities: everything but the halting logit."""
        last = self.selectors[-1]
        return last.start + last.size

    @property
    def size(self) -> int:
        """D = K + 1, the length of an action."""
        return self.num_probs + 1

    @property
    def halt(self) -> int:
        """Position of the halting logit."""
        return self.num_probs

    @cached_property
    def rows_of_gate(self) -> tuple[slice, ...]:
        """For every gate, which of the selectors are its arguments."""
        ends = np.cumsum([gate.arity for gate in self.gates]).tolist()
        return tuple(slice(end - gate.arity, end) for end, gate in zip(ends, self.gates, strict=True))

    @property
    def register_rows(self) -> slice:
        """Which of the selectors update registers."""
        return slice(len(self.selectors) - self.num_registers, len(self.selectors))

    @cached_property
    def choice_counts(self) -> tuple[int, ...]:
        """Number of choices of every selector, in order."""
        return tuple(selector.size for selector in self.selectors)

    def __getitem__(self, name: str) -> Selector:
        """Look a selector up by name.

        Raises:
            ValueError: The name is unknown; the message offers the nearest.
        """
        for selector in self.selectors:
            if selector.name == name:
                return selector
        raise unknown_name("selector", name, (selector.name for selector in self.selectors))

    def choice_name(self, choice: int) -> str:
        """Name what a choice stands for: "r2" for a register, "gate5.ADD" for a gate's output."""
        if choice < self.num_registers:
            return f"r{choice}"
        position = choice - self.num_registers
        return f"gate{position}.{self.gates[position].label}"

    def one_hot(self, choices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Packed selector probabilities (..., K) that put all weight on the given choices (..., S).

        Raises:
            ValueError: Not one choice a selector, or a choice out of its range.
        """
        values = np.asarray(choices, dtype=np.int64)
        counts = np.array(self.choice_counts)
        if values.shape[-1:] != counts.shape:
            raise ValueError(f"expected {len(counts)} choices, got an array of shape {values.shape}")
        if np.any((values < 0) | (values >= counts)):
            worst = int(np.argwhere((values < 0) | (values >= counts))[0, -1])
            selector = self.selectors[worst]
            raise ValueError(
                f"choice {int(values[..., worst].flat[0])} of {selector.name} "
                f"is not in 0..{selector.size - 1}"
            )
        starts = np.array([selector.start for selector in self.selectors])
        packed = np.zeros((*values.shape[:-1], self.num_probs))
        np.put_along_axis(packed, starts + values, 1.0, axis=-1)
        return packed

    def choices(self, logits: np.ndarray) -> np.ndarray:
        """Largest entry of every selector (..., S) in packed logits or probabilities; first on ties."""
        columns = [np.argmax(logits[..., s.slice], axis=-1) for s in self.selectors]
        return np.stack(columns, axis=-1)

    @cached_property
    def padded_positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Selectors as rows of one rectangle, for a softmax of all of them at once.

        Returns:
            Positions (S, L) into the packed numbers, and the boolean mask (S, L) of the real ones.
        """
        width = max(self.choice_counts)
        column = np.arange(width)
        starts = np.array([selector.start for selector in self.selectors])[:, None]
        real = column < np.array(self.choice_counts)[:, None]
        return np.where(real, starts + column, 0), real
