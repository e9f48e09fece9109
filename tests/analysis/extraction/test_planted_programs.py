"""Known programs, compiled into controller weights with noise in dead selectors, come out again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agents import zoo
from agents.checkpoint import Agent, load_agent
from agents.controllers import Controller, ControllerSpec
from analysis.extraction.abstract import abstract
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.circuits import circuit_block
from analysis.extraction.fidelity import compare
from analysis.extraction.network import HardNetwork
from analysis.extraction.pipeline import extract, extract_network, judge_fidelity, read_program
from analysis.extraction.record import record
from analysis.extraction.recording_file import load_recording, save_recording
from analysis.extraction.resolve import find_program
from analysis.printing.page import listing
from analysis.program.block import Guard
from analysis.program.certificate import is_equal
from analysis.program.file import dump_program
from analysis.program.program import Edge, Program, Register, Semantics
from analysis.simplification.canonical import canonical_hash
from analysis.simplification.program import simplify_program
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of
from tests.analysis.recovery import (
    HORIZON,
    compiled_networks,
    imitating_networks,
    network_of,
    paper_programs,
    planted_machines,
    planted_tables,
    random_inputs,
    recover,
    recover_planted,
)
from tests.analysis.weights import feedforward_weights, lstm_weights


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_one_of_50_tables_is_recovered_from_feedforward_weights():
    rng = np.random.default_rng(0)
    for planted in planted_tables(50):
        found = read_program(record(network_of(feedforward_weights(planted, rng)), random_inputs(2)), "found")
        assert found.kind == "table"
        assert canonical_hash(found) == canonical_hash(simplify_program(planted))


def test_of_20_machines_in_lstm_weights_95_percent_are_recovered_and_the_others_report_it():
    """The first of the 50 of benchmarks/imitation.py --compiled."""
    planted = list(planted_machines(20))
    _assert_recovered(planted, compiled_networks(planted, seed=0))


def test_lstms_trained_to_imitate_programs_give_them_back_or_report_it():
    """The first 8 of the 50 of benchmarks/imitation.py."""
    planted = [*paper_programs(), *planted_machines(3)]
    _assert_recovered(planted, imitating_networks(planted, seed=0))


def _assert_recovered(planted: Sequence[Program], networks: Sequence[HardNetwork]) -> None:
    outcomes = [recover_planted(*pair).outcome for pair in zip(planted, networks, strict=True)]
    assert outcomes.count("recovered") >= 0.95 * len(planted)
    assert set(outcomes) <= {"recovered", "unrolled", "refuted", "not imitated"}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_paper_s_programs_are_recovered_from_lstm_weights(case):
    planted = simplify_program(program_of(case))
    network = network_of(lstm_weights(program_of(case), np.random.default_rng(0)))
    found, fidelity = recover(network, seed=200)
    assert canonical_hash(found) == canonical_hash(planted)
    assert fidelity.mismatches == 0


def test_a_register_that_the_network_no_longer_needs_is_not_read_instead_of_its_copy():
    """First: mem[r0] = r0 + 1; r1 = r0, and r0 = r0 + 1 for nothing. Then: mem[r1] = r1; r0 = r1 + 1."""
    machine = MachineConfig(2, ("INC", "WRITE"))
    edges = []
    for state, witness in enumerate([(0, 0, 2, 2, 0), (1, 1, 1, 2, 1)]):
        edges.append(Edge(state, Guard(), circuit_block(machine, witness), 1 - state, witness=witness))
    registers = (Register("r0", 0), Register("r1", 1))
    planted = Program("moved", registers, ("S0", "S1"), tuple(edges), "machine", machine)
    found, fidelity = recover(network_of(lstm_weights(planted, np.random.default_rng(0))), seed=400)
    assert fidelity.certificate().verdict == "TESTED"
    assert canonical_hash(found) == canonical_hash(simplify_program(planted))
    assert [register.source for register in found.registers] == [0, 1]


def test_register_numbers_and_dead_selectors_do_not_change_the_hash():
    rng = np.random.default_rng(3)
    for planted in planted_tables(8):
        hashes = set()
        for _ in range(3):
            permuted = _permuted(planted, rng)
            network = network_of(feedforward_weights(permuted, rng))
            hashes.add(canonical_hash(read_program(record(network, random_inputs(2)), "found")))
        assert len(hashes) == 1


def _permuted(program, rng):
    """The same program with the machine's registers in another order."""
    order = rng.permutation(program.machine.num_registers)
    layout = program.machine.layout

    def renamed(witness):
        def value(choice):
            return int(order[choice]) if choice < len(order) else choice

        new = [value(choice) for choice in witness]
        updates = new[layout.register_rows]
        for register, update in enumerate(updates):
            new[layout.register_rows.start + int(order[register])] = update
        return tuple(new)

    registers = tuple(replace(r, source=int(order[r.source])) for r in program.registers)
    edges = tuple(replace(edge, witness=renamed(edge.witness)) for edge in program.edges)
    return replace(program, registers=registers, edges=edges)


def test_one_changed_live_choice_changes_the_hash_and_the_old_program_no_longer_fits():
    case = CASES["copy"]
    before = simplify_program(program_of(case))
    planted = program_of(case)
    witness = list(planted.edges[1].witness)
    row = [selector.name for selector in case.config.layout.selectors].index("gate0.READ.p")
    witness[row] = 2
    edges = (planted.edges[0], replace(planted.edges[1], witness=tuple(witness)))
    network = network_of(lstm_weights(replace(planted, edges=edges), np.random.default_rng(0)))
    after, _ = recover(network, seed=300)
    assert canonical_hash(after) != canonical_hash(before)
    found = compare(before, network, random_inputs(301))
    assert found.mismatches
    assert found.first.time == 2
    assert found.first.what == "different cells are written"


def test_a_planted_stop_ends_the_run_after_its_step_unless_the_rule_is_never():
    planted = program_of(CASES["copy"])
    stopping = replace(planted, edges=(planted.edges[0], replace(planted.edges[1], target=None)))
    controller = lstm_weights(stopping, np.random.default_rng(0))
    halting = record(network_of(controller), random_inputs(2))
    assert {len(run.steps) for run in halting.runs} == {2}
    assert read_program(halting, "halts").can_halt
    never = HardenedAgent(Agent(controller, "copy"), Semantics(stop_rule="never"))
    recording = record(never, random_inputs(2))
    assert {len(run.steps) for run in recording.runs} == {HORIZON}
    assert not read_program(recording, "never").can_halt


def test_the_same_recording_gives_the_same_bytes_also_after_a_file(tmp_path):
    planted = program_of(CASES["swap"])
    recording = record(network_of(lstm_weights(planted, np.random.default_rng(0))), random_inputs(2))
    save_recording(recording, tmp_path / "runs.npz")
    texts = {dump_program(read_program(load_recording(tmp_path / "runs.npz"), "swap")) for _ in range(2)}
    assert texts == {dump_program(read_program(recording, "swap"))}


def test_a_controller_that_counts_for_ever_is_called_unrolled():
    rng = np.random.default_rng(0)
    network = _Drifting(program_of(CASES["copy"]), rng)
    recording = record(network, random_inputs(2, runs=2))
    (found,) = abstract(recording)
    assert found.kind == "unrolled"
    assert "UNROLLED" in listing(read_program(recording, "drifting"))


class _Drifting(PlantedNetwork):
    """Makes choices at random at every step, whatever it sees: no finite machine does that."""

    def __init__(self, program, rng):
        super().__init__(program)
        self.rng = rng

    def __call__(self, zeros, state):
        output, after = super().__call__(zeros, state)
        counts = np.array(self.machine.layout.choice_counts)
        return replace(output, choices=self.rng.integers(counts, size=output.choices.shape)), after


def test_a_network_that_drifts_off_late_is_called_equal_only_up_to_the_horizon():
    """It leaves its loop at step 71; held-out runs of 16 times its training size end at step 68."""
    network = _Late(program_of(CASES["reverse"]))
    program = extract_network(network, get_task("reverse"), 4, {})
    found = {certificate.check: certificate for certificate in program.certificates}
    assert found["fidelity"].verdict == "TESTED"
    assert found["fidelity"].domain.endswith("T to 68")
    assert found["long horizon"].verdict == "REFUTED"
    assert "first: step 71 on" in found["long horizon"].counterexample


def test_a_trained_lstm_that_drifts_off_is_called_equal_only_up_to_the_horizon():
    """It learned Access on n <= 3, T = 4, and is right there; from step 5 on it writes other cells.

    Member 7 after 100 updates of Trainer(TrainConfig("access", hidden_size=8, population=8, seed=4,
    first_level=1, max_level=3, cull_every=0)): one of two such members of 36 that had learned Access.
    """
    agent = load_agent(Path(__file__).parents[2] / "data" / "drifting_access.safetensors")
    program = extract(agent)
    found = {certificate.check: certificate for certificate in program.certificates}
    assert (program.kind, len(program.states)) == ("machine", 2)
    assert found["random"].verdict == "TESTED"
    assert found["fidelity"].verdict == "TESTED"
    assert found["fidelity"].domain.endswith("T to 4")
    assert found["long horizon"].verdict == "REFUTED"
    assert "(0 unseen); first: step 5 on" in found["long horizon"].counterexample


class _Late(PlantedNetwork):
    """Does what the program does for 70 steps, then its first step again and again."""

    def initial_state(self, batch_size):
        return super().initial_state(batch_size), 0

    def __call__(self, zeros, state):
        inner, time = state
        inner = np.zeros_like(inner) if time >= 70 else inner
        output, after = super().__call__(zeros, inner)
        return output, (after, time + 1)


def test_a_controller_that_counts_on_in_its_loop_is_watched_far_beyond_its_sizes():
    """The increment that ships counts its steps somewhere, and stops at step 243, whatever is left to do."""
    certificates = find_program("zoo:increment").certificates
    assert next(c for c in certificates if c.check == "fidelity").verdict == "TESTED"
    network, task = HardenedAgent(zoo.find_entry("increment").agent), get_task("increment")
    *_, far = judge_fidelity(find_program("zoo:increment"), network, task, 8, seed=0)
    assert (far.check, far.verdict) == ("far runs", "REFUTED")
    assert far.counterexample.startswith("4 of 4 runs (0 unseen); first: step 241 on mem = [")
    assert is_equal(certificates)  # as far as controllers are judged


def test_a_controller_that_stays_in_its_loop_is_its_program_far_out():
    network = HardenedAgent(zoo.find_entry("copy").agent)
    *_, far = judge_fidelity(find_program("zoo:copy"), network, get_task("copy"), 8, seed=0)
    assert (far.check, far.verdict) == ("far runs", "TESTED")
    assert far.claim == "program = hardened network at n = 2,048"


def test_a_controller_without_state_need_not_be_watched():
    assert "far runs" not in {found.check for found in find_program("zoo:merge").certificates}


def test_an_untrained_agent_gets_no_claim_of_being_right():
    spec = ControllerSpec("lstm", MachineConfig(3), 8)
    parameters = spec.initialise(torch.Generator().manual_seed(0), torch.ones(1))
    program = extract(Agent(Controller(spec, parameters), "copy", {"config": {"max_level": 2}}))
    verdicts = {found.check: found.verdict for found in program.certificates}
    assert verdicts["random"] == verdicts["exhaustive"] == "REFUTED"
    assert "correct    REFUTED by" in listing(program)


def test_the_program_of_an_agent_carries_what_was_compared():
    case = CASES["reverse"]
    controller = lstm_weights(program_of(case), np.random.default_rng(0))
    program = extract(Agent(controller, "reverse", {"config": {"max_level": 4}}))
    verdicts = {found.check: found.verdict for found in program.certificates}
    assert verdicts["fidelity"] == verdicts["long horizon"] == "TESTED"
    assert verdicts["random"] == "TESTED"
    assert verdicts["exhaustive"] == "EXHAUSTIVE"
    assert next(c for c in program.certificates if c.check == "fidelity").count >= 3_000
    assert program.task == get_task("reverse").name
