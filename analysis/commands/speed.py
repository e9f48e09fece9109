"""What `nram bench` measures, for machines and for people. Needs torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from rich.console import Group
from rich.table import Table

from agents.bench import (
    METHODS,
    Setting,
    Speed,
    arithmetic_limit,
    grid,
    measure,
    measure_training,
    training_config,
)
from analysis.commands.output import say
from nram_env.machine.backends import library
from nram_env.machine.backends.cuda import kernels

HEADLINES = (Setting(batch_size=50), Setting(batch_size=1024))
"""Settings that are summed up in words."""


def measure_speed(device: str) -> tuple[dict[str, Any], Group]:
    """Time one timestep of the machine in every backend and, on the CPU, updates of a population.

    Args:
        device: "cpu" or "cuda".

    Returns:
        The result for machines, and the same for people.

    Raises:
        ValueError: There is no such device here.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no CUDA GPU here; leave --device away to measure on the CPU")
    methods = METHODS[device]
    if _obstacle(device) is not None:
        methods = methods[:-1]
    say(f"instruction set: {_instruction_set()}; {os.cpu_count()} processors")
    training = {
        threads: measure_training(training_config(), threads) for threads in (1, 2) if device == "cpu"
    }
    headlines = [_row(replace(setting, device=device), methods) for setting in HEADLINES]
    rows = [_row(setting, methods) for setting in grid(device)]
    lines = [_sum_up(row) for row in headlines] + [_growth(rows, batch) for batch in (64, 1024)]
    lines += [
        f"training 64 LSTM controllers of width 32 x 16 examples, {threads} thread(s): "
        f"{speed.updates_per_second:.1f} updates/s, {speed.machine_share:.0%} in the fused machine "
        f"(median {speed.median_share:.0%})"
        for threads, speed in training.items()
    ]
    result = {
        "instruction_set": _instruction_set(),
        "timesteps": [_as_json(row) for row in headlines + rows],
        "training": [{"threads": threads} | asdict(speed) for threads, speed in training.items()],
    }
    return result, Group(_table(rows, methods), *lines)


def _obstacle(device: str) -> str | None:
    """Why the last of a device's methods, its native code, cannot be measured, or None if it can."""
    if device == "cuda":
        return kernels.obstacle(torch.device(device))
    return "the fused backend was not built" if library.load() is None else None


@dataclass(frozen=True)
class _Row:
    """All methods at one setting."""

    setting: Setting
    speeds: Mapping[str, Speed]
    limit: float

    def ratio(self, method: str) -> float:
        """How many times faster than the plain loop, forward and backward."""
        return self.speeds["naive"].total / self.speeds[method].total


def _row(setting: Setting, methods: tuple[str, ...]) -> _Row:
    speeds = {method: measure(method, setting) for method in methods}
    return _Row(setting, speeds, arithmetic_limit(setting))


def _instruction_set() -> str:
    if library.load() is None:
        return "none, the fused backend was not built"
    return library.INSTRUCTION_SETS[library.best_instruction_set()]


def _table(rows: list[_Row], methods: tuple[str, ...]) -> Table:
    table = Table(
        title="microseconds a timestep of one example, forward+backward; x: times faster than naive"
    )
    table.box, table.padding = None, (0, 1)
    ratios = [f"{name} x" for name in methods[1:]]
    for heading in ("threads", "batch", "R", "M", *methods, *ratios):
        table.add_column(heading, justify="right")
    for row in rows:
        setting = row.setting
        shape = (setting.threads, setting.batch_size, setting.num_registers, setting.memory_size)
        times = [f"{_short(speed.forward)}+{_short(speed.backward)}" for speed in row.speeds.values()]
        table.add_row(*map(str, shape), *times, *(_short(row.ratio(name)) for name in methods[1:]))
    return table


def _short(number: float) -> str:
    return f"{number:.1f}" if number < 100 else f"{number:.0f}"


def _growth(rows: list[_Row], batch_size: int) -> str:
    """How the time of the fastest method grows with M, with four registers and in one thread."""
    times = {
        row.setting.memory_size: list(row.speeds.values())[-1].total
        for row in rows
        if (row.setting.num_registers, row.setting.batch_size, row.setting.threads) == (4, batch_size, 1)
    }
    steps = [f"{times[b] / times[a]:.1f} from {a} to {b}" for a, b in pairwise(sorted(times))]
    return f"batch {batch_size}, R = 4, 1 thread: time grows with M by the factor {', '.join(steps)}"


def _sum_up(row: _Row) -> str:
    setting, fastest = row.setting, list(row.speeds)[-1]
    total = row.speeds[fastest].total
    return (
        f"batch {setting.batch_size}, R = {setting.num_registers}, M = {setting.memory_size}, "
        f"{setting.threads} thread: {fastest} is {row.ratio(fastest):.1f} times faster than the plain loop; "
        f"{total:.2f} us, {total / row.limit:.1f} times what its multiply-adds take in a matrix product"
    )


def _as_json(row: _Row) -> dict[str, Any]:
    return {
        **asdict(row.setting),
        "microseconds": {name: asdict(speed) for name, speed in row.speeds.items()},
        "times_faster_than_naive": {name: row.ratio(name) for name in row.speeds},
        "arithmetic_limit_microseconds": row.limit,
    }
