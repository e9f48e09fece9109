"""ActionLayout: sizes, order and names of the numbers in an action."""

import numpy as np
import pytest

from nram_env.machine import PAPER_GATES, MachineConfig


@pytest.mark.parametrize(("num_registers", "size"), [(4, 308), (8, 488), (12, 700)])
def test_the_paper_gates_give_this_many_logits(num_registers, size):
    layout = MachineConfig(num_registers).layout
    assert (layout.size, layout.num_probs, layout.halt) == (size, size - 1, size - 1)


def test_selectors_follow_the_order_of_gates_arguments_and_registers():
    layout = MachineConfig(2, ["READ", "ONE", "ADD", "WRITE"]).layout
    assert [(s.name, s.start, s.size) for s in layout.selectors] == [
        ("gate0.READ.p", 0, 2),
        ("gate2.ADD.a", 2, 4),
        ("gate2.ADD.b", 6, 4),
        ("gate3.WRITE.p", 10, 5),
        ("gate3.WRITE.a", 15, 5),
        ("register0", 20, 6),
        ("register1", 26, 6),
    ]


@pytest.mark.parametrize("gates", [PAPER_GATES, PAPER_GATES * 2])
def test_slices_cover_every_number_once(gates):
    layout = MachineConfig(3, gates).layout
    covered = np.concatenate([np.arange(layout.size)[s.slice] for s in layout.selectors])
    assert covered.tolist() == list(range(layout.num_probs))


def test_nineteen_selectors_steer_the_paper_gates():
    layout = MachineConfig(4).layout
    assert sum(selector.gate is not None for selector in layout.selectors) == 19
    assert len(layout.selectors[layout.register_rows]) == 4


def test_choices_undo_one_hot():
    layout, rng = MachineConfig(3).layout, np.random.default_rng(0)
    choices = rng.integers(layout.choice_counts, size=(5, len(layout.selectors)))
    assert np.array_equal(layout.choices(layout.one_hot(choices)), choices)


def test_a_tie_chooses_the_first():
    layout = MachineConfig(2, ["INC"]).layout
    assert layout.choices(np.zeros(layout.size)).tolist() == [0, 0, 0]


def test_a_choice_is_named_after_its_register_or_gate():
    layout = MachineConfig(2, PAPER_GATES * 2).layout
    assert [layout.choice_name(choice) for choice in (1, 2, 7, 21)] == [
        "r1",
        "gate0.READ",
        "gate5.ADD",
        "gate19.ADD",
    ]


def test_a_selector_is_found_by_name():
    layout = MachineConfig(4).layout
    assert layout["gate5.ADD.b"].argument == 1
    with pytest.raises(ValueError, match=r"unknown selector 'gate5.ADD.c'; did you mean 'gate5.ADD"):
        layout["gate5.ADD.c"]


def test_padded_positions_hold_every_number_once():
    positions, real = MachineConfig(3).layout.padded_positions
    assert sorted(positions[real].tolist()) == list(range(MachineConfig(3).layout.num_probs))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ([0, 0], r"expected 3 choices, got an array of shape \(2,\)"),
        ([0, 0, 3], r"choice 3 of register1 is not in 0\.\.2"),
        ([-1, 0, 0], r"choice -1 of gate0\.INC\.a is not in 0\.\.1"),
    ],
)
def test_choices_out_of_range_are_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        MachineConfig(2, ["INC"]).layout.one_hot(choices)
