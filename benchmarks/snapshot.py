"""Whether a change left the zoo's programs as they are: their hashes, listings and exports, byte for byte.

python benchmarks/snapshot.py /tmp/before            # in the old checkout
python benchmarks/snapshot.py /tmp/after             # in the new one
diff -r /tmp/before /tmp/after && echo the same
"""

import contextlib
import importlib
import io
import sys
from pathlib import Path

from agents import zoo

CLI = ("analysis.commands.cli", "analysis.cli")
"""Where the command line is, or was."""

CALLS = {
    "listing.txt": ["show"],
    "choices.txt": ["show", "--view", "choices"],
    "circuit.txt": ["show", "--view", "circuit"],
    "machine.txt": ["show", "--view", "machine"],
    "program.json": ["show", "--json"],
    "program.py": ["export", "--to", "python"],
    "program.c": ["export", "--to", "c"],
    "program.svg": ["export", "--to", "svg"],
}


def command_line():
    """The function behind `nram`."""
    for name in CLI:
        with contextlib.suppress(ModuleNotFoundError):
            return importlib.import_module(name).main
    raise SystemExit(f"there is none of {', '.join(CLI)} here")


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        raise SystemExit(__doc__)
    run, place = command_line(), Path(sys.argv[1])
    for name in zoo.entries():
        folder = place / name
        folder.mkdir(parents=True)
        for file, (verb, *flags) in CALLS.items():
            printed, progress = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(progress):
                code = run([verb, f"zoo:{name}", *flags])
            (folder / file).write_text(printed.getvalue() + f"exit code {code}\n")
    print(f"{len(zoo.entries())} entries, {len(CALLS)} files each, in {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
