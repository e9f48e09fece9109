"""Everything that must be seen on a GPU, in one go, as Markdown.

    python -m benchmarks.gpu [--parts tests check speed ...] [--minutes 1.5]

Takes about ten minutes on one H100. A timestep of one example counts forward and backward and its share of
all else in an update: examples drawn on the device, losses, curriculum, weight gradients, noise, Adam, and
the host's looks at the members. No run ends early in these figures: the halting logits begin at -10.
"""

import argparse
import csv
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from agents import TrainConfig, save_agent
from agents.bench import Setting, measure
from agents.engine import Moment
from agents.spec import ControllerSpec
from agents.trainer import Trainer
from agents.zoo import find_recipe
from nram_env.machine import Gate
from nram_env.machine.backends.cuda import kernels

GPU = torch.device("cuda:0")
BATCH = 16

SIZES = {16: 15, 32: 31}
"""M, and the n at which Increment has just that."""

PEAKS = {"H100": (3.35e12, 33.5e12), "H200": (4.8e12, 33.5e12)}
"""Bytes and multiply-adds a second in float32, of the SXM cards, by NVIDIA's data sheets."""

METRICS = {
    "instructions": "sm__inst_issued.avg.pct_of_peak_sustained_active",
    "shared memory": "l1tex__data_pipe_lsu_wavefronts_mem_shared.avg.pct_of_peak_sustained_elapsed",
    "multiply-adds": "sm__pipe_fma_cycles_active.avg.pct_of_peak_sustained_active",
    "device memory": "dram__throughput.avg.pct_of_peak_sustained_elapsed",
}
"""Shares of what a card can do, as Nsight Compute names them."""


def increment(controller: str, memory_size: int, members: int) -> TrainConfig:
    """Members that play on one M, and have no time to learn to stop."""
    settings = {"population": members, "batch_size": BATCH, "num_registers": 4, "memory_slack": 0}
    levels = {"first_level": SIZES[memory_size], "max_level": SIZES[memory_size], "halting": False}
    return TrainConfig(task="increment", controller=controller, attempts=1, **settings, **levels)


def merge_config(members: int, seed: int) -> TrainConfig:
    """The recipe of the zoo with so many members, from nothing."""
    return replace(find_recipe("merge").config, population=members, seed=seed, attempts=1)


def patient(config: TrainConfig) -> Trainer:
    """A trainer whose members do not stop early."""
    trainer = Trainer(config, device=GPU)
    trainer.population.parameters[:, -1] = -10
    return trainer


def seconds_of_updates(trainer: Trainer, updates: int) -> float:
    """Mean seconds of an update, the host's looks at the members included, nothing else."""
    moment = Moment(trainer.seed, trainer.age, trainer.examples, trainer.chance, sys.maxsize)
    last = moment.age + updates
    torch.cuda.synchronize()
    started = time.perf_counter()
    while moment.age < last:
        step, done = trainer.engine.advance(trainer.population, moment)
        trainer.population, moment = step.population, replace(moment, age=moment.age + done)
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / updates


def table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    """Print rows as they come."""
    print("|", " | ".join(columns), "|\n|", " | ".join(["---:"] * len(columns)), "|")
    for row in rows:
        print("|", " | ".join(row), "|", flush=True)


def tests() -> None:
    """The tests of kernels and of device training on this card."""
    folders = ("tests/cuda", "tests/agents/device")
    command = [sys.executable, "-m", "pytest", *folders, "-q", "-k", "cuda", "-p", "no:cacheprovider"]
    found = subprocess.run([*command, "-n", "12"], capture_output=True, text=True)
    print("\n".join(found.stdout.splitlines()[-12:]))


def check() -> None:
    """Gradients of the kernels against the reference."""
    found = subprocess.run(
        [sys.executable, "-m", "analysis.commands.cli", "bench", "--device", "cuda", "--check"],
        capture_output=True,
        text=True,
    )
    print(found.stdout, found.stderr)


def speed() -> None:
    """Whole updates."""
    columns = ("controller", "members", "M", "T", "ms an update", "ns a timestep", "GiB")
    table(columns, _speeds())


def _speeds() -> Iterator[tuple[str, ...]]:
    for controller in ("lstm", "feedforward"):
        for memory_size in SIZES:
            for members in (64, 512, 4096, 16384):
                yield _speed(increment(controller, memory_size, members), memory_size)


def _speed(config: TrainConfig, memory_size: int) -> tuple[str, ...]:
    timesteps = config.task_object.horizon(SIZES[memory_size])
    sizes = (config.controller, f"{config.population:,}", str(memory_size), str(timesteps))
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    try:
        trainer = patient(config)
        seconds_of_updates(trainer, 10)
        took = seconds_of_updates(trainer, 20)
    except ValueError as error:
        return *sizes, str(error), "", ""
    gib = torch.cuda.max_memory_allocated() / 2**30
    each = 1e9 * took / (config.population * BATCH * timesteps)
    return *sizes, f"{1000 * took:.2f}", f"{each:.1f}", f"{gib:.1f}"


def floors() -> None:
    """What a timestep must move and multiply, and the least time that takes on a card; needs none."""
    columns = ("controller", "M", "bytes", "multiply-adds", *(f"{card}, ns" for card in PEAKS))
    controllers = ((controller, size) for controller in ("lstm", "feedforward") for size in SIZES)
    table(columns, (_floor(increment(*which, 1), which[1]) for which in controllers))


def _floor(config: TrainConfig, memory_size: int) -> tuple[str, ...]:
    moved, multiplied = 4 * _numbers_moved(config.spec, memory_size), _multiply_adds(config.spec, memory_size)
    least = [
        f"{1e9 * moved / rate:.1f} + {1e9 * multiplied / products:.1f}" for rate, products in PEAKS.values()
    ]
    return config.controller, str(memory_size), f"{moved:,}", f"{multiplied:,}", *least


def _numbers_moved(spec: ControllerSpec, memory_size: int) -> int:
    """To and from device memory: tapes and output by both kernels, what weights' gradients are made of."""
    state = (spec.machine.num_registers + memory_size) * memory_size
    entering = sum(inputs + 1 for inputs, _ in spec.layers.values())
    leaving = sum(outputs for _, outputs in spec.layers.values())
    cells = 5 * spec.hidden_size if spec.kind == "lstm" else 0  # activations and c
    return 2 * (state + memory_size**2 + entering + cells) + 2 * leaving + entering


def _multiply_adds(spec: ControllerSpec, memory_size: int) -> int:
    """The machine's, four times (twice backward), and the controller's, whose head is played again."""
    passes = {Gate.READ: 1, Gate.ADD: 1, Gate.SUB: 1, Gate.WRITE: 2}
    squares = sum(passes.get(gate, 0) for gate in spec.machine.gates)
    machine = spec.machine.layout.num_probs * memory_size + squares * memory_size**2
    layers = [inputs * outputs for inputs, outputs in spec.layers.values()]
    return 4 * machine + 3 * sum(layers) + layers[-1]


def timesteps() -> None:
    """One timestep, by kernel, compiled by torch, and by the reference; nanoseconds an example."""
    methods = ("cuda", "compiled", "reference")
    table(("batch", "M", *methods), (_timestep(*sizes, methods) for sizes in _TIMED))


_TIMED = ((64, 16), (1024, 16), (65536, 16), (64, 32), (1024, 32), (65536, 32))


def _timestep(batch: int, memory_size: int, methods: tuple[str, ...]) -> tuple[str, ...]:
    setting = Setting(4, memory_size, batch, device="cuda")
    return f"{batch:,}", str(memory_size), *(_nanoseconds(method, setting) for method in methods)


def _nanoseconds(method: str, setting: Setting) -> str:
    """Of an example; what takes torch most of a minute to compile is measured at one size only."""
    if method == "compiled" and (setting.batch_size, setting.memory_size) != (1024, 16):
        return "-"
    return f"{1000 * measure(method, setting).total:,.0f}"


def limits() -> None:
    """What share of the card's limits the episode kernels reach."""
    if shutil.which("ncu") is None:
        print("Nsight Compute is not there")
        return
    run = "from benchmarks.gpu import increment, patient; patient(increment('lstm', 16, 1024)).advance(2)"
    command = ["ncu", "--csv", "--kernel-name", "regex:episode_(forward|backward)", "--launch-count", "2"]
    metrics = ["--clock-control", "none", "--metrics", ",".join(METRICS.values())]
    found = subprocess.run([*command, *metrics, sys.executable, "-c", run], capture_output=True, text=True)
    lines = [line for line in found.stdout.splitlines() if line.startswith('"')]
    names = {metric: name for name, metric in METRICS.items()}
    rows = [
        (row["Kernel Name"], names[row["Metric Name"]], row["Metric Value"]) for row in csv.DictReader(lines)
    ]
    table(("kernel", "limit", "share, %"), iter(rows))
    if not rows:
        print(found.stdout[-800:], found.stderr[-800:])


def repeat() -> None:
    """Two runs of one seed give the same bits."""
    first, second = _digest(), _digest()
    print(f"512 Merge members, 120 updates, twice: {first} and {second}: {_equal(first == second)}")


def _digest() -> str:
    trainer = Trainer(merge_config(512, 0), device=GPU)
    while trainer.update < 120:
        trainer.advance(120 - trainer.update)
    return hashlib.sha256(trainer.population.parameters.cpu().numpy().tobytes()).hexdigest()[:16]


def _equal(equal: bool) -> str:
    return "equal" if equal else "DIFFERENT"


def sanitizer() -> None:
    """A few updates of a few members, of both controllers and losses, under compute-sanitizer."""
    if shutil.which("compute-sanitizer") is None:
        print("compute-sanitizer is not there")
        return
    for tool in ("memcheck", "racecheck"):
        command = ["compute-sanitizer", "--tool", tool, sys.executable, "-c"]
        run = "from benchmarks.gpu import short; short()"
        found = subprocess.run([*command, run], capture_output=True, text=True)
        print(tool, *(found.stdout + found.stderr).strip().splitlines()[-1:], flush=True)


def short() -> None:
    """What the sanitizer watches."""
    for config in (increment("lstm", 16, 2), merge_config(2, 0)):
        Trainer(config, device=GPU).advance(2)


def merge(minutes: float, seeds: Sequence[int], folder: Path | None) -> None:
    """Merge from examples alone, with 4,096 members, until one is solved."""
    columns = ("seed", "minutes", "updates", "a second", "at first", "level", "risen", "stopping", "solved")
    table(columns, (_merge(seed, minutes, folder) for seed in seeds))


def _merge(seed: int, minutes: float, folder: Path | None) -> tuple[str, ...]:
    trainer = Trainer(merge_config(4096, seed), device=GPU)
    progress = trainer.advance()
    started, first = time.perf_counter(), "-"
    while (passed := time.perf_counter() - started) < 60 * minutes and not progress.solved:
        progress = trainer.advance()
        if first == "-" and progress.update >= 100:
            first = f"{progress.update / (time.perf_counter() - started):.1f}"
    if folder is not None:
        save_agent(folder / f"merge-{seed}.safetensors", trainer.agents()[0])
    risen = int((trainer.population.level > trainer.config.lowest_level).sum())
    rate = f"{progress.update / passed:.1f}"
    counts = map(str, (progress.level, risen, progress.stopping, progress.solved))
    return str(seed), f"{passed / 60:.2f}", str(progress.update), rate, first, *counts


PARTS = {
    part.__name__: part for part in (tests, check, floors, speed, timesteps, limits, repeat, sanitizer, merge)
}


def main(parts: list[str], minutes: float, seeds: Sequence[int], out: Path | None) -> None:
    """Do the parts that were asked for, one after another."""
    if parts != ["floors"]:
        reason = kernels.obstacle(GPU)
        if reason is not None:
            raise SystemExit(f"nothing can be measured here: {reason}")
        card = torch.cuda.get_device_properties(GPU)
        print(f"{card.name}, {card.total_memory / 2**30:.0f} GiB, torch {torch.__version__}", flush=True)
    calls = {**PARTS, "merge": partial(merge, minutes, seeds, out)}
    for part in parts:
        started = time.perf_counter()
        print(f"\n## {part}: {PARTS[part].__doc__}\n", flush=True)
        calls[part]()
        print(f"\n({time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--minutes", type=float, default=1.5, help="at most, for every seed of Merge")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of Merge")
    parser.add_argument("--out", type=Path, help="folder for the best controllers of Merge")
    main(**vars(parser.parse_args()))
