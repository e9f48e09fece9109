"""Soft gates against the definition: P(out = c) is a sum over all arguments of their probabilities."""

from itertools import product

import numpy as np
import pytest
import torch

from nram_env.machine import Gate, apply_gate, parse_gates, pure_gate
from nram_env.machine.soft_gates import soft_gate

BATCH = 3
SIZES = range(2, 10)
PURE_GATES = [gate for gate in Gate if gate not in (Gate.READ, Gate.WRITE)]


def _distributions(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.softmax(2 * torch.randn(*shape, generator=generator), dim=-1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("gate", PURE_GATES, ids=lambda gate: gate.label)
def test_a_soft_gate_equals_the_sum_over_its_integer_gate(gate, size):
    arguments = _distributions(gate.arity, BATCH, size)
    memory = _distributions(BATCH, size, size)
    wanted = torch.zeros(BATCH, size)
    for values in product(range(size), repeat=gate.arity):
        weight = torch.ones(BATCH)
        for argument, value in zip(arguments, values, strict=True):
            weight = weight * argument[:, value]
        wanted[:, apply_gate(gate, values, [0] * size)] += weight
    output, after = soft_gate(gate, arguments.unbind(0), memory)
    torch.testing.assert_close(output, wanted, atol=1e-6, rtol=0)
    assert torch.equal(after, memory)


@pytest.mark.parametrize("size", SIZES)
def test_a_soft_read_is_the_expected_content(size):
    memory, pointer = _distributions(BATCH, size, size), _distributions(BATCH, size)
    wanted = torch.zeros(BATCH, size)
    for cell, value in product(range(size), repeat=2):
        wanted[:, value] += pointer[:, cell] * memory[:, cell, value]
    output, after = soft_gate(Gate.READ, [pointer], memory)
    torch.testing.assert_close(output, wanted, atol=1e-6, rtol=0)
    assert torch.equal(after, memory)


@pytest.mark.parametrize("size", SIZES)
def test_a_soft_write_mixes_old_and_new_content_and_outputs_the_value(size):
    memory = _distributions(BATCH, size, size)
    pointer, value = _distributions(2, BATCH, size)
    wanted = torch.zeros(BATCH, size, size)
    for pointed, cell, content in product(range(size), repeat=3):
        written = value if pointed == cell else memory[:, cell]
        wanted[:, cell, content] += pointer[:, pointed] * written[:, content]
    output, after = soft_gate(Gate.WRITE, [pointer, value], memory)
    torch.testing.assert_close(after, wanted, atol=1e-6, rtol=0)
    assert torch.equal(output, value)


@pytest.mark.parametrize("gate", list(Gate), ids=lambda gate: gate.label)
def test_a_soft_gate_turns_distributions_into_distributions(gate):
    memory, arguments = _distributions(BATCH, 7, 7), _distributions(gate.arity, BATCH, 7)
    for probs in soft_gate(gate, arguments.unbind(0), memory):
        assert (probs >= 0).all()
        torch.testing.assert_close(probs.sum(-1), torch.ones(probs.shape[:-1]), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("gate", "arguments", "value"),
    [
        (Gate.ZERO, [], 0),
        (Gate.ONE, [], 1),
        (Gate.TWO, [], 2),
        (Gate.INC, [4], 0),
        (Gate.ADD, [3, 4], 2),
        (Gate.SUB, [1, 3], 3),
        (Gate.DEC, [0], 4),
        (Gate.LESS_THAN, [2, 2], 0),
        (Gate.LESS_OR_EQUAL_THAN, [2, 2], 1),
        (Gate.EQUALITY_TEST, [2, 3], 0),
        (Gate.MIN, [1, 3], 1),
        (Gate.MAX, [1, 3], 3),
    ],
    ids=lambda value: value.label if isinstance(value, Gate) else None,
)
def test_an_integer_gate_gives_its_value_modulo_five(gate, arguments, value):
    assert pure_gate(gate, arguments, 5) == value


@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize("gate", PURE_GATES, ids=lambda gate: gate.label)
def test_an_integer_gate_stays_within_the_memory_and_takes_arrays_element_by_element(gate, size):
    arguments = list(product(range(size), repeat=gate.arity))
    values = [pure_gate(gate, each, size) for each in arguments]
    assert all(0 <= value < size for value in values)
    arrays = [np.array(column) for column in zip(*arguments, strict=True)]
    assert np.broadcast_to(pure_gate(gate, arrays, size), len(values)).tolist() == values


def test_two_is_zero_in_a_memory_of_two_cells():
    assert pure_gate(Gate.TWO, [], 2) == 0


def test_an_integer_write_changes_the_memory_and_outputs_the_value():
    memory = [0, 0, 0]
    assert apply_gate(Gate.WRITE, [1, 2], memory) == 2
    assert memory == [0, 2, 0]
    assert apply_gate(Gate.READ, [1], memory) == 2


def test_gate_names_are_read_in_either_case_and_spelling():
    assert parse_gates(["less_than", "LESS-OR-EQUAL-THAN", Gate.MAX]) == (
        Gate.LESS_THAN,
        Gate.LESS_OR_EQUAL_THAN,
        Gate.MAX,
    )


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        (["READ", "LES-THAN"], "unknown gate 'LES-THAN'; did you mean 'LESS-THAN'"),
        ([], "gate list is empty"),
        ("READ", "got the single string 'READ'"),
    ],
)
def test_a_bad_gate_list_is_refused(gates, message):
    with pytest.raises(ValueError, match=message):
        parse_gates(gates)
