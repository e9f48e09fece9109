"""`nram bench`: speed of the machine's backends and of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.commands.output import emit


@dataclass(frozen=True)
class Bench:
    """Time one timestep of the machine in every backend, and updates of a population.

    The ratios compare with a plain PyTorch loop, one call a gate, in the same process. One thread is timed by
    its processor time, two by the wall clock. Takes about half a minute on a computer that does nothing else;
    other work makes it longer and the figures worse, above all those of two threads.

    Example:
        nram bench --json > bench.json
    """

    device: Literal["cpu", "cuda"] = "cpu"
    """Where the machine runs; cuda compares the backends on a GPU, and compiles for minutes first."""
    check: bool = False
    """With --device cuda: do not measure, but compare gradients of whole episodes by the kernels of this card
    with those of the reference in float64; exit code 1 if any is off by more than one in 100,000."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Measure or compare, and report; exit code 0 once all is measured, or the comparison is passed."""
        if self.check:
            return self._compare()
        from analysis.commands.speed import measure_speed

        emit(*measure_speed(self.device), self.json)
        return 0

    def _compare(self) -> int:
        from analysis.commands.card import compare_card

        passes, result, text = compare_card(self.device)
        emit(result, text, self.json)
        return 0 if passes else 1
