"""Break files of every kind that nram reads: each must be one clear error, or read as what it says.

    python benchmarks/fuzz_files.py [--count 10000] [--seed 0] [--kind NAME ...] [--list]

A file is refused rightly by a FileError that names it on one line. It is accepted rightly if writing what was
read gives the same values again, so that nothing was left out, guessed or converted unsaid, and if a program
can then be listed, exported and drawn. Everything else is a fault: another error, a silent acceptance, more
than --seconds, a gigabyte of memory. The same seed breaks the same files. Exit code 0 only without a fault.
"""

import argparse
import contextlib
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import torch
from fuzz_calls import within
from malformed.files import Kind, kinds, mutants, no_files
from rich.console import Console
from rich.table import Table

from analysis.exporters.c import to_c
from analysis.exporters.python import to_python
from analysis.pictures.diagram import to_svg
from analysis.printing.page import listing
from analysis.program.block import ProgramError
from analysis.program.program import Program
from nram_env.files import FileError

LONGEST_ERROR = 2_000
MOST_MEMORY = 1 << 30
SHOWN = 40


def outcome(kind: Kind, file: Path, seconds: int) -> str:
    """What reading a file comes to: "refused", "accepted", or a fault in words."""
    try:
        with within(seconds):
            try:
                value = kind.load(file)
            except FileError as error:
                return _refusal(str(error), file)
            return _acceptance(kind, file, value)
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def _refusal(message: str, file: Path) -> str:
    if str(file) not in message:
        return f"an error without the file's name: {message[:200]}"
    rest = message.replace(str(file), "")
    if not rest.isprintable() or len(rest) > LONGEST_ERROR:
        return f"an error that is no short line: {message[:200]!r}"
    return "refused"


def _acceptance(kind: Kind, file: Path, value: Any) -> str:
    if not file.is_file() or file.stat().st_size > MOST_MEMORY:
        return "accepted" if value == [] and not os.path.lexists(file) else "a silent acceptance of no file"
    before = kind.unpack(file.read_bytes())
    again = file.parent / "again" / kind.file
    kind.save(again, value)
    if not _same(before, kind.unpack(again.read_bytes())):
        return "a silent acceptance: what was read is not what the file says"
    return _usable(value) if isinstance(value, Program) else "accepted"


def _same(first: Any, second: Any) -> bool:
    """Whether JSON values are equal: 1 and 1.0 are, nothing and null or [] are, 1 and true are not."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = ((first.get(name), second.get(name)) for name in first.keys() | second.keys())
        return all(_same(*pair) or all(value in (None, []) for value in pair) for pair in both)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same, first, second))
    return first == second and isinstance(first, bool) == isinstance(second, bool)


def _usable(program: Program) -> str:
    text = listing(program)
    if not text.replace("\n", "").isprintable():
        return "a listing that steers the terminal"
    for write in (to_c, to_python, to_svg):
        with contextlib.suppress(ProgramError):
            written = write(program)
            if write is to_svg:
                ElementTree.fromstring(written)
    return "accepted"


def unbroken(kind: Kind, folder: Path, seconds: int) -> list[str]:
    """What is wrong with how files are read that nobody broke."""
    file, faults = folder / kind.file, []
    for content in kind.good:
        file.write_bytes(content)
        if (result := outcome(kind, file, seconds)) != "accepted":
            faults.append(f"{kind.file}, not broken: {result}")
        file.unlink()
    return faults


def broken(kind: Kind, folder: Path, count: int, rng: random.Random) -> Any:
    """Put one broken file after another into a folder; yields what was done to it."""
    file = folder / kind.file
    for name, make in no_files(file):
        make()
        yield name
        _clear(file)
    for name, content in (mutant for mutant, _ in zip(mutants(kind, rng), range(count), strict=False)):
        file.write_bytes(content)
        yield name
        _clear(file)


def _clear(file: Path) -> None:
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    file.unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=20, help="that one file may take")
    parser.add_argument("--kind", action="append", help="only these; may be repeated")
    parser.add_argument("--list", action="store_true", help="print every outcome")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        return run(Path(place), options)


def run(place: Path, options: argparse.Namespace) -> int:
    (place / "again").mkdir()
    known = kinds(place / "again")
    names, started = options.kind or list(known), time.time()
    outcomes: Counter[tuple[str, str]] = Counter()
    memory, faults = _memory(), []
    for number, name in enumerate(names):
        faults += unbroken(known[name], place, options.seconds)
        share = options.count // len(names) + (number < options.count % len(names))
        rng = random.Random(f"{options.seed} {name}")
        for done in broken(known[name], place, max(share - 6, 0), rng):
            result = outcome(known[name], place / known[name].file, options.seconds)
            if options.list:
                print(f"{name}: {done}: {result}", flush=True)
            if result not in ("refused", "accepted"):
                faults.append(f"{name}: {done}: {result}")
                result = "faults"
            outcomes[name, result] += 1
    if (grown := _memory() - memory) > MOST_MEMORY:
        faults.append(f"memory grew by {grown:,} bytes")
    report(names, outcomes, faults, options.seed, time.time() - started)
    return int(bool(faults))


def _memory() -> int:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def report(
    names: list[str], outcomes: Counter[tuple[str, str]], faults: list[str], seed: int, seconds: float
) -> None:
    for fault in faults[:SHOWN]:
        print(fault.encode(errors="backslashreplace").decode())
    columns = ("refused", "accepted", "faults")
    table = Table("kind", "files", *columns)
    for name in names:
        counts = [outcomes[name, column] for column in columns]
        table.add_row(name, str(sum(counts)), *map(str, counts))
    Console().print(table)
    print(f"{outcomes.total()} broken files, {len(faults)} faults, seed {seed}, {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
