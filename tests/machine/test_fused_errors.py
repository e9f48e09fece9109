"""What the fused backend refuses, and what happens where it was not built."""

import ctypes
import ctypes.util
import logging
from pathlib import Path

import pytest
import torch

from nram_env.machine import MachineConfig, MachineState, initial_state, timestep
from nram_env.machine.backends import engine, library

built = pytest.mark.skipif(not library.LIBRARY_FILE.exists(), reason="the native library was not built here")


@pytest.fixture
def state() -> MachineState:
    return initial_state(MachineConfig(2), torch.tensor([[1, 0, 2], [0, 0, 0]]))


SIZE = MachineConfig(2).layout.size


@built
@pytest.mark.parametrize(
    ("logits", "message"),
    [
        (
            torch.zeros(2, 2 * SIZE)[:, ::2],
            r"logits must be contiguous, got strides .*backend='reference' can",
        ),
        (torch.zeros(2, SIZE, dtype=torch.float64), "logits must be torch.float32 like the state"),
        (torch.zeros(3, SIZE), r"logits must have shape \(B, numbers\) = \(2, "),
    ],
)
def test_logits_that_do_not_fit_are_refused(state, logits, message):
    with pytest.raises(ValueError, match=message):
        timestep(MachineConfig(2), state, logits, backend="fused")


@built
def test_double_precision_is_refused_by_fused_and_runs_with_auto():
    config = MachineConfig(2)
    state = initial_state(config, torch.tensor([[1, 0, 2]]), dtype=torch.float64)
    logits = torch.zeros(1, config.layout.size, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"registers must be torch.float32, got torch.float64"):
        timestep(config, state, logits, backend="fused")
    assert timestep(config, state, logits, backend="auto").entropy.dtype == torch.float64


@built
def test_a_target_out_of_range_is_refused(state):
    mask = torch.ones(2, 3, dtype=torch.bool)
    for wrong in (3, -1, 2**62):
        target = torch.tensor([[0, 1, 2], [0, wrong, 0]])
        with pytest.raises(ValueError, match=r"a target is not in 0\.\.M-1"):
            timestep(MachineConfig(2), state, torch.zeros(2, SIZE), target=target, mask=mask, backend="fused")


@built
def test_the_library_refuses_a_gate_that_it_does_not_know():
    machine = library.Machine(registers=1, size=2, gates=1, threads=1, gate=(ctypes.c_int * 1)(99))
    status = library.load().nram_forward(machine, engine.Inputs(), engine.Outputs())
    with pytest.raises(ValueError, match="the gate list holds a gate that the library does not know"):
        library.check(status)


@pytest.fixture
def no_library(monkeypatch, tmp_path):
    """The package as it is where there was no compiler."""
    monkeypatch.setattr(library, "LIBRARY_FILE", tmp_path / "missing.so")
    library.load.cache_clear()
    yield
    library.load.cache_clear()


def test_without_the_library_auto_runs_on_the_reference_and_says_so_once(no_library, state, caplog):
    logits = torch.randn(2, SIZE, requires_grad=True)
    with caplog.at_level(logging.WARNING, "nram_env"):
        found = [timestep(MachineConfig(2), state, logits).state.memory for _ in range(3)]
    wanted = timestep(MachineConfig(2), state, logits, backend="reference").state.memory
    assert all(torch.equal(memory, wanted) for memory in found)
    assert ["fused backend is missing" in record.message for record in caplog.records] == [True]


def test_without_the_library_fused_is_an_error(no_library, state):
    with pytest.raises(ValueError, match=r"missing\.so was not built, or from another version"):
        timestep(MachineConfig(2), state, torch.zeros(2, SIZE), backend="fused")


@built
def test_a_library_of_another_version_is_refused_instead_of_called(caplog):
    with caplog.at_level(logging.WARNING, "nram_env"):
        assert library.open_library(library.LIBRARY_FILE, "it is missing", (library.Machine,)) is None
    assert "built from another version of the package" in caplog.text


@built
def test_a_library_that_does_not_know_its_records_is_refused(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "nram_env"):
        assert library.open_library(Path(ctypes.util.find_library("c")), "it is missing", ()) is None
    assert "nram_record_size" in caplog.text
