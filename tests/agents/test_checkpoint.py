"""Agent files: whole or not at all, and never trusted blindly."""

import json
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from agents.checkpoint import AGENT_FILE, AGENT_FORMAT, Agent, load_agent, save_agent
from agents.controllers import Controller, ControllerSpec
from nram_env.files import FileError
from nram_env.machine import MachineConfig
from nram_env.tasks import registry


@pytest.fixture
def agent() -> Agent:
    spec = ControllerSpec("lstm", MachineConfig(3, ("READ", "INC", "WRITE")), 8)
    parameters = spec.initialise(torch.Generator().manual_seed(1), torch.ones(1))
    return Agent(Controller(spec, parameters), "copy", {"seed": 1})


def test_an_agent_comes_back_as_it_was_saved(agent, tmp_path):
    save_agent(tmp_path / "agent.safetensors", agent)
    for place in (tmp_path, tmp_path / "agent.safetensors"):
        again = load_agent(place)
        assert (again.task, again.info, again.machine) == (agent.task, agent.info, agent.machine)
        assert again.controller.spec == agent.controller.spec
        assert torch.equal(again.controller.parameters, agent.controller.parameters)


def test_a_controller_that_reads_sharp_tests_comes_back_as_one(agent, tmp_path):
    spec = replace(agent.controller.spec, sharp_tests=True)
    save_agent(tmp_path / AGENT_FILE, replace(agent, controller=replace(agent.controller, spec=spec)))
    assert load_agent(tmp_path).controller.spec == spec


def test_the_same_agent_is_the_same_file(agent, tmp_path):
    files = [tmp_path / f"{number}.safetensors" for number in range(8)]
    for file in files:
        save_agent(file, agent)
    assert len({file.read_bytes() for file in files}) == 1


def test_the_file_says_what_registers_a_task_of_ones_own(agent, tmp_path, monkeypatch):
    monkeypatch.setitem(registry._SOURCES, "copy", "mytasks")
    save_agent(tmp_path / "agent.safetensors", agent)
    monkeypatch.setattr(registry, "_TASKS", {})  # as in another process
    with pytest.raises(FileError, match="it was registered by mytasks: add --import mytasks"):
        load_agent(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"there is no file .*agent\.safetensors"):
        load_agent(tmp_path)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_truncated_file_is_refused_by_name(agent, tmp_path, keep):
    file = tmp_path / "agent.safetensors"
    save_agent(file, agent)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(FileError, match=r"agent\.safetensors: no complete safetensors file"):
        load_agent(file)


def test_a_foreign_file_is_refused_by_name(tmp_path):
    file = tmp_path / "agent.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(2)}, file)
    with pytest.raises(FileError, match="holds 'no format at all'; expected nram-agent/1"):
        load_agent(file)


def test_another_format_version_is_refused_by_name(tmp_path):
    file = tmp_path / "agent.safetensors"
    safetensors.torch.save_file({"parameters": torch.zeros(2)}, file, {"format": "nram-agent/99"})
    with pytest.raises(FileError, match="holds 'nram-agent/99'; expected nram-agent/1"):
        load_agent(file)


GOOD = {
    "task": "copy",
    "info": {"config": {"max_level": 8}},
    "machine": {"num_registers": 3, "gates": ["READ", "INC", "WRITE"]},
    "controller": {"kind": "lstm", "hidden_size": 8},
}
SIZE = ControllerSpec("lstm", MachineConfig(3, ("READ", "INC", "WRITE")), 8).num_parameters


def written(tmp_path, header=GOOD, **tensors):
    file = tmp_path / "agent.safetensors"
    content = header if isinstance(header, str) else json.dumps(header)
    tensors = tensors or {"parameters": torch.zeros(1, SIZE)}
    safetensors.torch.save_file(tensors, file, {"format": AGENT_FORMAT, "header": content})
    return file


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("{", "not JSON"),
        ({"task": "copy"}, "controller is missing"),
        ({**GOOD, "speed": 3}, "speed is unknown"),
        ({**GOOD, "task": "co\x1b[31mpy"}, "task is 'co\\x1b[31mpy'; must be plain text"),
        ({**GOOD, "task": "coppy"}, "unknown task 'coppy'; did you mean 'copy'?"),
        (
            {**GOOD, "task": "mine", "imports": ["mytasks"]},
            "unknown task 'mine'; it was registered by mytasks: add --import mytasks",
        ),
        (
            {**GOOD, "machine": {"num_registers": 3, "gates": ["REED"]}},
            "machine: unknown gate 'REED'; did you mean",
        ),
        (
            {**GOOD, "machine": {"num_registers": 10**9, "gates": ["READ"]}},
            "machine.num_registers is 1000000000; must be an integer in 1..63",
        ),
        (
            {**GOOD, "machine": {"num_registers": 3, "gates": ["ADD"] * 10**5}},
            "machine.gates is a list of 100000 entries; must be a list of 1 to 256 entries",
        ),
        (
            {**GOOD, "controller": {"kind": "lstm", "hidden_size": 16.0}},
            "controller.hidden_size is 16.0; must be an integer in 1..4096",
        ),
        (
            {**GOOD, "controller": {"kind": "gru", "hidden_size": 16}},
            "controller.kind is 'gru'; must be one of lstm, feedforward",
        ),
        ({**GOOD, "info": {"config": []}}, "info.config is []; must be an object"),
        (
            {**GOOD, "info": {"config": {"max_level": "8"}}},
            "info.config.max_level is '8'; must be an integer",
        ),
    ],
)
def test_a_header_that_breaks_a_rule_is_refused_by_file_and_field(tmp_path, header, message):
    with pytest.raises(FileError, match=r"agent\.safetensors: ") as caught:
        load_agent(written(tmp_path, header))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            {"parameters": torch.zeros(1, SIZE, dtype=torch.float16)},
            "parameters.dtype is 'F16'; must be one of",
        ),
        ({"parameters": torch.zeros(1, SIZE, dtype=torch.bfloat16)}, "parameters.dtype is 'BF16'"),
        ({"parameters": torch.zeros(1, SIZE, dtype=torch.int32)}, "parameters.dtype is 'I32'"),
        (
            {"parameters": torch.zeros(1, SIZE, dtype=torch.int64)},
            "holds int64; must hold float32 or float64",
        ),
        ({"parameters": torch.zeros(2, SIZE)}, f"has shape (2, {SIZE}); must have shape (1, {SIZE})"),
        ({"parameters": torch.zeros(1, SIZE - 1)}, f"has shape (1, {SIZE - 1}); must have shape"),
        ({"parameters": torch.zeros(SIZE)}, "has shape"),
        ({"parameters": torch.zeros(1, 0)}, "has shape (1, 0)"),
        (
            {"parameters": torch.full((1, SIZE), torch.nan)},
            "holds nan; must hold finite numbers in -1e+06..1e+06",
        ),
        ({"parameters": torch.full((1, SIZE), -torch.inf)}, "holds -inf; must hold finite numbers"),
        ({"parameters": torch.full((1, SIZE), 1e38)}, "must hold finite numbers in -1e+06..1e+06"),
        ({"parameters": torch.full((1, SIZE), 1e300, dtype=torch.float64)}, "holds 1e+300"),
        ({"weights": torch.zeros(1, SIZE)}, "the tensor 'parameters' is missing"),
        ({"parameters": torch.zeros(1, SIZE), "more": torch.zeros(1)}, "the tensor 'more' is unknown"),
    ],
)
def test_a_tensor_that_does_not_fit_the_header_is_refused_by_file_and_name(tmp_path, tensors, message):
    with pytest.raises(FileError, match=r"agent\.safetensors: ") as caught:
        load_agent(written(tmp_path, **tensors))
    assert message in str(caught.value)


def test_one_broken_weight_among_good_ones_is_found(tmp_path):
    parameters = torch.zeros(1, SIZE)
    parameters[0, 77] = torch.nan
    with pytest.raises(FileError, match="holds nan"):
        load_agent(written(tmp_path, parameters=parameters))


def test_weights_in_double_precision_are_rounded_and_it_is_said(tmp_path):
    parameters = torch.linspace(-1, 1, SIZE, dtype=torch.float64)[None]
    with pytest.warns(UserWarning, match=r"agent\.safetensors: parameters are float64; they are rounded"):
        agent = load_agent(written(tmp_path, parameters=parameters))
    assert torch.equal(agent.controller.parameters, parameters.float())


def test_an_agent_is_one_controller():
    spec = ControllerSpec("lstm", MachineConfig(3), 8)
    with pytest.raises(ValueError, match="an agent has one controller, got 2"):
        Agent(Controller(spec, spec.initialise(torch.Generator(), torch.ones(2))), "copy")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(agent, tmp_path, monkeypatch):
    file = tmp_path / "agent.safetensors"
    save_agent(file, agent)
    before = file.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"cannot write .*agent\.safetensors: No space left on device"):
        save_agent(file, agent)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
