"""A controller without state is read whole; one with state is never guessed at."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.checkpoint import Agent
from analysis.commands.cli import main
from analysis.extraction.circuits import CircuitMachine, circuit_block
from analysis.extraction.fidelity import compare
from analysis.extraction.pipeline import extract, extract_network, read_program
from analysis.extraction.record import Inputs, record
from analysis.extraction.seen import as_if_seen, unseen
from analysis.extraction.table import table_of, table_reach
from analysis.extraction.table_fidelity import compare_table
from analysis.printing.page import listing
from analysis.program.block import Guard, Operation
from analysis.program.certificate import Certificate, is_equal
from analysis.program.program import Edge, Program, Register
from analysis.simplification.meaning import Facts, meaning_of
from analysis.simplification.reach import program_reach, reach
from nram_env.machine import Gate, MachineConfig, zeros_of_patterns
from nram_env.tasks import get_task
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of, random_table, table_program
from tests.analysis.recovery import HORIZON, network_of, random_inputs
from tests.analysis.weights import feedforward_weights, lstm_weights

LONG = 10 * HORIZON


@pytest.mark.parametrize("seed", range(4))
def test_a_foreign_table_s_program_is_the_network_in_400_runs_ten_times_as_long(seed):
    rng = np.random.default_rng(seed)
    planted = random_table(MachineConfig(int(rng.integers(3, 6))), 5, rng)
    network = network_of(feedforward_weights(planted, rng))
    program = read_program(record(network, random_inputs(seed, runs=4)), "foreign")
    found = compare(program, network, random_inputs(seed + 50, runs=100, horizon=LONG)[::3])
    assert (found.runs, found.mismatches, found.unseen) == (400, 0, 0)
    whole = compare_table(program, network)
    assert whole.certificate().verdict == "EXHAUSTIVE"
    assert whole.min_size <= 3


COUNTING = MachineConfig(2, ("ONE", "INC", "WRITE"))
"""Values of its circuits: 0, 1 the registers, 2 the constant, 3 one more, 4 what was written."""

_COUNT, _OTHER = (0, 0, 1, 3, 2), (1, 0, 0, 1, 2)
"""mem[r0] = r1, r0 = r0 + 1, r1 = 1; and: mem[r0] = r0, r0 = r1, r1 = 1."""


def _counting(stops=(0b01,)):
    """It counts in r0; r1 is 0 at the start only. Where r0 comes round to 0 something else is done."""
    return table_program(COUNTING, [_COUNT, _OTHER, _OTHER, _COUNT], stops)


def test_a_pattern_that_occurs_only_long_after_every_recorded_run_is_in_the_program():
    """r0 is 0 again after 40 steps in a memory of 40; no run was longer than 20."""
    network = network_of(feedforward_weights(_counting(), np.random.default_rng(0)))
    short = [Inputs(np.zeros((8, size), dtype=np.int64), np.full(8, HORIZON)) for size in (30, 40)]
    program = read_program(record(network, short), "counting")
    assert {edge.support > 0: edge.target for edge in program.edges} == {True: 0, False: None}
    assert (
        compare(program, network, [replace(part, horizon=4 * part.horizon) for part in short]).first is None
    )
    assert "-- on none of the recorded runs:" in listing(program)


def test_only_patterns_shown_to_be_impossible_are_left_open_and_the_certificate_says_which():
    network = network_of(feedforward_weights(_counting(), np.random.default_rng(0)))
    program = read_program(record(network, random_inputs(0)), "counting")
    whole = compare_table(program, network)
    assert whole.excluded == ((3, 2),)
    assert "all 3 of 4 zero-patterns that can occur" in whole.certificate().domain
    assert "never [r0 != 0 and r1 == 0]" in whole.certificate().claim


def test_a_table_whose_program_is_edited_is_not_called_equal():
    network = network_of(feedforward_weights(_counting(), np.random.default_rng(0)))
    program = read_program(record(network, random_inputs(0)), "counting")
    edges = tuple(edge for edge in program.edges if edge.target is not None)
    found = compare_table(replace(program, edges=edges), network)
    assert found.certificate().verdict == "UNKNOWN"
    assert found.unequal == (0b01,)


def test_a_table_is_read_without_any_run():
    network = network_of(feedforward_weights(_counting(), np.random.default_rng(0)))
    program = read_program(record(network, []), "counting")
    assert compare(program, network, random_inputs(3, horizon=LONG)).mismatches == 0


def test_every_pattern_that_a_random_table_meets_is_among_those_that_can_occur():
    rng = np.random.default_rng(0)
    for _ in range(15):
        planted = random_table(MachineConfig(int(rng.integers(2, 6))), 3, rng)
        network = PlantedNetwork(planted)
        found = table_reach(planted.machine, table_of(network).step)
        met = {p for run in record(network, random_inputs(1, runs=8)[::3]).runs for p in run.patterns}
        assert met <= set(found.patterns())
        assert found.min_size <= 3


def test_what_is_known_of_a_situation_holds_in_every_run_that_comes_there():
    rng = np.random.default_rng(1)
    for _ in range(10):
        machine = MachineConfig(int(rng.integers(2, 5)))
        network = PlantedNetwork(random_table(machine, 3, rng))
        output = table_of(network)
        known = table_reach(machine, output.step).known
        for inputs in random_inputs(2, runs=8)[::3]:
            run = CircuitMachine(machine, inputs.memory)
            for _ in range(10):
                patterns = (run.registers == 0) @ (1 << np.arange(machine.num_registers))
                for row, pattern in enumerate(patterns.tolist()):
                    _assert_holds(known[0, pattern], run.registers[row], inputs.memory.shape[1])
                run.advance(output.choices[patterns], np.ones(len(patterns), dtype=bool))


def _assert_holds(known, registers, size):
    for register, (kind, value) in enumerate(known):
        expected = value % size if kind == "constant" else registers[value]
        assert registers[register] == expected


def test_too_many_registers_are_not_looked_through():
    assert reach(13, lambda state, pattern: None) is None


def test_a_hardened_table_chooses_the_same_in_every_batch():
    network = network_of(feedforward_weights(_counting(), np.random.default_rng(0)))
    zeros = zeros_of_patterns(2)
    together = table_of(network)
    for pattern in range(4):
        alone, _ = network(zeros[[pattern]], network.initial_state(1))
        assert np.array_equal(alone.margins[0], together.margins[pattern])
        assert alone.step(0) == together.step(pattern)


BRANCHING = MachineConfig(2, ("READ", "ONE", "WRITE"))


def _branching():
    """S0: r0 = mem[0]. S1: mem[1] = r0 where r0 is not 0, mem[r1] = 1 where it is; then S1 again."""
    first, nonzero, zero = (0, 1, 1, 2, 3), (0, 3, 0, 0, 3), (0, 1, 3, 0, 3)
    guards = [(0, Guard(), first), (1, Guard(((1, 0),)), nonzero), (1, Guard(((1, 1),)), zero)]
    edges = tuple(
        Edge(source, guard, circuit_block(BRANCHING, chosen), 1, witness=chosen)
        for source, guard, chosen in guards
    )
    return Program(
        "branching", (Register("r0", 0), Register("r1", 1)), ("S0", "S1"), edges, "machine", BRANCHING
    )


def _full(first, runs=8, size=6):
    memory = np.random.default_rng(0).integers(1, size, size=(runs, size))
    memory[:, 0] = first
    return [Inputs(memory, np.full(runs, HORIZON))]


def test_an_lstm_s_program_stops_unseen_under_a_pattern_that_was_not_recorded_in_that_state():
    network = network_of(lstm_weights(_branching(), np.random.default_rng(0)))
    program = read_program(record(network, _full(3)), "branching")
    assert compare(program, network, _full(5)).mismatches == 0
    found = compare(program, network, _full(0))
    assert (found.mismatches, found.unseen) == (8, 8)
    assert [inputs.horizon.tolist() for inputs in found.unseen_runs] == [[4] * 8]
    assert "unseen     S1 if" in listing(program)
    again = read_program(record(network, found.unseen_runs, record(network, _full(3))), "branching")
    assert compare(again, network, _full(0)).mismatches == 0
    assert unseen(again) == (None, None)


def test_guards_are_shown_without_what_was_never_recorded_and_that_beside_them():
    network = network_of(lstm_weights(_branching(), np.random.default_rng(0)))
    program = read_program(record(network, _full(3)), "branching")
    assert not all(edge.guard.always for edge in program.edges)
    assert all(edge.guard.always for edge in as_if_seen(program).edges)
    assert [guard is None for guard in unseen(program)] == [True, False]


def test_a_counter_that_never_came_round_in_a_recorded_run_is_unseen_not_guessed():
    """Increment in an LSTM: one state; whether its counter is 0 makes no difference to it."""
    network = network_of(lstm_weights(program_of(CASES["copy"]), np.random.default_rng(0)))
    short = [replace(part, horizon=np.full(len(part.memory), 2)) for part in random_inputs(0)[-3:]]
    program = read_program(record(network, short), "copy")
    later = compare(program, network, random_inputs(1, horizon=LONG))
    assert later.mismatches == later.unseen > 0


def test_runs_far_beyond_the_horizon_are_learned_from_only_where_they_were_unseen():
    program = extract_network(PlantedNetwork(program_of(CASES["reverse"])), get_task("reverse"), 4, {})
    assert {c.check: c.verdict for c in program.certificates}["long horizon"] == "TESTED"


def test_an_agent_counts_as_equal_only_if_no_faithful_line_fails():
    good = [Certificate(check, "c", "TESTED", "d", 1) for check in ("fidelity", "long horizon", "random")]
    assert is_equal(good)
    assert not is_equal([good[0], replace(good[1], verdict="REFUTED", counterexample="x"), good[2]])
    assert not is_equal([*good, Certificate("table", "c", "UNKNOWN", "d", 1)])
    assert is_equal([*good, Certificate("exhaustive", "c", "REFUTED", "d", 1, "x")])
    assert not is_equal([good[2]])


def test_a_feedforward_agent_s_certificates_begin_with_all_patterns():
    controller = feedforward_weights(_counting(), np.random.default_rng(0))
    program = extract(Agent(controller, "increment", {"config": {"max_level": 3}}))
    assert program.certificates[0].check == "table"
    assert program.certificates[0].verdict == "EXHAUSTIVE"
    assert is_equal(program.certificates)
    assert "faithful   EXHAUSTIVE to all" in listing(program)


def test_a_flag_is_1_where_it_is_not_0():
    """r0 = [r1 < 2]; r1 = r0 + r0 ... so r1 - 2 is 0 wherever r0 was not."""
    block_of = circuit_block(MachineConfig(2, ("TWO", "LESS-THAN", "ADD")), (1, 2, 0, 0, 3, 4))
    edge = Edge(0, Guard(), block_of, 0)
    registers = (Register("r0", 0), Register("r1", 1))
    found = program_reach(
        Program("flag", registers, ("S0",), (edge,), "machine", MachineConfig(2, ("TWO", "LESS-THAN", "ADD")))
    )
    assert found.known[0, 0b10][0] == ("constant", 1)
    assert Operation(Gate.TWO) in block_of.instructions


def test_extract_fails_for_an_agent_that_leaves_its_program_beyond_the_horizon(tmp_path, capsys):
    """`equal` heeds every faithful line: up to the horizon this one follows its program."""
    agent = Path(__file__).parents[2] / "data" / "drifting_access.safetensors"
    assert main(["extract", str(agent), "--out", str(tmp_path / "program.json"), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    verdicts = {found["check"]: found["verdict"] for found in result["certificates"]}
    assert (verdicts["fidelity"], verdicts["long horizon"], result["equal"]) == ("TESTED", "REFUTED", False)


def test_what_the_simplifier_makes_of_more_facts_does_not_keep_equal_circuits_apart():
    """min(0, r1) with r1 known to be 3 was not seen to be 0."""
    block = circuit_block(MachineConfig(2, ("MIN", "MAX")), (0, 1, 0, 1, 2, 3))
    facts = Facts({0: ("constant", 0), 1: ("constant", 3)})
    meaning = meaning_of(block, 2, facts)
    assert [meaning.terms.value(meaning.outputs[register]) for register in (0, 1)] == [0, 3]
