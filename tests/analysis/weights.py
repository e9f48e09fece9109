"""Known programs compiled into the weights of real controllers, exactly, with noise in dead selectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from agents.checkpoint import Agent
from agents.controllers import Controller, ControllerSpec
from analysis.program.program import START, Edge, Program
from tests.analysis.programs import CASES, program_of

MARGIN = 6.0
"""By how much a chosen logit beats the others."""

_STEEP = 60.0
_HIGH = float(np.tanh(1.0))


def edge_logits(program: Program, edge: Edge, rng: np.random.Generator | None = None) -> np.ndarray:
    """Logits that make every choice of the witness, over noise, and halt where the edge stops."""
    layout = program.machine.layout
    noise = rng.uniform(-1, 1, layout.num_probs) if rng else np.zeros(layout.num_probs)
    logits = noise + MARGIN * layout.one_hot(edge.witness)
    return np.append(logits, MARGIN if edge.target is None else -MARGIN)


def feedforward_weights(program: Program, rng: np.random.Generator) -> Controller:
    """A feed-forward controller with one hidden unit for every zero-pattern of all registers."""
    assert len(program.states) == 1
    registers = program.machine.num_registers
    patterns = np.arange(2**registers)[:, None] >> np.arange(registers) & 1
    spec = ControllerSpec("feedforward", program.machine, len(patterns))
    outputs = np.array([edge_logits(program, _edge(program, START, bits), rng) for bits in patterns])
    blocks = {
        "hidden1_weight": (2 * patterns - 1).T,
        "hidden1_bias": (1 - patterns.sum(1))[None],
        "hidden2_weight": np.eye(len(patterns)),
        "head_weight": outputs,
    }
    return _controller(spec, blocks)


def lstm_weights(program: Program, rng: np.random.Generator) -> Controller:
    """An LSTM with one unit for every edge, high after the step that took it, and one that is high always.

    The unit of an edge sees whether the step before led to its source, and whether its guard (one cube)
    holds; everything is pushed far into saturation.
    """
    edges, registers = program.edges, program.machine.num_registers
    hidden = max(len(edges) + 1, 2 * registers)
    spec = ControllerSpec("lstm", program.machine, hidden)
    encode = np.zeros((registers, hidden))
    encode[:, :registers] = np.eye(registers)
    candidate, bias = np.zeros((2 * hidden, hidden)), np.zeros(hidden)
    always = len(edges)
    bias[always] = _STEEP
    for unit, edge in enumerate(edges):
        _wire_edge(program, unit, edge, candidate, bias, always)
    cell, cell_bias = np.zeros((2 * hidden, 4 * hidden)), np.zeros(4 * hidden)
    cell[:, 3 * hidden :], cell_bias[3 * hidden :] = candidate, bias
    cell_bias[:hidden], cell_bias[hidden : 2 * hidden], cell_bias[2 * hidden : 3 * hidden] = 60, -60, 60
    logits = np.array([edge_logits(program, edge, rng) for edge in edges])
    head = np.zeros((hidden, logits.shape[1]))
    head[: len(edges)] = logits / (2 * _HIGH)
    blocks = {
        "hidden_weight": encode,
        "cell_weight": cell,
        "cell_bias": cell_bias[None],
        "head_weight": head,
        "head_bias": logits.sum(0)[None] / 2,
    }
    return _controller(spec, blocks)


def copier(change_head: Callable[[np.ndarray], np.ndarray]) -> Agent:
    """The paper's Copy in an LSTM, its head (H + 1, D), weights over bias, changed."""
    made = lstm_weights(program_of(CASES["copy"]), np.random.default_rng(0))
    sizes = [int(np.prod(shape)) for shape in made.spec.shapes.values()]
    blocks = dict(zip(made.spec.shapes, made.parameters[0].split(sizes), strict=True))
    names = ("head_weight", "head_bias")
    head = torch.cat([blocks[name].view(-1, made.spec.machine.layout.size) for name in names]).numpy().copy()
    weight, bias = np.split(change_head(head), [-1])
    blocks |= {"head_weight": torch.from_numpy(weight), "head_bias": torch.from_numpy(bias)}
    parameters = torch.cat([block.reshape(-1) for block in blocks.values()])
    return Agent(Controller(made.spec, parameters[None]), "copy")


def _wire_edge(
    program: Program, unit: int, edge: Edge, candidate: np.ndarray, bias: np.ndarray, always: int
) -> None:
    """candidate = STEEP * (source reached - guard broken): +-HIGH when settled, chosen by `bias` at first."""
    hidden = candidate.shape[1]
    leading = [other for other, before in enumerate(program.edges) if before.target == edge.source]
    first = 0.5 if edge.source == START else -0.5
    candidate[[hidden + other for other in leading], unit] = _STEEP
    candidate[hidden + always, unit] = _STEEP * (_HIGH * (len(leading) - 1) - first) / _HIGH
    bias[unit] = _STEEP * first
    ((mask, value),) = edge.guard.cubes
    for register in range(program.num_registers):
        if mask >> register & 1:
            wants_zero = value >> register & 1
            source = program.registers[register].source
            candidate[source, unit] = 4 * _STEEP * (1 if wants_zero else -1)
            bias[unit] -= 4 * _STEEP * wants_zero


def _edge(program: Program, state: int, zero_bits: np.ndarray) -> Edge:
    pattern = int(sum(1 << i for i, r in enumerate(program.registers) if zero_bits[r.source]))
    return next(edge for edge in program.edges_of_state[state] if edge.guard.matches(pattern))


def _controller(spec: ControllerSpec, blocks: dict[str, np.ndarray]) -> Controller:
    parts = [np.broadcast_to(blocks.get(name, 0.0), shape).reshape(-1) for name, shape in spec.shapes.items()]
    return Controller(spec, torch.from_numpy(np.concatenate(parts))[None])
