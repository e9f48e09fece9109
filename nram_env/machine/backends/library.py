"""The compiled library of the fused backend: where it is, and its functions and records (see native/)."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Sequence
from ctypes import c_float, c_int
from functools import cache
from pathlib import Path

from nram_env.machine.backends.engine import Gradients, Inputs, Outputs
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


FUNCTIONS = {Outputs: "nram_forward", Gradients: "nram_backward"}
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


def check(status: int) -> None:
    """Raise what the status of a call of either library means, unless it is 0.

    Raises:
        MemoryError: There is not enough for a workspace.
        ValueError: Something that was passed is not legal.
    """
    if status == _NO_MEMORY:
        raise MemoryError("there is not enough memory for the workspace of the native library")
    if status:
        raise ValueError(_ERRORS[status])


_NO_MEMORY = 1
_ERRORS = {
    2: "a target is not in 0..M-1",
    3: "the gate list holds a gate that the library does not know; install the package again",
}


@cache
def load() -> ctypes.CDLL | None:
    """The library, or None where `open_library` gives none; that is logged, once."""
    library = open_library(
        LIBRARY_FILE,
        "the fused backend is missing, the slower reference backend runs instead",
        (Machine, Inputs, *FUNCTIONS),
    )
    if library is None:
        return None
    for result, name in FUNCTIONS.items():
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
