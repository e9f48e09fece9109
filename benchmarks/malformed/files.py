"""Files of every kind that nram reads, and ways to break them; for `benchmarks/fuzz_files.py`."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from agents import zoo
from agents.checkpoint import load_agent, save_agent
from agents.config import CONFIG, TrainConfig
from agents.metrics import METRICS_FILE, read_metrics
from agents.population_file import SavedRun, load_run, save_run
from agents.trainer import Trainer
from analysis.commands.demo_folder import SUMMARY
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.inputs import training_inputs
from analysis.extraction.record import record
from analysis.extraction.recording_file import load_recording, save_recording
from analysis.measurement.results import Effort, measure
from analysis.measurement.results_file import FIGURES
from analysis.program.file import load_program, save_program
from malformed.packing import (
    pack_arrays,
    pack_lines,
    pack_tensors,
    unpack_arrays,
    unpack_lines,
    unpack_tensors,
)
from nram_env.files import read_json
from nram_env.tasks import get_task

Tree = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        file: Name of a file of this kind.
        good: Contents that must be accepted.
        load: Reads one.
        save: Writes what `load` returned.
        unpack: The content as JSON values, whose change is a change of meaning.
        pack: The inverse.
    """

    file: str
    good: tuple[bytes, ...]
    load: Callable[[Path], Any]
    save: Callable[[Path, Any], object]
    unpack: Callable[[bytes], Any] = json.loads
    pack: Callable[[Any], bytes] = lambda tree: json.dumps(tree).encode("utf-8", "surrogatepass")


def kinds(folder: Path) -> dict[str, Kind]:
    """Every kind of file that nram reads, with files as this version writes them.

    Args:
        folder: Where they are made.
    """
    tensors = {"unpack": unpack_tensors, "pack": pack_tensors}
    found = {
        "agent": Kind("agent.safetensors", (), load_agent, save_agent, **tensors),
        "population": Kind("population.safetensors", (), load_run, save_run, **tensors),
        "config": Kind("config.json", (), lambda file: read_json(file, CONFIG), _save_config),
        "program": Kind("program.json", (), load_program, lambda file, program: save_program(program, file)),
        "recipe": Kind("recipe.json", (), zoo.load_recipe, zoo.save_recipe),
        "metrics": Kind(
            METRICS_FILE, (), lambda file: read_metrics(file.parent), _save_lines, unpack_lines, pack_lines
        ),
        "results": Kind("results.json", (), lambda file: read_json(file, FIGURES), _save_json),
        "summary": Kind("summary.json", (), lambda file: read_json(file, SUMMARY), _save_json),
        "recording": Kind(
            "runs.npz",
            (),
            load_recording,
            lambda file, recording: save_recording(recording, file),
            unpack_arrays,
            pack_arrays,
        ),
    }
    values = _values()
    return {
        name: replace(kind, good=tuple(_written(kind, value, folder) for value in values[name]))
        for name, kind in found.items()
    }


def _written(kind: Kind, value: Any, folder: Path) -> bytes:
    kind.save(folder / kind.file, value)
    return (folder / kind.file).read_bytes()


def _values() -> dict[str, list[Any]]:
    """What the good files hold."""
    trainer = Trainer(TrainConfig(task="access", population=2, batch_size=2, max_level=2, first_level=1))
    for _ in range(3):
        trainer.advance()
    entries = [zoo.find_entry(name) for name in ("access", "copy-feedforward", "listsearch")]
    network = HardenedAgent(entries[0].agent)
    runs = training_inputs(get_task("access"), 2, 4, np.random.default_rng(0))
    line = {"level": 5, "error": 1.0, "loss": None, "solved": 0, "restarts": 0, "seconds": 3.5}
    summary = {"task": "copy", "controller": "lstm", "train_seconds": 1.5, "program": "a\nb", "checks": [{}]}
    return {
        "agent": [entry.agent for entry in entries[:2]],
        "population": [SavedRun(trainer.config, (trainer.saved,))],
        "config": [trainer.config, TrainConfig(task="swap", controller="feedforward", second_read=True)],
        "program": [load_program(entry.place / "program.json") for entry in entries],
        "recipe": [entry.recipe for entry in entries],
        "metrics": [[{"update": update, **line} for update in range(1, 4)]],
        "results": [{"rows": {"copy": _row()}}],
        "summary": [summary],
        "recording": [record(network, runs)],
    }


def _row() -> Tree:
    """A row of the table of results, measured on hardly any examples."""
    row = measure(zoo.find_entry("copy"), Effort(*[1] * 4), lambda text: None)
    records = {name: dict(found) for name, found in zoo.find_recipe("copy").records.items()}
    return {**row, "easy_share": 0.0, "records": records}


def _save_json(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value))


def _save_config(file: Path, config: TrainConfig) -> None:
    _save_json(file, config.to_json())


def _save_lines(file: Path, lines: list[Tree]) -> None:
    file.write_bytes(pack_lines(lines))


JUNK: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 7, 2**31, 10**9, 10**30, -(2**63), 16.0, -0.5, 1e308, 1e-308),
    *("", "x", "copy", "lstm", "\x1b[2J", "a\nb", "\u202e", "\ud800", "x" * 70_000, "nram-agent/99", "NaN"),
    *([], {}, [[]], [1, 2, 3], {"a": 1}, [None] * 20_000, [0] * 300, {str(i): i for i in range(2_000)}),
)
"""Values to be put in the place of others."""


def mutants(kind: Kind, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Broken or changed contents of a kind of file, without end: what was done, and the content."""
    while True:
        good = rng.choice(kind.good)
        how = rng.choice((_in_values, _in_values, _in_bytes, _in_text))
        name, content = how(kind, good, rng)
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            name, content = f"{name}, more", _in_bytes(kind, content, rng)[1]
        yield name, content


def _in_values(kind: Kind, good: bytes, rng: random.Random) -> tuple[str, bytes]:
    tree = kind.unpack(good)
    holder, key = rng.choice(list(_places(tree)))
    value = holder[key]
    change = rng.choice(("junk", "junk", "junk", "leave out", "repeat", "add", "nest", "nudge"))
    if change == "leave out":
        del holder[key]
    elif change == "repeat":
        holder[key] = [value] * rng.choice((2, 3, 500))
    elif change == "add" and isinstance(holder, dict):
        holder[rng.choice(("more", "", "a\nb", key + "s"))] = value
    elif change == "nest":
        for _ in range(rng.choice((1, 40))):
            holder[key] = [holder[key]]
    elif change == "nudge" and type(value) in (int, float):
        holder[key] = value + rng.choice((-1, 1, 0.5, 1000))
    else:
        holder[key] = copy.deepcopy(rng.choice(JUNK))
    return f"{change} at {key!r}", kind.pack(tree)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every list or object within with a position or name in it; of long lists the first ones."""
    keys = (
        list(tree) if isinstance(tree, dict) else range(min(len(tree), 5)) if isinstance(tree, list) else ()
    )
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


def _in_bytes(kind: Kind, good: bytes, rng: random.Random) -> tuple[str, bytes]:
    at, width = rng.randrange(len(good) + 1), rng.choice((1, 1, 2, 8, 100))
    change = rng.choice(("flip", "cut", "drop", "double", "insert"))
    if change == "cut":
        return f"cut at {at}", good[:at]
    if change == "drop":
        return f"drop {width} at {at}", good[:at] + good[at + width :]
    if change == "double":
        return f"double {width} at {at}", good[: at + width] + good[at:]
    new = bytes(rng.randrange(256) for _ in range(width))
    return f"{change} {width} at {at}", good[:at] + new + good[at + (width if change == "flip" else 0) :]


_TEXTS = {
    b"1": (b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"01", b"1.0", b"0x1", b"1_0"),
    b'"': (b'"a": 1, "a": 2, "', b"'", b'\\"', b'"\\u0000', b'"\\ud800'),
    b"[": (b"[" * 100_000, b"[" * 40, b"{", b"[[["),
    b"{": (b'{"format": 1, ', b"[", b'{"":' * 40),
    b",": (b",,", b", // no", b"]"),
    b"e": (b"\xff", b"\xc3", "\u0435".encode(), b"\x00", b"E"),
}


def _in_text(kind: Kind, good: bytes, rng: random.Random) -> tuple[str, bytes]:
    whole = rng.choice(
        (b"\xef\xbb\xbf" + good, good.decode("latin-1").encode("utf-16"), good * 2, b"", b"\n")
    )
    old, choices = rng.choice(list(_TEXTS.items()))
    places = [at for at in range(len(good)) if good.startswith(old, at)]
    if not places or rng.random() < 0.1:
        return "as a whole", whole
    at, new = rng.choice(places), rng.choice(choices)
    return f"{new[:20]!r} for {old!r} at {at}", good[:at] + new + good[at + len(old) :]


def no_files(place: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What may stand where a file is expected."""
    yield "nothing", lambda: None
    yield "a folder", lambda: place.mkdir()
    yield "a pipe", lambda: os.mkfifo(place)
    yield "a device without end", lambda: place.symlink_to("/dev/zero")
    yield "a link to itself", lambda: place.symlink_to(place)
    yield "a file of a terabyte", lambda: os.truncate(os.open(place, os.O_CREAT | os.O_WRONLY), 1 << 40)
