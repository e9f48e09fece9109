"""How fast the machine and the training run, next to a plain PyTorch loop in the same process.

Times are the best of several calls: other work on the computer only ever makes a call slower. One thread is
timed by the processor time that it takes, which other work changes little; several by the wall clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import softplus

from agents.config import TrainConfig
from agents.fused import machine_seconds
from agents.noise import normal, uniform
from agents.trainer import Trainer
from nram_env.machine import LOG_FLOOR, Gate, MachineConfig, MachineState, Selector, Timestep, timestep
from nram_env.machine.objective import output_log_likelihood
from nram_env.machine.soft_gates import soft_gate

Clock = Callable[[], float]
"""Seconds since some moment."""

METHODS: dict[str, tuple[str, ...]] = {
    "cpu": ("naive", "reference", "fused"),
    "cuda": ("naive", "reference", "compiled", "cuda"),
}
"""The plain loop below, and the backends that are worth it on a device."""

LEAST_SECONDS = 0.12
"""A measurement goes on for at least this long, and for at least three calls."""


@dataclass(frozen=True)
class Setting:
    """What is measured: one timestep of a batch on the paper's 14 gates.

    Attributes:
        num_registers: R.
        memory_size: M.
        batch_size: B.
        threads: Threads of torch and of the fused backend.
        device: "cpu" or "cuda".
    """

    num_registers: int = 4
    memory_size: int = 16
    batch_size: int = 1024
    threads: int = 1
    device: str = "cpu"


@dataclass(frozen=True)
class Speed:
    """Time of one timestep of one example, in microseconds.

    Attributes:
        forward: Selectors, gates, memory, registers, entropy and output likelihood.
        backward: The gradients of all of its inputs.
    """

    forward: float
    backward: float

    @property
    def total(self) -> float:
        """Forward and backward."""
        return self.forward + self.backward


def grid(device: str = "cpu") -> Iterator[Setting]:
    """The settings of the table: every R, M, batch size and, on the CPU, number of threads."""
    for threads in (1, 2) if device == "cpu" else (1,):
        for batch_size in (64, 1024):
            for num_registers in (4, 8):
                for memory_size in (8, 16, 32, 64):
                    yield Setting(num_registers, memory_size, batch_size, threads, device)


def measure(method: str, setting: Setting) -> Speed:
    """Time one of `METHODS`.

    Example:
        >>> speed = measure("reference", Setting(memory_size=4, batch_size=2))
        >>> 0 < speed.forward < speed.total
        True
    """
    config = MachineConfig(setting.num_registers)
    inputs, target, mask, upstream = _problem(config, setting)
    state = MachineState(*inputs[:3])

    def forward() -> tuple[Tensor, ...]:
        if method == "naive":
            result = naive_timestep(config, state, inputs[3], target, mask)
        else:
            result = timestep(config, state, inputs[3], target=target, mask=mask, backend=method)
        after = result.state
        scores = (result.entropy, result.halting_entropy, result.log_likelihood)
        return after.registers, after.memory, after.survival, *scores

    with _threads(setting.threads, setting.device) as clock:
        best = _best_of(clock, forward, lambda outputs: torch.autograd.grad(outputs, inputs, upstream))
    return Speed(*(seconds / setting.batch_size * 1e6 for seconds in best))


def naive_timestep(
    config: MachineConfig, state: MachineState, logits: Tensor, target: Tensor, mask: Tensor
) -> Timestep:
    """The paper's equations as one would first write them: a softmax an argument, a call a gate."""
    values, memory = list(state.registers.unbind(1)), state.memory
    selectors, entropy = iter(config.layout.selectors), torch.zeros_like(state.survival)

    def attend(selector: Selector) -> Tensor:
        nonlocal entropy
        log_probs = torch.log_softmax(logits[:, selector.slice], -1)
        probs = log_probs.exp()
        entropy = entropy - (probs * log_probs).sum(-1)
        return torch.einsum("bn,bnm->bm", probs, torch.stack(values[: selector.size], 1))

    for gate in config.gates:
        output, memory = soft_gate(gate, [attend(next(selectors)) for _ in gate.arguments], memory)
        values.append(output)
    registers = torch.stack([attend(selector) for selector in selectors], 1)
    halting_logits = logits[:, config.layout.halt]
    willingness = torch.sigmoid(halting_logits)
    halting_entropy = softplus(halting_logits) - halting_logits * willingness
    likelihood = output_log_likelihood(memory, target, mask, LOG_FLOOR)
    after = MachineState(registers, memory, state.survival * (1 - willingness))
    return Timestep(after, entropy, halting_entropy, likelihood)


def arithmetic_limit(setting: Setting) -> float:
    """Microseconds that the multiply-adds of a timestep alone would take in a large matrix product.

    Counts the weighted sums of the selectors and the terms of READ, ADD, SUB and WRITE, forward once and
    backward twice; nothing is taken off for the zeros that the fused backend leaves out.
    """
    config, size = MachineConfig(setting.num_registers), setting.memory_size
    passes = {Gate.READ: 1, Gate.ADD: 1, Gate.SUB: 1, Gate.WRITE: 2}
    forward = config.layout.num_probs * size + size**2 * sum(passes.get(gate, 0) for gate in config.gates)
    return 3 * forward / _matrix_rate(setting.threads, setting.device)


@cache
def _matrix_rate(threads: int, device: str) -> float:
    """Multiply-adds in a microsecond of a large float32 matrix product."""
    side = 1024
    left, right = torch.rand(2, side, side, dtype=torch.float32, device=device)
    with _threads(threads, device) as clock:
        seconds, _ = _best_of(clock, lambda: (left @ right,), lambda outputs: outputs)
    return side**3 / seconds / 1e6


@dataclass(frozen=True)
class TrainingSpeed:
    """Speed of training a population. What is inside the machine is 0 where the reference runs.

    Attributes:
        updates_per_second: Updates of the whole population; the fastest counts.
        machine_share: Share of that update's time inside the fused machine's native code, both ways; with
            several threads, of the time of all of them, those that wait included.
        median_share: The same share in the median of all updates.
    """

    updates_per_second: float
    machine_share: float
    median_share: float


def training_config(task: str = "copy", difficulty: int = 8, memory_slack: int = 2) -> TrainConfig:
    """64 LSTM controllers of width 32 with 16 examples each, on a machine of 4 registers.

    Args:
        task: Its name.
        difficulty: n of all examples; sets T and the least M.
        memory_slack: M exceeds that by 0 to this many cells, drawn anew for each update.
    """
    return TrainConfig(
        task=task,
        num_registers=4,
        population=64,
        hidden_size=32,
        first_level=difficulty,
        max_level=difficulty,
        memory_slack=memory_slack,
    )


def measure_training(config: TrainConfig, threads: int, updates: int = 20) -> TrainingSpeed:
    """Time updates of a population.

    Args:
        config: What is trained.
        threads: Threads of torch and of the fused backend.
        updates: How many updates to time.
    """
    trainer, times = Trainer(config), []
    with _threads(threads) as clock, machine_seconds() as inside:
        trainer.advance()
        for _ in range(updates):
            inside.value, started = 0.0, clock()
            trainer.advance()
            times.append((clock() - started, inside.value / threads))
    seconds, within = min(times)
    return TrainingSpeed(1 / seconds, within / seconds, median(part / whole for whole, part in times))


def _problem(
    config: MachineConfig, setting: Setting
) -> tuple[list[Tensor], Tensor, Tensor, Sequence[Tensor]]:
    """Random inputs, target, mask, and gradients of the outputs."""
    generator = torch.Generator().manual_seed(0)
    batch, registers, size = setting.batch_size, setting.num_registers, setting.memory_size

    shapes = [(batch, registers, size), (batch, size, size)]
    inputs = [torch.softmax(normal(generator, *shape), -1) for shape in shapes]
    inputs += [
        torch.ones(batch, dtype=torch.float32, device="cpu"),
        normal(generator, batch, config.layout.size),
    ]
    target = (size * uniform(generator, batch, size)).long()
    mask = uniform(generator, batch, size) < 0.5
    upstream = [normal(generator, *shape) for shape in (*shapes, *[(batch,)] * 4)]
    inputs = [tensor.to(setting.device).requires_grad_() for tensor in inputs]
    upstream = [tensor.to(setting.device) for tensor in upstream]
    return inputs, target.to(setting.device), mask.to(setting.device), upstream


def _best_of(
    clock: Clock, first: Callable[[], tuple[Tensor, ...]], then: Callable[[tuple[Tensor, ...]], object]
) -> tuple[float, float]:
    """Least seconds of `first()` and of `then` on its result."""
    times: list[tuple[float, float]] = []
    end = time.perf_counter() + LEAST_SECONDS
    while len(times) < 3 or time.perf_counter() < end:
        started = clock()
        result = first()
        between = clock()
        then(result)
        times.append((between - started, clock() - between))
    return min(seconds for seconds, _ in times), min(seconds for _, seconds in times)


@contextmanager
def _threads(count: int, device: str = "cpu") -> Iterator[Clock]:
    """Give torch so many threads; yields the clock that measures them, or the GPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        if device == "cuda":
            yield _gpu_clock
        else:
            yield time.process_time if count == 1 else time.perf_counter
    finally:
        torch.set_num_threads(before)


def _gpu_clock() -> float:
    """The wall clock once the GPU has done all that it was given."""
    torch.cuda.synchronize()
    return time.perf_counter()
