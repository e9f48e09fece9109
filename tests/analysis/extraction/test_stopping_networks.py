"""A network that stops by itself is recorded and read to its stop, however far behind T(n) that is."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.extraction.inputs import edge_inputs, long_inputs, training_inputs
from analysis.extraction.pipeline import extract_network
from analysis.extraction.stops import network_stops
from analysis.machine.vm import run
from analysis.program.program import Semantics
from nram_env.tasks import get_task
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of, stopping_at_zero

REVERSE = get_task("reverse")
NEVER = program_of(CASES["reverse"])
STOPS = stopping_at_zero(NEVER, register=2)
"""The paper's Reverse that stops when its counter has come round: after M + 1 steps; T(n) is n + 4."""


def test_the_runs_of_a_network_decide_whether_it_stops_by_itself():
    assert network_stops(PlantedNetwork(STOPS), REVERSE)
    assert not network_stops(PlantedNetwork(NEVER), REVERSE)
    assert not network_stops(PlantedNetwork(STOPS, Semantics(stop_rule="never")), REVERSE)


def test_the_program_of_a_network_that_stops_has_its_last_states():
    program = extract_network(PlantedNetwork(STOPS), REVERSE, 4, {})
    found = {certificate.check: certificate for certificate in program.certificates}
    assert list(found) == ["fidelity", "far runs", "stops", "random", "exhaustive", "time", "effects"]
    assert found["fidelity"].claim == "program = hardened network to where it stops by itself"
    assert found["stops"].claim == "stops by itself after step M + 1"
    assert not {"REFUTED", "UNKNOWN"} & {certificate.verdict for certificate in found.values()}
    memory = REVERSE.sample(np.random.default_rng(0), 5, 300).memory[0].tolist()
    result = run(program, memory, 10_000)
    assert (result.outcome, result.steps) == ("halted", 301)


def test_the_program_of_a_network_that_never_stops_is_read_and_compared_to_t_as_ever():
    program = extract_network(PlantedNetwork(NEVER), REVERSE, 4, {})
    assert not program.can_halt
    checks = [certificate.check for certificate in program.certificates]
    assert checks == [
        "fidelity",
        "long horizon",
        "far runs",
        "stops",
        "random",
        "exhaustive",
        "time",
        "effects",
    ]


@pytest.mark.parametrize("kind", ["training", "edge", "long"])
def test_inputs_have_an_m_of_their_own_for_every_few_runs_and_end_at_t_or_at_the_cap(kind):
    def drawn(must_stop):
        rng = np.random.default_rng(0)
        if kind == "training":
            return list(training_inputs(REVERSE, 8, 256, rng, must_stop))
        if kind == "edge":
            return list(edge_inputs(REVERSE, rng, must_stop))
        return list(long_inputs(REVERSE, 8, 16, 3_008, rng, must_stop))

    short, whole = drawn(False), drawn(True)
    for t, capped in zip(short, whole, strict=True):
        assert np.array_equal(t.memory, capped.memory)
        assert np.array_equal(10 * t.horizon + 3 * t.memory_sizes + 50, capped.horizon)
    sizes = np.concatenate([part.memory_sizes for part in short])
    n = np.concatenate([part.horizon for part in short]) - 4
    assert (
        len(set(zip(n.tolist(), sizes.tolist(), strict=True)))
        >= {"training": 50, "edge": 15, "long": 400}[kind]
    )
    if kind == "long":
        assert n.max() == 128
        assert len(sizes) == 3_008
    for part in short:
        for row in (0, -1):
            REVERSE.check_memory(part.instance(row))
