"""Whole episodes in one native call, and their gradient in another: controllers and machines, float32, CPU.

The library (native/episodes.h) plays a few members at a time from their first timestep to their last, so that
what a controller leaves is still in the processor's cache when the machine needs it. It calls the functions
of the machine's own library, and gives the numbers that the environment gives timestep by timestep.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor

from agents import library
from agents.controllers import CONTROLLER_KINDS, Controller
from nram_env.envs.episode import SURVIVAL_FLOOR, EpisodeState, Rules
from nram_env.machine.backends import library as machine_library
from nram_env.machine.backends.base import Options
from nram_env.machine.backends.derivatives import first_only, no_forward_mode
from nram_env.machine.backends.fused import machine_record


@dataclass(frozen=True)
class Played:
    """What comes of the episodes of P x B rows, T timesteps long; all with graph but the last two.

    Attributes:
        returns: (P x B,); undiscounted.
        entropy: (P x B,); of the selectors, in nats, summed over selectors and timesteps.
        halting: (T, P x B); p_t, the probability that a run ends with timestep t.
        halting_entropy: (T, P x B); of "finish now or not", in nats.
        wrong: (P x B, M) booleans; output cells whose most probable value is not the wanted one.
        finite: (P,) booleans; members all of whose logits were finite. Others played on with logits 0.
    """

    returns: Tensor
    entropy: Tensor
    halting: Tensor
    halting_entropy: Tensor
    wrong: Tensor
    finite: Tensor


def serves(controller: Controller, rules: Rules, state: EpisodeState) -> bool:
    """Whether the library plays these episodes, rather than torch one timestep at a time.

    Raises:
        ValueError: The backend of the controller or of the environment is "fused", and the library cannot.
    """
    backends = (controller.backend, rules.backend)
    return not rules.hard and library.serves(backends, lambda: _obstacle(controller, state))


def _obstacle(controller: Controller, state: EpisodeState) -> str | None:
    arrays = {"parameters": controller.parameters, **{name: getattr(state, name) for name in _NUMBERS}}
    reason = library.Unroll.obstacle(_sizes(controller, state), arrays)
    if reason is None and machine_library.load() is None:
        reason = f"the library {machine_library.LIBRARY_FILE.name} was not built, or from another version"
    return reason or library.missing()


def _sizes(controller: Controller, state: EpisodeState) -> dict[str, int]:
    """Those of `library.Unroll`, as far as they are known before the episodes."""
    spec, members = controller.spec, controller.num_members
    rows = len(state.horizon) // members * members
    sizes = {"P": members, "N": spec.num_parameters, "X": rows}
    return {**sizes, "R": spec.machine.num_registers, "M": state.memory_size}


def play(controller: Controller, rules: Rules, state: EpisodeState) -> Played:
    """Play every row to its end; `serves` must hold.

    Args:
        controller: P members.
        rules: Those of the environment.
        state: P x B rows before their first timestep, member by member.
    """
    parameters = controller.parameters
    differentiable = torch.is_grad_enabled() and parameters.requires_grad
    episodes = _Episodes(controller, rules, state, differentiable)
    halting, score, entropy, halting_entropy = _Unrolled.apply(parameters, episodes)
    sums = (returns_of(rules, halting, score, state.mask), entropy.sum(0))
    results = episodes.results
    return Played(*sums, halting, halting_entropy, results["wrong"], results["finite"])


def returns_of(rules: Rules, halting: Tensor, score: Tensor, mask: Tensor) -> Tensor:
    """Returns (N,) of episodes that were played whole.

    Args:
        rules: Those of the environment.
        halting: p_t, (T, N).
        score: Log-likelihood of the output after every timestep, (T, N); of the mixture loss the sum of
            p_t M_t[i, y_i], (N, M).
        mask: (N, M) booleans; true at the output cells.
    """
    if rules.loss == "mixture":
        return score.clamp_min(rules.log_floor).log().masked_fill(~mask, 0.0).sum(-1)
    return (halting * score).sum(0)


@dataclass
class _Episodes:
    """The library's record of a call, and the arrays that it points to."""

    controller: Controller
    rules: Rules
    state: EpisodeState
    differentiable: bool
    results: dict[str, Tensor] = field(init=False)
    tape: Tensor | None = None

    def __post_init__(self) -> None:
        self.timesteps = int(self.state.horizon.max())
        self.sizes = {**_sizes(self.controller, self.state), "T": self.timesteps}
        names = [*_RESULTS, *(_OF_MIXTURE if self.rules.loss == "mixture" else ())]
        self.results = {name: room.zero_() for name, room in library.Unroll.room(self.sizes, names).items()}
        for name in {"finite", "likelihood"} & self.results.keys():
            self.results[name].fill_(1)

    def call(self, function: str, **gradients: Tensor) -> None:
        """Call the library, with the gradients that the backward pass needs besides.

        Raises:
            MemoryError: There is not enough for the tape or the workspace.
            ValueError: A target is not in 0..M-1.
        """
        arrays = {
            "parameters": self.controller.parameters,
            "zero_probs": self.state.observed,
            **{name: getattr(self.state, name) for name in (*_NUMBERS, "target", "mask", "horizon")},
            **({"chance": self.state.chance} if self.rules.noisy_registers else {}),
            **gradients,
        }
        arrays = {name: array.contiguous() for name, array in arrays.items()}
        record = self._record()
        if self.tape is None:
            self.tape = _take_tape(library.load().learner_tape_floats(record))  # type: ignore[union-attr]
        sizes = {**self.sizes, "F": len(self.tape), "S": self.taken}
        library.call(function, record.point(sizes, {**arrays, **self.results, "tape": self.tape}))

    @property
    def taken(self) -> int:
        """Timesteps until the last example had finished."""
        return int(self.results["taken"].max())

    def _record(self) -> library.Unroll:
        native = machine_library.load()
        return library.Unroll(
            stack=self._stack(),
            size=self.controller.spec.num_parameters,
            machine=ctypes.pointer(self._machine()),
            forward=_address(native, "nram_forward"),
            backward=_address(native, "nram_backward"),
            timesteps=self.timesteps,
            slots=self.timesteps + 1 if self.differentiable else 2,
            sharp_registers=self.rules.sharp_registers,
            machine_seconds=_stopwatch,
        )

    def _stack(self) -> library.Stack:
        spec, members = self.controller.spec, self.controller.num_members
        sizes = (spec.machine.num_registers, spec.hidden_size, spec.machine.layout.size, spec.sharp_tests)
        batch = len(self.state.horizon) // members
        threads, instructions = torch.get_num_threads(), library.best_instruction_set()
        return library.Stack(CONTROLLER_KINDS.index(spec.kind), *sizes, members, batch, threads, instructions)

    def _machine(self) -> machine_library.Machine:
        rules, threads = self.rules, torch.get_num_threads()
        return machine_record(
            rules.machine,
            self.state.memory_size,
            Options(rules.activation_clip, rescale=True),
            threads if self.controller.num_members == 1 else 1,
            rules.log_floor if rules.loss == "expected" else 0.0,
            SURVIVAL_FLOOR,
        )


_NUMBERS = ("registers", "memory", "survival")
_SUMMED = ("entropy", "halting_entropy")
_RESULTS = (*_SUMMED, "halting", "log_likelihood", "output", "wrong", "finite", "taken")
_OF_MIXTURE = ("credit", "likelihood")


class _Unrolled(torch.autograd.Function):
    """Parameters (P, N) to p_t (T, P x B), the score, and both entropies (T, P x B).

    The score is the log-likelihood of the output after every timestep (T, P x B); of the mixture loss the sum
    of p_t M_t[i, y_i] (P x B, M).
    """

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, episodes: _Episodes) -> tuple[Tensor, ...]:
        episodes.call("learner_forward")
        results, taken = episodes.results, episodes.taken
        ctx.episodes = episodes
        ctx.save_for_backward(parameters)
        mixture = episodes.rules.loss == "mixture"
        score = results["credit"] if mixture else results["log_likelihood"][:taken]
        if not episodes.differentiable:
            _give_back(episodes)
        return results["halting"][:taken], score, *(results[name][:taken] for name in _SUMMED)

    @staticmethod
    @first_only
    def backward(ctx: Any, of_halting: Tensor, of_score: Tensor, *of_entropies: Tensor) -> tuple[Any, None]:
        episodes, results = ctx.episodes, ctx.episodes.results
        if episodes.tape is None:
            raise RuntimeError("the gradient of fused episodes can be asked for once; unroll them again")
        gradients = dict(zip(("of_entropy", "of_halting_entropy"), of_entropies, strict=True))
        if episodes.rules.loss == "mixture":
            of_halting = of_halting + (of_score * results["likelihood"][: episodes.taken]).sum(-1)
            gradients["of_credit"] = of_score
        else:
            gradients["of_log_likelihood"] = of_score
        (gradient,) = library.Unroll.room(episodes.sizes, ["gradient"]).values()
        ctx.saved_tensors  # noqa: B018  complains if the parameters have changed since
        episodes.call("learner_backward", of_halting=of_halting, gradient=gradient, **gradients)
        _give_back(episodes)
        return gradient, None

    jvp = staticmethod(no_forward_mode)


_spare: list[Tensor] = []
"""A tape that serves again: fresh memory of its size costs more than what is written there."""


def _take_tape(floats: int) -> Tensor:
    spare = _spare.pop() if _spare else None
    if spare is None or len(spare) < floats:
        spare = library.Unroll.arrays["tape"].room({"F": floats})
    return spare


def _give_back(episodes: _Episodes) -> None:
    if episodes.tape is not None:
        _spare[:] = [episodes.tape]
    episodes.tape = None


@cache
def _address(native: ctypes.CDLL, function: str) -> int | None:
    return ctypes.cast(getattr(native, function), ctypes.c_void_p).value


_stopwatch: Any = None
"""Where the library adds the machine's seconds, if anyone asks."""


@contextmanager
def machine_seconds() -> Iterator[ctypes.c_double]:
    """Add up the processor seconds that episodes spend inside the machine, forward and backward."""
    global _stopwatch
    seconds = ctypes.c_double()
    _stopwatch = ctypes.pointer(seconds)
    try:
        yield seconds
    finally:
        _stopwatch = None
