"""`nram sweep`: programs at every slack of M."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from agents import zoo
from analysis.commands.inputs import task_of
from analysis.commands.output import emit, say
from analysis.extraction.resolve import find_source
from analysis.verification.sweep import EXAMPLES, SIZES, sweep, sweep_table


@dataclass(frozen=True)
class Sweep:
    """Run programs on random instances of every n and every slack of M, and count the wrong ones.

    The slack is what M has over the smallest legal one: 0 to 25, and once and twice the needed size. The
    exit code is 0 only if no instance was wrong.

    Examples:
        nram sweep
        nram sweep zoo:merge runs/demo --examples 200
    """

    programs: tyro.conf.Positional[tuple[str, ...]] = ()
    """Program files, run folders, or zoo:TASK; default: everything in the zoo."""
    sizes: tuple[int, ...] = SIZES
    """Difficulties n."""
    examples: int = EXAMPLES
    """Random instances of every n and M."""
    seed: int = 0
    """Seed of the instances."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Sweep and print a table."""
        if not self.sizes or min(self.examples, *self.sizes) < 1:
            raise ValueError(f"examples and sizes must be at least 1, got {self.examples} and {self.sizes}")
        names = self.programs or tuple(f"zoo:{entry}" for entry in zoo.entries())
        if len(set(names)) < len(names):
            raise ValueError(f"every program must be named once, got {' '.join(names)}")
        sources = {name: find_source(name) for name in names}
        tasks = {name: task_of(source, None) for name, source in sources.items()}
        found = {
            name: sweep(source.program(0, say), tasks[name], self.sizes, self.examples, self.seed)
            for name, source in sources.items()
        }
        emit({"programs": found}, sweep_table(found), self.json)
        return 1 if any(result["wrong"] for result in found.values()) else 0
