"""The compiled library of the learner: where it is, when it serves, its functions and records."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection
from ctypes import c_double, c_float, c_int, c_longlong, c_uint, c_void_p
from functools import cache
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from nram_env.machine.backends.library import Machine, check, open_library
from nram_env.machine.backends.record import BOOLEAN, FLOAT, INTEGER, Array, Record, addresses

LIBRARY_FILE = Path(__file__).with_name("libnram_learner.so")
"""Made when the package is installed, if there is a C++ compiler."""


class Stack(ctypes.Structure):
    """P controllers and how to run them."""

    _fields_ = (
        ("kind", c_int),
        ("inputs", c_int),
        ("hidden", c_int),
        ("outputs", c_int),
        ("sharp", c_int),
        ("members", c_longlong),
        ("batch", c_longlong),
        ("threads", c_int),
        ("instruction_set", c_int),
    )


class Unroll(Record):
    """Whole episodes of P controllers on P x B examples, X in all; F is the size of the tape."""

    arrays: ClassVar = {
        "parameters": Array(FLOAT, "PN"),
        "registers": Array(FLOAT, "XRM"),
        "memory": Array(FLOAT, "XMM"),
        "survival": Array(FLOAT, "X"),
        "zero_probs": Array(FLOAT, "XR"),
        "target": Array(INTEGER, "XM"),
        "mask": Array(BOOLEAN, "XM"),
        "horizon": Array(INTEGER, "X"),
        "chance": Array(INTEGER, "X", optional=True),
        "tape": Array(FLOAT, "F"),
        "halting": Array(FLOAT, "TX"),
        "log_likelihood": Array(FLOAT, "TX"),
        "entropy": Array(FLOAT, "TX"),
        "halting_entropy": Array(FLOAT, "TX"),
        "output": Array(FLOAT, "XMM"),
        "credit": Array(FLOAT, "XM", optional=True),
        "likelihood": Array(FLOAT, "TXM", optional=True),
        "wrong": Array(BOOLEAN, "XM"),
        "finite": Array(BOOLEAN, "P"),
        "taken": Array(INTEGER, "P"),
        "of_halting": Array(FLOAT, "SX", optional=True),
        "of_log_likelihood": Array(FLOAT, "SX", optional=True),
        "of_entropy": Array(FLOAT, "SX", optional=True),
        "of_halting_entropy": Array(FLOAT, "SX", optional=True),
        "of_credit": Array(FLOAT, "XM", optional=True),
        "gradient": Array(FLOAT, "PN", optional=True),
    }
    _fields_ = (
        ("stack", Stack),
        ("size", c_longlong),
        ("machine", ctypes.POINTER(Machine)),
        ("forward", c_void_p),
        ("backward", c_void_p),
        ("timesteps", c_longlong),
        ("slots", c_longlong),
        ("sharp_registers", c_int),
        ("machine_seconds", ctypes.POINTER(c_double)),
        *addresses(arrays),
    )


class Update(Record):
    """One step of Adam with noise."""

    arrays: ClassVar = {
        "parameters": Array(FLOAT, "PN"),
        "momentum": Array(FLOAT, "PN"),
        "variance": Array(FLOAT, "PN"),
        "gradient": Array(FLOAT, "PN"),
        "rate": Array(FLOAT, "P"),
        "epsilon": Array(FLOAT, "P"),
        "deviation": Array(FLOAT, "P"),
        "finite": Array(BOOLEAN, "P"),
    }
    _fields_ = (
        ("members", c_longlong),
        ("size", c_longlong),
        ("threads", c_int),
        ("instruction_set", c_int),
        ("key", c_uint * 2),
        ("clip", c_float),
        ("first", c_float),
        ("second", c_float),
        *addresses(arrays),
    )


class Rows(Record):
    """Rows (P, N) to be looked through for numbers that are not finite."""

    arrays: ClassVar = {"values": Array(FLOAT, "PN"), "finite": Array(BOOLEAN, "P")}
    _fields_ = (("rows", c_longlong), ("columns", c_longlong), ("instruction_set", c_int), *addresses(arrays))


FUNCTIONS = {
    "learner_tape_floats": Unroll,
    "learner_forward": Unroll,
    "learner_backward": Unroll,
    "learner_update": Update,
    "learner_finite": Rows,
}
"""The library's functions and what they take."""


@cache
def load() -> ctypes.CDLL | None:
    """The library, or None where `open_library` gives none; that is logged, once."""
    library = open_library(
        LIBRARY_FILE,
        "the library of the learner is missing, slower torch runs instead",
        (Stack, Unroll, Update, Rows),
    )
    if library is not None:
        for name, record in FUNCTIONS.items():
            getattr(library, name).argtypes = (ctypes.POINTER(record),)
        library.learner_tape_floats.restype = c_longlong
    return library


@cache
def best_instruction_set() -> int:
    """The best instruction set that this processor has; see `nram_env.machine.backends.library`."""
    library = load()
    return 0 if library is None else int(library.learner_instruction_set())


def call(function: str, record: Record) -> None:
    """Call one of `FUNCTIONS`; the library must be there.

    Raises:
        MemoryError: There is not enough for the workspace.
        ValueError: A target is not in 0..M-1.
    """
    check(getattr(load(), function)(record))


def missing() -> str | None:
    """Say that the library is not there, or None if it is."""
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
    members, columns = values.shape
    sizes = {"P": members, "N": columns}
    arrays = {"values": values, **Rows.room(sizes, ["finite"])}
    if Rows.obstacle(sizes, arrays) or missing():
        return values.isfinite().all(1)
    rows = Rows(rows=members, columns=columns, instruction_set=best_instruction_set())
    call("learner_finite", rows.point(sizes, arrays))
    return arrays["finite"]
