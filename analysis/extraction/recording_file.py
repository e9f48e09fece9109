"""Recordings as npz files, checked when they are read. Needs no torch."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from analysis.extraction.circuits import HardChoice
from analysis.extraction.record import RecordedRun, Recording
from analysis.program.file import SEMANTICS
from nram_env.checks import boolean, choice, record, shown
from nram_env.files import parse_json, read_bytes, reading
from nram_env.machine import MACHINE, MachineConfig
from nram_env.support import write_atomically

FORMAT = "nram-recording/2"

MOST_BYTES = 1 << 30
"""Size of a recording, in the file and unpacked."""

_HEADER = record(
    {"format": choice(FORMAT), "machine": MACHINE, "semantics": SEMANTICS, "stateless": boolean()}
)
_ARRAYS = {"choices": "u", "halts": "b", "margins": "f", "table": "i"} | dict.fromkeys(
    ("lengths", "patterns", "numbers"), "i"
)
"""Names of the arrays, and the kind of number in each, by numpy's letters."""

_DAMAGES = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError, NotImplementedError, SyntaxError)
"""What numpy raises, besides ValueError, on files that are no npz."""


def save_recording(recording: Recording, path: str | Path) -> None:
    """Write a recording as one npz file."""
    header = {
        "format": FORMAT,
        "machine": recording.machine.to_json(),
        "semantics": asdict(recording.semantics),
        "stateless": recording.stateless,
    }
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        header=np.array(json.dumps(header)),
        choices=np.array([step.choices for step in recording.steps], dtype=np.uint16),
        halts=np.array([step.halts for step in recording.steps]),
        margins=recording.margins,
        table=np.array(sorted(recording.table.items()), dtype=np.int64).reshape(-1, 2),
        lengths=np.array([len(run.steps) for run in recording.runs], dtype=np.int64),
        patterns=np.array([p for run in recording.runs for p in run.patterns], dtype=np.int64),
        numbers=np.array([n for run in recording.runs for n in run.steps], dtype=np.int64),
    )
    write_atomically(path, buffer.getvalue())


def load_recording(path: str | Path) -> Recording:
    """Read a recording.

    Raises:
        FileError: The file is no recording of this version, damaged, or its parts contradict each other.
    """
    content = read_bytes(path, MOST_BYTES)
    with reading(path):
        header, arrays = _unpacked(content)
        _check_arrays(header["machine"], arrays)
    ends = np.cumsum(arrays["lengths"])[:-1]
    columns = (np.split(arrays[name], ends) for name in ("patterns", "numbers"))
    steps = zip(arrays["choices"].tolist(), arrays["halts"].tolist(), strict=True)
    return Recording(
        header["machine"],
        header["semantics"],
        header["stateless"],
        dict(arrays["table"].tolist()),
        tuple(HardChoice(tuple(choices), halts) for choices, halts in steps),
        arrays["margins"],
        tuple(RecordedRun(tuple(p.tolist()), tuple(n.tolist())) for p, n in zip(*columns, strict=True)),
    )


def _unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise ValueError(f"unpacks to {size:,} bytes; at most {MOST_BYTES:,} are read")
        with np.load(BytesIO(content), allow_pickle=False) as stored:
            header = str(stored["header"])
            arrays = {name: stored[name] for name in _ARRAYS}
    except _DAMAGES as error:
        raise ValueError(f"no recording: {shown(str(error))}") from error
    return _HEADER(parse_json(header), "header"), arrays


def _check_arrays(machine: MachineConfig, arrays: Mapping[str, np.ndarray]) -> None:
    for name, kind in _ARRAYS.items():
        if arrays[name].dtype.kind != kind:
            raise ValueError(f"the array {name} holds {arrays[name].dtype}; must hold kind {kind!r}")
    counts = np.array(machine.layout.choice_counts)
    steps, total = arrays["halts"].size, int(arrays["lengths"].sum())
    shapes = {
        "choices": (steps, len(counts)),
        "halts": (steps,),
        "margins": (steps, len(counts)),
        "table": (arrays["table"].size // 2, 2),
        "lengths": (arrays["lengths"].size,),
        "patterns": (total,),
        "numbers": (total,),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"the array {name} has shape {arrays[name].shape}; must have shape {shape}")
    patterns = 1 << machine.num_registers
    ranges = {"choices": counts, "lengths": total + 1, "patterns": patterns, "numbers": steps}
    ranges["table"] = np.array([patterns, steps])
    for name, end in ranges.items():
        if np.any((arrays[name] < 0) | (arrays[name] >= end)):
            raise ValueError(f"the array {name} holds numbers out of their range")
    if not np.isfinite(arrays["margins"]).all():
        raise ValueError("the array margins holds what is no finite number")
