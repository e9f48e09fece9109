"""The kernels of whole episodes (episodes.cu): what they are specialised on, their blocks, what they take."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_float, c_int, c_longlong
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import torch

from agents.spec import ControllerSpec
from nram_env.envs.episode import Rules
from nram_env.machine.backends.cuda import kernels
from nram_env.machine.backends.cuda.error import KernelError
from nram_env.machine.backends.cuda.timestep import machine_defines, numbers_of
from nram_env.machine.backends.record import BOOLEAN, FLOAT, INTEGER, Array, Record, addresses

SOURCE = Path(__file__).with_name("episodes.cu")

WORD = torch.int32

BATCH = 16
"""Examples of one member that a block takes at most."""


def defines(
    spec: ControllerSpec, rules: Rules, memory_size: int, batch: int, shared_bytes: int
) -> dict[str, int | str]:
    """What the kernel is specialised on.

    Args:
        spec: Controller and machine.
        rules: Those of the environment.
        memory_size: M.
        batch: Examples of a member.
        shared_bytes: Shared memory that a block can have.
    """
    return {
        **machine_defines(spec.machine, memory_size),
        "LSTM": int(spec.kind == "lstm"),
        "HIDDEN": spec.hidden_size,
        "SHARP": int(spec.sharp_tests),
        "SHARP_REGISTERS": int(rules.sharp_registers),
        "NOISY_REGISTERS": int(rules.noisy_registers),
        "MIXTURE": int(rules.loss == "mixture"),
        "BATCH": min(batch, BATCH),
        "SHARED_BYTES": shared_bytes,
    }


@dataclass(frozen=True)
class Block:
    """How many examples and threads a block of these kernels has, and what shared memory, in bytes."""

    kernels: kernels.Kernels
    examples: int
    threads: int
    forward_bytes: int
    backward_bytes: int


Order = tuple[tuple[str, int | str], ...]
"""What the kernel is specialised on, as a key."""


def order_of(spec: ControllerSpec, rules: Rules, memory_size: int, batch: int, device: torch.device) -> Order:
    """The same on a card, as a key."""
    return tuple(defines(spec, rules, memory_size, batch, kernels.shared_memory(device)).items())


def block_of(order: Order, device: torch.device) -> Block:
    """The kernels, built unless that was done before; the first time, the device is waited for."""
    return _built(order, device, kernels.build)


@cache
def _built(order: Order, device: torch.device, build: Callable[..., kernels.Kernels]) -> Block:
    built = build(SOURCE, dict(order), device)
    return Block(built, *numbers_of(built, "episode_shape", 4, device))


def refusal(order: Order, device: torch.device) -> str | None:
    """Why the kernels cannot be built, or None if they were."""
    return _refused(order, device, kernels.build)


@cache
def _refused(order: Order, device: torch.device, build: Callable[..., kernels.Kernels]) -> str | None:
    try:
        _built(order, device, build)
    except KernelError as error:
        return str(error)
    return None


class Play(Record):
    """What the kernels take; see episodes.cu.

    Of the letters: X = P x B, C = T + 1, S is slots of memory's tape, K the number of blocks, O = R + 1, I
    and L are what enters the second and the last layer and 1, A comes out of the second.
    """

    arrays: ClassVar = {
        "parameters": Array(FLOAT, "PN"),
        "memory": Array(INTEGER, "XM"),
        "target": Array(INTEGER, "XM"),
        "horizon": Array(INTEGER, "X"),
        "mask": Array(BOOLEAN, "XM"),
        "chance": Array(INTEGER, "X", optional=True),
        "registers_tape": Array(FLOAT, "TXRM", optional=True),
        "memory_tape": Array(FLOAT, "SXMM"),
        "survival_tape": Array(FLOAT, "TX", optional=True),
        "finished_tape": Array(BOOLEAN, "TX", optional=True),
        "observed": Array(FLOAT, "PTBO", optional=True),
        "inputs": Array(FLOAT, "PTBI", optional=True),
        "last": Array(FLOAT, "PTBL", optional=True),
        "activations": Array(FLOAT, "PTBA", optional=True),
        "cell": Array(FLOAT, "PCBH", optional=True),
        "halting": Array(FLOAT, "TX"),
        "likelihood": Array(FLOAT, "TX"),
        "entropy": Array(FLOAT, "TX"),
        "halting_entropy": Array(FLOAT, "TX"),
        "credit": Array(FLOAT, "XM", optional=True),
        "output": Array(FLOAT, "XMM"),
        "taken": Array(WORD, "K"),
        "silent": Array(WORD, "K"),
        "d_halting": Array(FLOAT, "TX", optional=True),
        "d_likelihood": Array(FLOAT, "TX", optional=True),
        "d_entropy": Array(FLOAT, "TX", optional=True),
        "d_halting_entropy": Array(FLOAT, "TX", optional=True),
        "d_logits": Array(FLOAT, "PTBD", optional=True),
        "d_second": Array(FLOAT, "PTBA", optional=True),
        "d_first": Array(FLOAT, "PTBH", optional=True),
    }
    _fields_ = (
        *addresses(arrays),
        ("members", c_longlong),
        ("batch", c_longlong),
        ("timesteps", c_int),
        ("slots", c_int),
        ("log_floor", c_float),
        ("floor", c_float),
        ("limit", c_float),
    )


class MixturePlay(Play):
    """The same with the mixture loss."""

    arrays: ClassVar = {
        **Play.arrays,
        "likelihood": Array(FLOAT, "TXM"),
        "d_likelihood": Array(FLOAT, "XM", optional=True),
    }
