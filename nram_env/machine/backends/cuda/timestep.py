"""The cuda backend: a timestep by one kernel each way, float32 on an NVIDIA card (timestep.cu).

Some lanes of a warp compute an example. Its numbers depend on no other example, and are the same every time.
The backward pass computes the timestep forward once more and keeps nothing but the inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import Structure, c_float, c_int
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from nram_env.machine.backends import engine
from nram_env.machine.backends.base import Backend, Runs, Wanted
from nram_env.machine.backends.cuda import kernels
from nram_env.machine.backends.cuda.error import KernelError
from nram_env.machine.backends.record import FLOAT, Array, Record, addresses
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState

SOURCE = Path(__file__).with_name("timestep.cu")

LARGEST_MEMORY, MOST_REGISTERS, MOST_LOGITS = 64, 16, 1024
"""Sizes that machine.cuh is made for: M, R and D."""

WARP, MOST_THREADS = 32, 128
"""Threads of a block, at least and at most."""

ALIGNMENT = 8
"""Bytes of the longest vector in which the kernel loads what it is given."""


def take(
    config: MachineConfig, state: MachineState, logits: Tensor, wanted: Wanted | None, runs: Runs | None
) -> Backend | str:
    """Look at what goes into a timestep; say why the backend cannot run these tensors if it cannot.

    The first timestep of its kind waits for the kernel to be compiled.
    """
    device, obstacle = logits.device, too_large(config, state.memory_size)
    given = obstacle or engine.take(config, state, logits, wanted, runs, device)
    if isinstance(given, str):
        return given
    built = _built(config, state.memory_size, wanted is not None, device, kernels.build)
    return built if isinstance(built, str) else partial(engine.run, built.compute, given)


def too_large(config: MachineConfig, memory_size: int) -> str | None:
    """Say why machine.cuh is not made for a machine, or None if it is.

    Args:
        config: The machine.
        memory_size: M.
    """
    limits = {
        "M": (memory_size, LARGEST_MEMORY),
        "R": (config.num_registers, MOST_REGISTERS),
        "the number of logits": (config.layout.size, MOST_LOGITS),
    }
    for name, (value, most) in limits.items():
        if value > most:
            return f"{name} is {value}, and the kernel takes {most} at most"
    return None


class _Step(Structure):
    """What both kernels take."""

    _fields_ = (
        ("given", engine.Inputs),
        ("found", engine.Outputs),
        ("gradients", engine.Gradients),
        ("log_floor", c_float),
        ("floor", c_float),
        ("limit", c_float),
        ("rescale", c_int),
    )


@dataclass(frozen=True)
class _Kernels:
    """Both kernels of a machine on a device.

    Attributes:
        kernels: They.
        room: Bytes of shared memory that a block can have there.
        lanes: Threads that compute an example.
        forward_bytes: Shared memory of an example on its way forward.
        backward_bytes: And backward.
    """

    kernels: kernels.Kernels
    room: int
    lanes: int
    forward_bytes: int
    backward_bytes: int

    def obstacle(self) -> str | None:
        """Say that a block of one warp has too little shared memory, or None if it has enough."""
        least = WARP // self.lanes * max(self.forward_bytes, self.backward_bytes)
        if least <= self.room:
            return None
        return f"the kernel needs {least} bytes of shared memory in a block, and the card has {self.room}"

    def compute(
        self, call: engine.Call, given: engine.Inputs, results: engine.Outputs | engine.Gradients
    ) -> None:
        """Start the one that computes these results; nothing waits for it."""
        if given.batch == 0:
            return
        given, results = (
            _aligned(given, call.device),
            _aligned(results, call.device),
        )  # copies live till it starts
        forward = isinstance(results, engine.Outputs)
        bytes_each = self.forward_bytes if forward else self.backward_bytes
        examples = self._examples(bytes_each)
        self.kernels.launch(
            "timestep_forward" if forward else "timestep_backward",
            -(-given.batch // examples),
            examples * self.lanes,
            examples * bytes_each,
            _step(call, given, results),
        )

    def _examples(self, bytes_each: int) -> int:
        """How many a block has: as many as there is room for, in whole warps."""
        examples = MOST_THREADS // self.lanes
        while examples * bytes_each > self.room:
            examples //= 2
        return examples


def machine_defines(config: MachineConfig, memory_size: int) -> dict[str, int | str]:
    """What a source that includes machine.cuh is specialised on.

    Args:
        config: The machine.
        memory_size: M.
    """
    gates = ",".join(str(int(gate)) for gate in config.gates)
    return {"MEMORY": memory_size, "REGISTERS": config.num_registers, "GATE_LIST": gates}


def defines(config: MachineConfig, memory_size: int, scored: bool) -> dict[str, int | str]:
    """What the kernel is specialised on.

    Args:
        config: The machine.
        memory_size: M.
        scored: Whether memory is scored against a wanted output.
    """
    return {**machine_defines(config, memory_size), "SCORED": int(scored)}


class _Numbers(Record):
    """What a kernel writes down of its source."""

    arrays: ClassVar = {"numbers": Array(torch.int32, "N")}
    _fields_ = addresses(arrays)


def numbers_of(built: kernels.Kernels, function: str, count: int, device: torch.device) -> list[int]:
    """What the host must know of a source that its kernel writes down; waits for the device."""
    numbers = torch.zeros(count, dtype=torch.int32, device=device)
    built.launch(function, 1, WARP, 0, _Numbers().point({"N": count}, {"numbers": numbers}, device))
    return numbers.tolist()


@cache
def _built(
    config: MachineConfig,
    memory_size: int,
    scored: bool,
    device: torch.device,
    build: Callable[..., kernels.Kernels],
) -> _Kernels | str:
    """The kernels of a machine, or why there are none."""
    try:
        compiled = build(SOURCE, defines(config, memory_size, scored), device)
        needs = numbers_of(compiled, "timestep_needs", 3, device)
    except KernelError as error:
        return str(error)
    built = _Kernels(compiled, kernels.shared_memory(device), *needs)
    return built.obstacle() or built


def _step(call: engine.Call, given: engine.Inputs, results: engine.Outputs | engine.Gradients) -> _Step:
    field = "found" if isinstance(results, engine.Outputs) else "gradients"
    return _Step(
        given=given,
        log_floor=call.log_floor,
        floor=call.floor,
        limit=call.options.limit,
        rescale=call.options.rescale,
        **{field: results},
    )


AnyRecord = TypeVar("AnyRecord", bound=Record)


def _aligned(record: AnyRecord, device: torch.device) -> AnyRecord:
    """A record, with copies of the numbers that begin where the kernel cannot load vectors of them.

    Arrays that were made for results begin where it can.
    """
    copies = {
        name: tensor.clone()
        for name, tensor in record.tensors.items()
        if tensor is not None and tensor.dtype is FLOAT and (getattr(record, name) or 0) % ALIGNMENT
    }
    if not copies:
        return record
    return type(record).from_buffer_copy(record).point(record.sizes, {**record.tensors, **copies}, device)
