"""Agent files: whole or not at all, and never trusted blindly."""

import json

import pytest
import safetensors.torch
import torch

from agents.checkpoint import AGENT_FORMAT, Agent, CheckpointError, load_agent, save_agent
from agents.controllers import Controller, ControllerSpec
from nram_env.machine import MachineConfig


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


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"there is no file .*agent\.safetensors"):
        load_agent(tmp_path)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_a_truncated_file_is_refused_by_name(agent, tmp_path, keep):
    file = tmp_path / "agent.safetensors"
    save_agent(file, agent)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"agent\.safetensors is no complete safetensors file"):
        load_agent(file)


def test_a_foreign_file_is_refused_by_name(tmp_path):
    file = tmp_path / "agent.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(2)}, file)
    with pytest.raises(CheckpointError, match="holds no format at all; expected nram-agent/1"):
        load_agent(file)


def test_another_format_version_is_refused_by_name(tmp_path):
    file = tmp_path / "agent.safetensors"
    safetensors.torch.save_file({"parameters": torch.zeros(2)}, file, {"format": "nram-agent/99"})
    with pytest.raises(CheckpointError, match="holds nram-agent/99; expected nram-agent/1"):
        load_agent(file)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("{", "has no readable header"),
        (json.dumps({"task": "copy"}), "is damaged"),
        (
            json.dumps(
                {
                    "task": "copy",
                    "info": {},
                    "machine": {"num_registers": 3, "gates": ["REED"]},
                    "controller": {"kind": "lstm", "hidden_size": 8},
                }
            ),
            "did you mean 'READ'",
        ),
    ],
)
def test_a_damaged_header_is_refused(tmp_path, header, message):
    file = tmp_path / "agent.safetensors"
    metadata = {"format": AGENT_FORMAT, "header": header}
    safetensors.torch.save_file({"parameters": torch.zeros(1, 2)}, file, metadata)
    with pytest.raises(CheckpointError, match=message):
        load_agent(file)


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
