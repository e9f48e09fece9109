"""Hardened stacks on a card, in one kernel (hard.cu): which members fail on which examples.

The kernel computes the controller in float32, `agents.hard` in float64, so that a run may differ where two
logits are all but equal: it is there to screen many members, and who passes is tested again by `agents.hard`.
"""

from __future__ import annotations

import ctypes
from ctypes import c_int, c_longlong
from itertools import accumulate
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from agents.controllers import Controller
from agents.spec import ControllerSpec
from nram_env.machine.backends.cuda import kernels
from nram_env.machine.backends.record import BOOLEAN, FLOAT, Array, Record, addresses
from nram_env.tasks import MixedBatch, TaskBatch

SOURCE = Path(__file__).with_name("hard.cu")

_WARP, _EXAMPLES = 32, 8
_SHORT, _INT = torch.int16, torch.int32


class Places(ctypes.Structure):
    """As in the source: where things begin in an example's share of shared memory, in floats."""

    _fields_ = tuple(
        (name, c_int)
        for name in (
            "observed", "first", "hidden", "cell", "out", "values", "choices", "memory", "stride"
        )
    )  # fmt: skip


class Runs(Record):
    """As in the source. W is the width of the batch, E = S + 1."""

    arrays: ClassVar = {
        "parameters": Array(FLOAT, "PN"),
        "memory": Array(_SHORT, "BW"),
        "wanted": Array(_SHORT, "BW"),
        "memory_sizes": Array(_INT, "B"),
        "limits": Array(_INT, "B"),
        "gates": Array(_INT, "Q"),
        "starts": Array(_INT, "E"),
        "failed": Array(BOOLEAN, "PB"),
        "steps": Array(_INT, "PB"),
    }
    _fields_ = (
        *addresses(arrays),
        ("size", c_longlong),
        ("examples", c_int),
        ("width", c_int),
        ("registers", c_int),
        ("num_gates", c_int),
        ("selectors", c_int),
        ("hidden", c_int),
        ("recurrent", c_int),
        ("must_stop", c_int),
        ("at", Places),
    )


def hard_failures(
    controller: Controller, batch: TaskBatch | MixedBatch, limit: np.ndarray, must_stop: bool
) -> tuple[Tensor, Tensor]:
    """Examples on which the hardened stack fails, booleans, and timesteps that it took, both (P, B).

    As `agents.hard.hard_failures`, but computed and left on the card.

    Args:
        controller: P members, their parameters on a card.
        batch: B examples; M is the largest where they differ.
        limit: Last timestep of every example, (B,).
        must_stop: A run that has not stopped by itself by then is a failure, whatever its output.

    Raises:
        ValueError: A memory or a target holds what is not in 0..M-1, or there is an `obstacle`.
    """
    reason = obstacle(controller, batch)
    if reason is not None:
        raise ValueError(f"the kernel of hardened stacks cannot run: {reason}")
    order = np.argsort(limit, kind="stable")  # examples that end together run together
    found = _run(controller, _arrays(batch, limit, order), must_stop)
    places = torch.from_numpy(np.argsort(order)).to(controller.parameters.device)
    return found["failed"][:, places], found["steps"][:, places]


def obstacle(controller: Controller, batch: TaskBatch | MixedBatch) -> str | None:
    """Say why the kernel cannot run this controller on these examples, or None if it can."""
    parameters, width = controller.parameters, batch.memory.shape[1]
    sizes, device = {"P": controller.num_members, "N": controller.spec.num_parameters}, parameters.device
    return (
        Runs.obstacle(sizes, {"parameters": parameters}, device)
        or kernels.obstacle(device)
        or _too_wide(controller.spec, width, device)
    )


def _too_wide(spec: ControllerSpec, width: int, device: torch.device) -> str | None:
    if width > np.iinfo(np.int16).max or _warp_bytes(spec, width) > kernels.shared_memory(device):
        return f"the shared memory of a card does not hold {_EXAMPLES} examples with M = {width}"
    return None


def _arrays(batch: TaskBatch | MixedBatch, limit: np.ndarray, order: np.ndarray) -> dict[str, Tensor]:
    """The examples in this order, as `Runs` has them."""
    sizes = batch.memory_sizes
    wanted = np.where(batch.mask, batch.target, 0)
    for cells in (batch.memory, wanted):
        if ((cells < 0) | (cells >= sizes[:, None])).any():
            raise ValueError("a memory or a target holds what is not in 0..M-1")
    arrays = {
        "memory": batch.memory.astype(np.int16),
        "wanted": np.where(batch.mask, wanted, -1).astype(np.int16),
        "memory_sizes": sizes.astype(np.int32),
        "limits": np.clip(limit, 0, np.iinfo(np.int32).max).astype(np.int32),
    }
    return {name: torch.from_numpy(array[order]) for name, array in arrays.items()}


def _run(controller: Controller, examples: dict[str, Tensor], must_stop: bool) -> dict[str, Tensor]:
    """Launch the kernel; what it fills."""
    spec, device, sizes = controller.spec, controller.parameters.device, _sizes(controller, examples)
    arrays = {name: array.to(device) for name, array in {**examples, **_machine(spec)}.items()}
    arrays["parameters"] = controller.parameters.detach()
    room = Runs.room(sizes, ["failed", "steps"], device)
    record = _record(spec, sizes, must_stop).point(sizes, {**arrays, **room}, device)
    if sizes["P"] and sizes["B"]:
        bytes_of_warp, needed = _warp_bytes(spec, sizes["W"]), -(-sizes["B"] // _EXAMPLES)
        warps = _warps(needed, kernels.shared_memory(device) // bytes_of_warp)
        blocks, built = sizes["P"] * -(-needed // warps), kernels.build(SOURCE, {}, device)
        built.launch("hard_runs", blocks, warps * _WARP, warps * bytes_of_warp, record)
    return room


def _sizes(controller: Controller, examples: dict[str, Tensor]) -> dict[str, int]:
    layout, (count, width) = controller.spec.machine.layout, examples["memory"].shape
    sizes = {"P": controller.num_members, "N": controller.spec.num_parameters, "B": count, "W": width}
    return {**sizes, "Q": len(layout.gates), "E": len(layout.selectors) + 1}


def _record(spec: ControllerSpec, sizes: dict[str, int], must_stop: bool) -> Runs:
    return Runs(
        size=sizes["N"],
        examples=sizes["B"],
        width=sizes["W"],
        registers=spec.machine.num_registers,
        num_gates=sizes["Q"],
        selectors=sizes["E"] - 1,
        hidden=spec.hidden_size,
        recurrent=spec.kind == "lstm",
        must_stop=must_stop,
        at=_places(spec, sizes["W"]),
    )


def _machine(spec: ControllerSpec) -> dict[str, Tensor]:
    """The gate list and where selectors begin, (Q,) and (S + 1,)."""
    layout = spec.machine.layout
    numbers = {
        "gates": [int(gate) for gate in layout.gates],
        "starts": [*(selector.start for selector in layout.selectors), layout.halt],
    }
    return {name: torch.tensor(row, dtype=_INT, device="cpu") for name, row in numbers.items()}


def _places(spec: ControllerSpec, width: int) -> Places:
    machine, hidden, recurrent = spec.machine, spec.hidden_size, spec.kind == "lstm"
    registers, values = machine.num_registers, machine.num_registers + machine.num_gates
    cell, out = (hidden, max(4 * hidden, machine.layout.size)) if recurrent else (0, machine.layout.size)
    lengths = [registers, hidden, hidden, cell, out, values, len(machine.layout.selectors), -(-width // 2)]
    *starts, end = accumulate((-(-length // 4) * 4 for length in lengths), initial=0)
    return Places(*starts, end if end % 8 else end + 4)  # so that neighbours lie in different banks


def _warp_bytes(spec: ControllerSpec, width: int) -> int:
    return 4 * _EXAMPLES * _places(spec, width).stride


def _warps(needed: int, fitting: int) -> int:
    """How many warps a block has, where a member needs so many and so many, at least one, find room."""
    return max(warps for warps in (1, 2, 4) if warps <= fitting and warps < 2 * needed)
