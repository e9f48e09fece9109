"""Networks and circuits of other makes: what can be read, what they have to promise, what is refused."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from analysis import ModuleNetwork, check_network, extract, from_circuits, run
from analysis.program.block import ProgramError
from nram_env import MachineConfig

EXAMPLE = Path(__file__).parents[3] / "examples" / "own_network.py"
MACHINE = MachineConfig(2, ("READ", "INC", "WRITE"))
INCREMENT_FIRST = [0, 2, 0, 3, 0, 1]  # mem[r0] = mem[r0] + 1; registers stay
ONE = [("S0", "--", INCREMENT_FIRST, None)]


class Scripted:
    """A network without state that gives the same circuit whatever it sees, and stops after it."""

    machine = MACHINE

    def initial_state(self, batch_size):
        return None

    def logits(self, zeros, state):
        stop = np.ones((len(zeros), 1))
        circuit = np.tile(MACHINE.layout.one_hot([INCREMENT_FIRST]), (len(zeros), 1))
        return np.concatenate([circuit, stop], axis=1), state


class Counting(Scripted):
    """Its state is the number of timesteps."""

    def initial_state(self, batch_size):
        return np.zeros((batch_size, 1))

    def logits(self, zeros, state):
        return super().logits(zeros, None)[0], state + 1


class Noisy(Scripted):
    def logits(self, zeros, state):
        found, state = super().logits(zeros, state)
        return found + np.random.default_rng().random(found.shape), state


class Remembering(Scripted):
    calls = 0

    def logits(self, zeros, state):
        self.calls += 1
        return super().logits(zeros, state)[0] * self.calls, state


class Overwriting(Counting):
    def logits(self, zeros, state):
        found = super().logits(zeros, state)[0] + state
        state += zeros[:, :1]
        return found, state


class BatchAveraging(Scripted):
    def logits(self, zeros, state):
        return super().logits(zeros, state)[0] + zeros.mean(), state


class ChangingZeros(Scripted):
    def logits(self, zeros, state):
        found = super().logits(zeros, state)[0] + zeros[:, :1]
        zeros[:] = ~zeros
        return found, state


class QuietlyOverwriting(Counting):
    """What it makes of its state shows only a step later."""

    def logits(self, zeros, state):
        found = Scripted.logits(self, zeros, None)[0] + state
        state += 1
        return found, state


class BrokenOnOnePattern(Scripted):
    def logits(self, zeros, state):
        found, state = super().logits(zeros, state)
        return np.where((zeros == [True, False]).all(1)[:, None], np.nan, found), state


class Infinite(Scripted):
    def logits(self, zeros, state):
        return super().logits(zeros, state)[0] * np.inf, state


class Short(Scripted):
    def logits(self, zeros, state):
        return super().logits(zeros, state)[0][:, 1:], state


class Forgetful(Counting):
    def logits(self, zeros, state):
        return super().logits(zeros, state)[0], None


@pytest.mark.parametrize("network", [Scripted(), Counting()])
def test_a_network_that_keeps_its_promises_is_read(network):
    assert check_network(network) == []
    program = extract(network, "increment", size=3)
    assert run(program, [4, 0, 0, 0, 0, 0], max_steps=1).memory == (5, 0, 0, 0, 0, 0)
    assert [found.verdict for found in program.certificates if found.check == "fidelity"] == ["TESTED"]


@pytest.mark.parametrize(
    ("network", "fault"),
    [
        (Noisy(), "by chance, or by memory"),
        (Remembering(), "by chance, or by memory"),
        (Overwriting(), "a state or zeros that were passed in were changed"),
        (QuietlyOverwriting(), "a state or zeros that were passed in were changed"),
        (ChangingZeros(), "a state or zeros that were passed in were changed"),
        (BrokenOnOnePattern(), "must be finite numbers under every zero-pattern"),
        (BatchAveraging(), "depend on the other rows"),
        (Infinite(), "must be finite numbers under every zero-pattern"),
        (Short(), r"must be an array of shape \(16, "),
        (Forgetful(), "has a state or none"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_broken_promise_is_named_before_anything_is_read(network, fault):
    with pytest.raises(ValueError, match=f"this network cannot be read: .*{fault}"):
        extract(network, "increment")


def test_a_network_has_to_be_given_its_task():
    with pytest.raises(ValueError, match=r"say extract\(network, task=\.\.\.\)"):
        extract(Scripted())


def test_what_is_no_network_is_refused():
    with pytest.raises(ValueError, match=r"reads a trained Agent or a Network, got 'copy'"):
        extract("copy", "copy")


def test_a_module_is_read_in_evaluation_mode_and_left_as_it_is():
    module = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.Linear(8, MACHINE.layout.size))
    before = [parameter.clone() for parameter in module.parameters()]
    network = ModuleNetwork(module, MACHINE)
    program = extract(network, "increment", size=3)
    table = next(found for found in program.certificates if found.check == "table")
    assert table.verdict == "EXHAUSTIVE"
    assert module.training
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert all(parameter.dtype is torch.float32 for parameter in module.parameters())


def test_the_example_reads_what_it_trained(capsys):
    spec = importlib.util.spec_from_file_location("own_network", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.UPDATES = 20  # too few to learn Access; whatever it learned is read all the same
    controller = example.Controller()
    example.train(controller, 0)
    network = ModuleNetwork(controller, example.MACHINE, example.initial_state)
    assert check_network(network) == []
    program = extract(network, "access", size=4)
    assert {found.check: found.verdict for found in program.certificates}["fidelity"] == "TESTED"


def test_circuits_of_other_makes_are_a_program():
    rows = [("first", "--", INCREMENT_FIRST, "second"), ("second", "0-", INCREMENT_FIRST, None)]
    program = from_circuits(MACHINE, rows, task="increment")
    assert run(program, [4, 0, 0, 0, 0, 0, 0], max_steps=9).memory == (6, 0, 0, 0, 0, 0, 0)
    assert run(program, [4, 0, 0, 0, 0, 0, 0], max_steps=9).outcome == "halted"


@pytest.mark.parametrize(
    ("rows", "semantics", "fault"),
    [
        (ONE, {"register_update": "in_place"}, "register_update is 'in_place'"),
        (ONE, {"write_returns": "zero"}, "write_returns is 'zero'"),
        (ONE, {"initial_registers": "random"}, "initial_registers is 'random'"),
        ([("S0", "-", INCREMENT_FIRST, None)], {}, "one of 0, 1 and - for each of 2 registers"),
        ([("S0", "--", INCREMENT_FIRST[:-1], None)], {}, "witness of 5 choices, not 6"),
        ([("S0", "--", [0, 9, 0, 3, 0, 1], None)], {}, "choice 9"),
        ([*ONE, ("S0", "0-", INCREMENT_FIRST, None)], {}, "match the same"),
        ([], {}, "there is no state"),
        ([("S0", "--", INCREMENT_FIRST, "S7")], {}, "goes on to 'S7'; the states are S0"),
        ([("S0", "--", [0.0, *INCREMENT_FIRST[1:]], None)], {}, "choices that are no integers"),
        ([("S0", "--", INCREMENT_FIRST)], {}, r"a circuit is \(state, zero-pattern"),
    ],
)
def test_circuits_that_mean_something_else_are_refused(rows, semantics, fault):
    with pytest.raises(ProgramError, match=fault):
        from_circuits(MACHINE, rows, **semantics)
