"""Bad input to the machine gets one clear error that restates what was passed."""

import numpy as np
import pytest
import torch

from nram_env.machine import MachineConfig, MachineState, initial_state, step, timestep, transition

CONFIG = MachineConfig(2, ["INC", "WRITE"])


@pytest.fixture
def state() -> MachineState:
    return initial_state(CONFIG, torch.tensor([[1, 0, 2], [0, 0, 0]]))


@pytest.mark.parametrize("number", [0, -1, 2.0, "4", True, None])
def test_the_number_of_registers_must_be_a_positive_integer(number):
    with pytest.raises(ValueError, match=f"num_registers must be an integer in 1..63, got {number!r}"):
        MachineConfig(number)


def test_an_unknown_gate_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match="unknown gate 'WRIT'; did you mean 'WRITE'"):
        MachineConfig(2, ["READ", "WRIT"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0, 3, 1]], r"cell 1 of example 0 holds 3, which is not in 0\.\.2 \(M = 3\)"),
        ([[0, 0], [-1, 0]], r"cell 0 of example 1 holds -1, which is not in 0\.\.1 \(M = 2\)"),
        ([0, 1, 2], r"must have shape \(B, M\) with B >= 1 and M >= 2, got \(3,\)"),
        ([[0]], r"must have shape \(B, M\) with B >= 1 and M >= 2, got \(1, 1\)"),
        (np.zeros((0, 4), dtype=int), r"got \(0, 4\)"),
        ([[0.0, 1.0]], "must be integers, got torch.float32"),
        ([[True, False]], "must be integers, got torch.bool"),
    ],
)
def test_memory_values_out_of_range_are_refused(values, message):
    values = values if isinstance(values, np.ndarray) else torch.tensor(values)
    with pytest.raises(ValueError, match=message):
        initial_state(CONFIG, values)


@pytest.mark.parametrize(
    "shape", [(2, CONFIG.layout.num_probs - 1), (1, CONFIG.layout.num_probs), (CONFIG.layout.num_probs,)]
)
def test_selectors_of_another_shape_are_refused(state, shape):
    with pytest.raises(ValueError, match=r"selectors must have shape \(B, numbers\) = \(2, "):
        step(CONFIG, state, torch.zeros(shape))


def test_logits_of_another_shape_are_refused(state):
    with pytest.raises(ValueError, match=r"logits must have shape .* = \(2, 17\), got \(2, 16\)"):
        transition(CONFIG, state, torch.zeros(2, CONFIG.layout.num_probs))


def test_numbers_of_another_type_than_the_state_are_refused(state):
    with pytest.raises(ValueError, match=r"logits must be torch.float32 like the state, got torch.float64"):
        transition(CONFIG, state, torch.zeros(2, CONFIG.layout.size, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"selectors must be torch.float32 .* got torch.int64"):
        step(CONFIG, state, torch.zeros(2, CONFIG.layout.num_probs, dtype=torch.int64))


def test_an_unknown_backend_is_answered_with_the_nearest(state):
    with pytest.raises(ValueError, match="unknown backend 'referense'; did you mean 'reference'"):
        timestep(CONFIG, state, torch.zeros(2, CONFIG.layout.size), backend="referense")


def test_states_are_immutable(state):
    with pytest.raises(AttributeError):
        state.memory = torch.zeros(1)


@pytest.mark.parametrize(
    ("registers", "memory", "survival", "message"),
    [
        ((2, 3, 3), (2, 3, 3), (2,), r"registers of the state must have shape \(2, 2, 3\)"),
        ((2, 2, 3), (2, 4, 3), (2,), r"memory of the state must have shape \(2, 3, 3\)"),
        ((2, 2, 1), (2, 1, 1), (2,), r"a state needs M >= 2, got M = 1"),
        ((2, 2, 3), (2, 3, 3), (1,), r"survival of the state must have shape \(2,\)"),
    ],
)
def test_a_state_of_another_machine_is_refused(registers, memory, survival, message):
    state = MachineState(torch.ones(registers), torch.ones(memory), torch.ones(survival))
    with pytest.raises(ValueError, match=message):
        transition(CONFIG, state, torch.zeros(2, CONFIG.layout.size))
    with pytest.raises(ValueError, match=message):
        step(CONFIG, state, torch.zeros(2, CONFIG.layout.num_probs))


def test_a_state_of_mixed_types_is_refused(state):
    mixed = MachineState(state.registers.double(), state.memory, state.survival)
    with pytest.raises(ValueError, match=r"registers of the state must be torch.float32 like its memory"):
        transition(CONFIG, mixed, torch.zeros(2, CONFIG.layout.size))


@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_a_clip_that_is_not_positive_is_refused(state, limit):
    with pytest.raises(ValueError, match="activation_clip must be a positive number or None"):
        transition(CONFIG, state, torch.zeros(2, CONFIG.layout.size), activation_clip=limit)


@pytest.mark.parametrize(
    ("target", "mask", "message"),
    [
        (torch.zeros(2, 3, dtype=torch.int64), None, "target and mask go together"),
        (
            torch.zeros(2, 3),
            torch.ones(2, 3, dtype=torch.bool),
            "target must be torch.int64 .* got torch.float32",
        ),
        (
            torch.zeros(2, 4, dtype=torch.int64),
            torch.ones(2, 3, dtype=torch.bool),
            r"\(2, 3\), got .*\(2, 4\)",
        ),
        (torch.zeros(2, 3, dtype=torch.int64), torch.ones(2, 3), "mask must be torch.bool"),
    ],
)
def test_a_target_or_mask_that_does_not_fit_is_refused(state, target, mask, message):
    with pytest.raises(ValueError, match=message):
        timestep(CONFIG, state, torch.zeros(2, CONFIG.layout.size), target=target, mask=mask)
