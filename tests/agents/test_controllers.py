"""Controllers: stacks of independent networks with one weight tensor."""

import pytest
import torch

from agents.controllers import CONTROLLER_KINDS, Controller, ControllerSpec
from nram_env.machine import MachineConfig

MACHINE = MachineConfig(4)


def make(kind: str, members: int = 3, hidden_size: int = 8) -> Controller:
    spec = ControllerSpec(kind, MACHINE, hidden_size)
    parameters = spec.initialise(torch.Generator().manual_seed(0), torch.ones(members))
    return Controller(spec, parameters)


@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_a_member_of_a_stack_computes_the_same_alone(kind):
    stack = make(kind)
    observations = torch.rand(3, 5, 4)
    state = stack.initial_state(5) + 0.1
    logits, after = stack(observations, state)
    for index in range(3):
        alone = stack.member(index)
        own = slice(index, index + 1)
        own_logits, own_after = alone(observations[own], state[own])
        torch.testing.assert_close(own_logits, logits[own])
        torch.testing.assert_close(own_after, after[own])


def test_the_lstm_computes_the_textbook_equations():
    hidden = 8
    controller = make("lstm", members=1, hidden_size=hidden)
    reference = torch.nn.LSTMCell(hidden, hidden)
    weights = {name: value[0] for name, value in controller.weights.items()}
    with torch.no_grad():
        reference.weight_ih.copy_(weights["cell_weight"][:hidden].T)
        reference.weight_hh.copy_(weights["cell_weight"][hidden:].T)
        reference.bias_ih.copy_(weights["cell_bias"][0])
        reference.bias_hh.zero_()
    order = torch.tensor([0, 1, 3, 2]).repeat_interleave(hidden) * hidden + torch.arange(hidden).repeat(4)
    with torch.no_grad():  # torch orders its gates input, forget, cell, output
        for weight in (reference.weight_ih, reference.weight_hh, reference.bias_ih):
            weight.copy_(weight[order])
    observation = torch.rand(1, 4)
    encoded = (observation @ weights["hidden_weight"] + weights["hidden_bias"]).relu()
    expected, _ = reference(encoded, (torch.zeros(1, hidden), torch.zeros(1, hidden)))
    _, state = controller(observation[None], controller.initial_state(1))
    torch.testing.assert_close(state[0, :, :hidden], expected)


@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_sharp_tests_move_what_is_between_0_and_1_towards_the_nearer_end(kind):
    plain = make(kind)
    sharp = Controller(ControllerSpec(kind, MACHINE, 8, sharp_tests=True), plain.parameters)
    state = plain.initial_state(5) + 0.1
    tests = torch.tensor([0.0, 1.0, 0.5, 0.25]).expand(3, 5, 4)
    read = torch.tensor([0.0, 1.0, 0.5, 0.15625]).expand(3, 5, 4)
    for found, wanted in zip(sharp(tests, state), plain(read, state), strict=True):
        torch.testing.assert_close(found, wanted)
    certain = (tests > 0.4).float()
    assert torch.equal(sharp(certain, state)[0], plain(certain, state)[0])


def test_a_feed_forward_controller_has_no_state():
    assert make("feedforward").initial_state(5).shape == (3, 5, 0)


def test_the_output_scale_multiplies_the_output_layer_of_its_member_alone():
    spec = ControllerSpec("lstm", MACHINE, 8)
    plain = spec.initialise(torch.Generator().manual_seed(0), torch.ones(2))
    scaled = spec.initialise(torch.Generator().manual_seed(0), torch.tensor([1.0, 2.0]))
    before, after = (Controller(spec, p).weights["head_weight"] for p in (plain, scaled))
    torch.testing.assert_close(after, before * torch.tensor([1.0, 2.0])[:, None, None])
    torch.testing.assert_close(scaled[0], plain[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lsmt", MACHINE, 8), "did you mean 'lstm'"),
        (("lstm", MACHINE, 0), "hidden_size must be an integer in 1..4096, got 0"),
    ],
)
def test_an_impossible_controller_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ControllerSpec(*arguments)


def test_parameters_of_another_length_are_refused():
    with pytest.raises(ValueError, match=r"must have shape \(P, \d+\), got \(2, 7\)"):
        Controller(ControllerSpec("lstm", MACHINE, 8), torch.zeros(2, 7))


@pytest.mark.parametrize(
    ("observations", "state", "message"),
    [
        ((3, 2, 5), (3, 2, 16), r"observations must have shape \(3, 2, 4\), got \(3, 2, 5\)"),
        ((3, 2, 4), (3, 1, 16), r"state must have shape \(3, 2, 16\), got \(3, 1, 16\)"),
        ((2, 2, 4), (2, 2, 16), r"observations must have shape \(3, 2, 4\), got \(2, 2, 4\)"),
    ],
)
def test_inputs_of_another_shape_are_refused(observations, state, message):
    with pytest.raises(ValueError, match=message):
        make("lstm")(torch.zeros(observations), torch.zeros(state))
