"""Throw malformed calls at the interfaces: each must give one clear error and change nothing.

    python benchmarks/fuzz_calls.py [--calls 10000] [--seed 0] [--family NAME ...] [--list]

A fault is a call that is accepted, raises anything but a documented error, raises it inside of another
library, says too much or nothing, changes the state or a generator, or takes longer than --seconds. The same
seed makes the same calls. Exit code 0 only without a fault. A crash of the process is one by its exit code,
and so is a hang outside of Python, after ten times --seconds.
"""

import argparse
import contextlib
import faulthandler
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator

import numpy as np
from malformed import arguments, commands, environments  # noqa: F401  (register their families)
from malformed.calls import FAMILIES, Call
from rich.console import Console
from rich.table import Table

SHOWN = 40


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in what takes longer; end the process if that is not heard either."""

    def late(*_: object) -> None:
        raise TimeoutError(f"took longer than {seconds} s")

    signal.signal(signal.SIGALRM, late)
    faulthandler.dump_traceback_later(10 * seconds, exit=True, file=sys.__stderr__)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()


def fault_of(call: Call, seconds: int) -> str:
    try:
        with within(seconds):
            return call.fault()
    except Exception as error:
        return f"left something behind that fails: {type(error).__name__}: {error}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=int, default=10, help="that one call may take")
    parser.add_argument("--family", action="append", choices=FAMILIES, help="only these; may be repeated")
    parser.add_argument("--list", action="store_true", help="print every call")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng, names, started = np.random.default_rng(options.seed), options.family or list(FAMILIES), time.time()
    asked, faults = Counter(), []
    for number in range(options.calls):
        name = names[number % len(names)]
        call = FAMILIES[name](rng)
        if options.list:
            print(f"{number}: {name}: {call.text}", flush=True)
        asked[name] += 1
        if fault := fault_of(call, options.seconds):
            faults.append((name, f"{number}: {call.text}\n    {fault}"))
    report(asked, faults, time.time() - started, options.seed)
    return int(bool(faults))


def report(asked: Counter, faults: list[tuple[str, str]], seconds: float, seed: int) -> None:
    for name, text in faults[:SHOWN]:
        print(f"{name} {text}".encode(errors="backslashreplace").decode())
    wrong, table = Counter(name for name, _ in faults), Table("family", "calls", "faults")
    for name, count in asked.items():
        table.add_row(name, str(count), str(wrong[name]))
    Console().print(table)
    print(f"{asked.total()} malformed calls, {len(faults)} faults, seed {seed}, {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
