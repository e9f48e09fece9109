"""Files of the learner: safetensors with a JSON header, written atomically, never pickle.

One file holds tensors and what they mean, so that the two cannot disagree after a crash. Importing this
needs no torch; reading and writing does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from agents.spec import ControllerSpec
from nram_env.machine import MachineConfig
from nram_env.support import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

    from agents.controllers import Controller

AGENT_FORMAT = "nram-agent/1"
"""Format and version of a trained agent's file."""

AGENT_FILE = "agent.safetensors"
"""Name of the trained agent in a run folder."""


class CheckpointError(ValueError):
    """A file that cannot be used; the message names it, says what is wrong and what to do."""


@dataclass(frozen=True)
class Agent:
    """A trained controller and what it was trained for.

    Attributes:
        controller: One controller (P = 1).
        task: Name of its task, as in "copy".
        info: Where it comes from: training configuration, seed, measured errors. JSON values only.
    """

    controller: Controller
    task: str
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def machine(self) -> MachineConfig:
        """The machine that the controller drives."""
        return self.controller.spec.machine


def save_agent(path: str | Path, agent: Agent) -> None:
    """Write an agent to one safetensors file."""
    spec = agent.controller.spec
    header = {
        "task": agent.task,
        "controller": {"kind": spec.kind, "hidden_size": spec.hidden_size},
        "machine": {
            "num_registers": spec.machine.num_registers,
            "gates": [gate.label for gate in spec.machine.gates],
        },
        "info": dict(agent.info),
    }
    save_tensors(path, AGENT_FORMAT, header, {"parameters": agent.controller.parameters})


def load_agent(path: str | Path) -> Agent:
    """Read an agent from a file or from the run folder that holds it.

    Raises:
        CheckpointError: No such file, not an agent, damaged, or of another format version.
    """
    from agents.controllers import Controller

    file = agent_file(path)
    header, tensors = load_tensors(file, AGENT_FORMAT)
    try:
        machine = MachineConfig(header["machine"]["num_registers"], tuple(header["machine"]["gates"]))
        spec = ControllerSpec(header["controller"]["kind"], machine, header["controller"]["hidden_size"])
        return Agent(Controller(spec, tensors["parameters"]), header["task"], header["info"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file} is damaged: {error}; train again or use a backup") from error


def agent_file(path: str | Path) -> Path:
    """The agent's file for a run folder; a file stands for itself."""
    place = Path(path)
    return place / AGENT_FILE if place.is_dir() else place


def save_tensors(
    path: str | Path, format_name: str, header: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Write tensors and a JSON header as one file, atomically.

    Args:
        path: The file.
        format_name: Format and version, as in "nram-agent/1".
        header: JSON values.
        tensors: Named tensors of any shape; they may share memory.
    """
    import safetensors.torch
    import torch

    metadata = {"format": format_name, "header": json.dumps(header, sort_keys=True, allow_nan=False)}
    own = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    write_atomically(path, safetensors.torch.save(own, metadata))


def load_tensors(path: str | Path, format_name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what `save_tensors` wrote.

    Raises:
        CheckpointError: No such file, no safetensors file, damaged, or another format or version.
    """
    file = Path(path)
    if not file.is_file():
        raise CheckpointError(f"there is no file {file}")
    try:
        with safe_open(file, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file} is no complete safetensors file: {error}") from error
    if metadata.get("format") != format_name:
        found = metadata.get("format", "no format at all")
        raise CheckpointError(f"{file} holds {found}; expected {format_name}")
    try:
        return dict(json.loads(metadata["header"])), tensors
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file} has no readable header: {error}") from error
