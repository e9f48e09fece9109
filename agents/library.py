"""The compiled library of the learner: where it is, when it serves, its functions and records."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Mapping
from ctypes import c_double, c_float, c_int, c_longlong, c_uint, c_void_p
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from nram_env.machine.backends.library import Machine, open_library, unfit

LIBRARY_FILE = Path(__file__).with_name("libnram_learner.so")
"""Made when the package is installed, if there is a C++ compiler."""


class Stack(ctypes.Structure):
    """P controllers and how to run them."""

    _fields_ = (
        ("kind", c_int),
        ("inputs", c_int),
        ("hidden", c_int),
        ("outputs", c_int),
        ("members", c_longlong),
        ("batch", c_longlong),
        ("threads", c_int),
        ("instruction_set", c_int),
    )


class Unroll(ctypes.Structure):
    """Whole episodes of P controllers on P x B examples; addresses of their arrays."""

    _fields_ = (
        ("stack", Stack),
        ("size", c_longlong),
        ("machine", ctypes.POINTER(Machine)),
        ("forward", c_void_p),
        ("backward", c_void_p),
        ("timesteps", c_longlong),
        ("slots", c_longlong),
        ("machine_seconds", ctypes.POINTER(c_double)),
        *(
            (name, c_void_p)
            for name in (
                *("parameters", "registers", "memory", "survival", "zero_probs", "target", "mask", "horizon"),
                *("tape", "halting", "log_likelihood", "entropy", "halting_entropy", "output", "credit"),
                *("likelihood", "wrong", "finite", "taken", "of_halting", "of_log_likelihood", "of_entropy"),
                *("of_halting_entropy", "of_credit", "gradient"),
            )
        ),
    )


class Update(ctypes.Structure):
    """One step of Adam with noise; addresses of its arrays."""

    _fields_ = (
        ("members", c_longlong),
        ("size", c_longlong),
        ("threads", c_int),
        ("instruction_set", c_int),
        ("key", c_uint * 2),
        ("clip", c_float),
        ("first", c_float),
        ("second", c_float),
        ("parameters", c_void_p),
        ("momentum", c_void_p),
        ("variance", c_void_p),
        ("gradient", c_void_p),
        ("rate", c_void_p),
        ("epsilon", c_void_p),
        ("deviation", c_void_p),
        ("finite", c_void_p),
    )


FUNCTIONS = {
    "learner_tape_floats": (ctypes.POINTER(Unroll),),
    "learner_forward": (ctypes.POINTER(Unroll),),
    "learner_backward": (ctypes.POINTER(Unroll),),
    "learner_update": (ctypes.POINTER(Update),),
    "learner_finite": (c_int, c_void_p, c_longlong, c_longlong, c_void_p),
}
"""The library's functions and what they take."""


@cache
def load() -> ctypes.CDLL | None:
    """The library, or None where `open_library` gives none; that is logged, once."""
    library = open_library(
        LIBRARY_FILE,
        "the library of the learner is missing, slower torch runs instead",
        (Stack, Unroll, Update),
    )
    if library is not None:
        for name, arguments in FUNCTIONS.items():
            getattr(library, name).argtypes = arguments
        library.learner_tape_floats.restype = c_longlong
    return library


@cache
def best_instruction_set() -> int:
    """The best instruction set that this processor has; see `nram_env.machine.backends.library`."""
    library = load()
    return 0 if library is None else int(library.learner_instruction_set())


def call(function: str, *arguments: object) -> None:
    """Call one of `FUNCTIONS`; the library must be there.

    Raises:
        MemoryError: There is not enough for the workspace.
    """
    if getattr(load(), function)(*arguments):
        raise MemoryError("there is not enough memory for the workspace of the learner")


def obstacle(tensors: Mapping[str, Tensor]) -> str | None:
    """Say why the library cannot work on these tensors, or None."""
    for name, tensor in tensors.items():
        reason = unfit(name, tensor, torch.float32)
        if reason is not None:
            return reason
    if load() is None:
        return f"the library {LIBRARY_FILE.name} was not built, or from another version"
    return None


def serves(backends: Collection[str], find_obstacle: Callable[[], str | None]) -> bool:
    """Whether the library computes something, rather than torch.

    Args:
        backends: Of all that takes part: "fused" for the library, "auto" for the library where it can,
            anything else for torch.
        find_obstacle: Says why the library cannot compute it, or None.

    Raises:
        ValueError: A backend is "fused", and there is an obstacle.
    """
    if not all(backend in ("auto", "fused") for backend in backends):
        return False
    reason = find_obstacle()
    if reason is not None and "fused" in backends:
        raise ValueError(f"the library of the learner cannot run: {reason}; backend='reference' can")
    return reason is None


def finite_rows(values: Tensor) -> Tensor:
    """(P,) booleans: rows of (P, N) without NaN or infinity."""
    if obstacle({"values": values}) is not None:
        return values.isfinite().all(1)
    answers = torch.empty(len(values), dtype=torch.bool)
    library = load()
    assert library is not None
    library.learner_finite(best_instruction_set(), values.data_ptr(), *values.shape, answers.data_ptr())
    return answers
