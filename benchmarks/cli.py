"""Processor time that `nram` takes until it has answered, beside that of Python with the libraries it needs.

    python benchmarks/cli.py            # a table: call, seconds, times `import numpy, gymnasium, tyro, rich`
    python benchmarks/cli.py --repeats 9

The least of several runs counts, user and system time of the whole process: other work only adds to it.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

from analysis.commands.cli import VERBS

LIBRARIES = ["-c", "import numpy, gymnasium, tyro, rich.table"]
CALLS = [
    ["--version"],
    ["--help"],
    ["zoo"],
    ["tasks"],
    ["show", "zoo:copy"],
    ["run", "zoo:copy"],
    ["--completion", "bash"],
    *([verb, "--help"] for verb in VERBS),
]


def seconds(arguments: list[str], repeats: int) -> float:
    """Least processor time of a Python process with these arguments."""
    return min(_once(arguments) for _ in range(repeats))


def _once(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    libraries = seconds(LIBRARIES, repeats)
    print(f"{'its libraries alone':<24}{libraries:6.2f} s")
    for words in CALLS:
        taken = seconds(["-m", "analysis.commands.cli", *words], repeats)
        print(f"nram {' '.join(words):<19}{taken:6.2f} s {taken / libraries:6.1f} times")


if __name__ == "__main__":
    main()
