"""The compiled library of the fused backend: where it is, and its functions and records (see native/)."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from ctypes import c_float, c_int, c_int64, c_void_p
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from nram_env.machine.gates import Gate

LIBRARY_FILE = Path(__file__).with_name("libnram_fused.so")
"""Made when the package is installed, if there is a C++ compiler."""

INSTRUCTION_SETS = ("baseline", "AVX2", "AVX-512")
"""What the library can use; it is compiled for all of them, and the best is chosen when it runs."""


class Machine(ctypes.Structure):
    """A machine and how to run it."""

    _fields_ = (
        ("registers", c_int),
        ("size", c_int),
        ("gates", c_int),
        ("threads", c_int),
        ("instruction_set", c_int),
        ("rescale", c_int),
        ("clip", c_float),
        ("log_floor", c_float),
        ("floor", c_float),
        ("gate", ctypes.POINTER(c_int)),
    )


class Inputs(ctypes.Structure):
    """Addresses of what goes into a timestep; from the target on they may be None."""

    _fields_ = (
        ("batch", c_int64),
        ("registers", c_void_p),
        ("memory", c_void_p),
        ("survival", c_void_p),
        ("logits", c_void_p),
        ("target", c_void_p),
        ("mask", c_void_p),
        ("horizon", c_void_p),
        ("elapsed", c_void_p),
        ("finished", c_void_p),
        ("output", c_void_p),
    )


class Outputs(ctypes.Structure):
    """Addresses of what comes out of a timestep; from halting on only where runs are followed."""

    _fields_ = (
        ("registers", c_void_p),
        ("memory", c_void_p),
        ("survival", c_void_p),
        ("entropy", c_void_p),
        ("halting_entropy", c_void_p),
        ("log_likelihood", c_void_p),
        ("halting", c_void_p),
        ("zero_probs", c_void_p),
        ("output", c_void_p),
        ("elapsed", c_void_p),
        ("finished", c_void_p),
    )


class Gradients(ctypes.Structure):
    """Addresses of the gradients of the outputs, then of the inputs; None if missing or not wanted."""

    _fields_ = (
        ("new_registers", c_void_p),
        ("new_memory", c_void_p),
        ("new_survival", c_void_p),
        ("entropy", c_void_p),
        ("halting_entropy", c_void_p),
        ("log_likelihood", c_void_p),
        ("halting", c_void_p),
        ("zero_probs", c_void_p),
        ("registers", c_void_p),
        ("memory", c_void_p),
        ("survival", c_void_p),
        ("logits", c_void_p),
    )


FUNCTIONS = {"nram_forward": Outputs, "nram_backward": Gradients}
"""The library's functions of a machine, its inputs, and this."""


def open_library(
    file: Path, consequence: str, records: Sequence[type[ctypes.Structure]]
) -> ctypes.CDLL | None:
    """Load a library; where it cannot be used, log the consequence and the reason and return None.

    Args:
        file: The library.
        consequence: What is missing without it.
        records: Records of its calls. A library built from other sources has others, and would crash.
    """
    try:
        library = ctypes.CDLL(str(file))
        theirs = [library.nram_record_size(record) for record in range(len(records) + 1)]
    except (OSError, AttributeError) as error:
        reason = str(error)
    else:
        if theirs == [*map(ctypes.sizeof, records), 0]:
            return library
        reason = f"{file} was built from another version of the package"
    logging.getLogger("nram_env").warning(
        "%s (%s); install the package again with a C++ compiler at hand to build it", consequence, reason
    )
    return None


def unfit(name: str, tensor: Tensor, dtype: torch.dtype | None) -> str | None:
    """Say why native code cannot work on a tensor, or None.

    Args:
        name: What the tensor is called in the answer.
        tensor: Any tensor.
        dtype: What it must hold; None if that does not matter.
    """
    if dtype is not None and tensor.dtype is not dtype:
        return f"{name} must be {dtype}, got {tensor.dtype}"
    if not tensor.is_cpu:
        return f"{name} must be on the CPU, got {tensor.device}"
    if not tensor.is_contiguous():
        return f"{name} must be contiguous, got strides {tensor.stride()} for shape {tuple(tensor.shape)}"
    return None


@cache
def load() -> ctypes.CDLL | None:
    """The library, or None where `open_library` gives none; that is logged, once."""
    library = open_library(
        LIBRARY_FILE,
        "the fused backend is missing, the slower reference backend runs instead",
        (Machine, Inputs, *FUNCTIONS.values()),
    )
    if library is None:
        return None
    for name, result in FUNCTIONS.items():
        pointers = [ctypes.POINTER(record) for record in (Machine, Inputs, result)]
        getattr(library, name).argtypes = pointers
    return library


@cache
def best_instruction_set() -> int:
    """Index into `INSTRUCTION_SETS` of the best one that this processor has."""
    library = load()
    return 0 if library is None else int(library.nram_instruction_set())


@cache
def gate_numbers(gates: tuple[Gate, ...]) -> ctypes.Array[c_int]:
    """The gate list as a C array."""
    return (c_int * len(gates))(*gates)
