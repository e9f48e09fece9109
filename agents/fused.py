"""The fused controllers: a timestep of a stack in one native call, forward and backward, float32 on the CPU.

The gradient of the parameters is not made at each timestep. Every one leaves its inputs and the gradients of
its layers; once the backward pass has been through all of them, one call sums them up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from agents import library

KINDS = ("lstm", "feedforward")
"""Kinds of controllers by their number in the library."""


@dataclass(frozen=True)
class Shape:
    """Shape of a stack: kind, R, H and D."""

    kind: str
    inputs: int
    hidden: int
    outputs: int

    @property
    def activations(self) -> int:
        """Numbers that a timestep of one example keeps for its backward pass."""
        return (6 if self.kind == "lstm" else 2) * self.hidden

    @property
    def deltas(self) -> int:
        """Numbers that its backward pass keeps for the gradient of the weights."""
        return (5 if self.kind == "lstm" else 2) * self.hidden

    def record(self, members: int, batch: int) -> library.Stack:
        """The library's record."""
        sizes = (self.inputs, self.hidden, self.outputs, members, batch)
        threads = torch.get_num_threads()
        return library.Stack(KINDS.index(self.kind), *sizes, threads, library.best_instruction_set())


class FusedStack:
    """P controllers whose parameters are the rows of one contiguous float32 tensor (P, N).

    Args:
        shape: Their common shape.
        parameters: (P, N); must not change before the backward pass is over.
    """

    def __init__(self, shape: Shape, parameters: Tensor) -> None:
        self._tape = _Tape(shape, parameters.detach())
        with torch.enable_grad():  # the graph starts here, wherever the stack is used first
            self._anchor: Tensor = _Anchor.apply(parameters, self._tape)

    def __call__(self, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One timestep: (P, B, R) and (P, B, S) to logits (P, B, D) and the new state."""
        logits, after = _Timestep.apply(self._anchor, self._tape, observations, state)
        return logits, after


@dataclass
class _Tape:
    """What the timesteps of a stack share, and what their backward passes have left so far."""

    shape: Shape
    parameters: Tensor
    steps: list[dict[str, Tensor]] = field(default_factory=list)
    _transposed: Tensor | None = None
    _backward_pass: int = -1

    def note(self, step: dict[str, Tensor]) -> None:
        """Keep what the backward pass of a timestep leaves; what an earlier pass left is dropped."""
        number = torch._C._current_graph_task_id()
        if number != self._backward_pass:
            self._backward_pass, self.steps = number, []
        self.steps.append(step)

    def record(self, observations: Tensor) -> library.Stack:
        return self.shape.record(*observations.shape[:2])

    def transposed(self, record: library.Stack) -> Tensor:
        """The weights transposed, for the backward pass."""
        if self._transposed is None:
            self._transposed = torch.empty_like(self.parameters)
            library.call("learner_transpose", record, self.parameters.data_ptr(), self._transposed.data_ptr())
        return self._transposed

    def gradient(self) -> Tensor | None:
        """The gradient (P, N) of the parameters from all steps, which are forgotten; None without any.

        It takes the place of the transposed weights, which no step needs any more.
        """
        steps, self.steps = self.steps, []
        gradient, self._transposed = self._transposed, None
        if not steps:
            return None
        assert gradient is not None
        records = (library.Step * len(steps))(*map(_step, steps))
        record = self.record(steps[0]["observations"])
        library.call("learner_gradient", record, records, len(steps), gradient.data_ptr())
        return gradient


def _step(arrays: dict[str, Tensor]) -> library.Step:
    return library.Step(**{name: tensor.data_ptr() for name, tensor in arrays.items()})


class _Anchor(torch.autograd.Function):
    """What every timestep depends on, so that its backward pass comes after all of theirs."""

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, tape: _Tape) -> Tensor:
        ctx.tape = tape
        return parameters.new_empty(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _: Tensor) -> tuple[Tensor | None, None]:
        return ctx.tape.gradient(), None


class _Timestep(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, anchor: Tensor, tape: _Tape, observations: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        observations, state = observations.contiguous(), state.contiguous()
        rows = observations.shape[:2]
        arrays = {
            "observations": observations,
            "state": state,
            "activations": observations.new_empty(*rows, tape.shape.activations),
            "logits": observations.new_empty(*rows, tape.shape.outputs),
            "new_state": torch.empty_like(state),
        }
        library.call("learner_forward", tape.record(observations), tape.parameters.data_ptr(), _step(arrays))
        ctx.tape, ctx.activations = tape, arrays["activations"]
        ctx.save_for_backward(observations, state, arrays["new_state"])
        return arrays["logits"], arrays["new_state"]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_logits: Tensor, of_new_state: Tensor) -> tuple[Tensor | None, ...]:
        observations, state, new_state = ctx.saved_tensors
        arrays = {
            "observations": observations,
            "state": state,
            "activations": ctx.activations,
            "new_state": new_state,
            "of_logits": of_logits.contiguous(),
            "of_new_state": of_new_state.contiguous(),
            "deltas": observations.new_empty(*observations.shape[:2], ctx.tape.shape.deltas),
            "of_observations": torch.empty_like(observations),
            "of_state": torch.empty_like(state),
        }
        record = ctx.tape.record(observations)
        library.call("learner_backward", record, ctx.tape.transposed(record).data_ptr(), _step(arrays))
        if ctx.needs_input_grad[0]:
            ctx.tape.note(arrays)
        return None, None, arrays["of_observations"], arrays["of_state"]
