"""A trained agent as a file. Importing this needs no torch; reading and writing does."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.bounds import MAX_LEVEL
from agents.spec import CONTROLLER_KINDS, MAX_HIDDEN_SIZE, ControllerSpec
from agents.tensors import TensorRule, open_tensors, save_tensors
from nram_env.checks import anything, boolean, built, choice, integer, record, text
from nram_env.machine import MACHINE, MachineConfig
from nram_env.tasks import IMPORTS, get_task, task_imports

if TYPE_CHECKING:
    from agents.controllers import Controller

AGENT_FORMAT = "nram-agent/1"
"""Format and version of a trained agent's file."""

AGENT_FILE = "agent.safetensors"
"""Name of the trained agent in a run folder."""

MOST_AGENT_BYTES = 1 << 30

LARGEST_WEIGHT = 1e6
"""Up to here, no controller of any size that is allowed can compute a logit that is not finite."""

_ENTRIES = record(
    {
        "task": text(least=1),
        "controller": record(
            {"kind": choice(*CONTROLLER_KINDS), "hidden_size": integer(1, MAX_HIDDEN_SIZE)},
            optional={"sharp_tests": boolean()},
        ),
        "machine": MACHINE,
        "info": record(
            {},
            optional={"config": record({}, {"max_level": integer(1, MAX_LEVEL)}, anything())},
            others=anything(),
        ),
    },
    optional={"imports": IMPORTS},
)


def _with_known_task(header: dict[str, Any]) -> dict[str, Any]:
    get_task(header["task"], header.get("imports", ()))
    return header


_HEADER = built(_ENTRIES, _with_known_task)


@dataclass(frozen=True)
class Agent:
    """A trained controller and what it was trained for.

    Attributes:
        controller: One controller (P = 1).
        task: Name of its task, as in "copy".
        info: Where it comes from: training configuration, seed, measured errors. JSON values only.

    Raises:
        ValueError: More than one controller.

    Example:
        >>> from agents import zoo
        >>> agent = zoo.find_entry("copy").agent
        >>> agent.task, agent.machine.num_registers
        ('copy', 4)
    """

    controller: Controller
    task: str
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.controller.num_members != 1:
            raise ValueError(f"an agent has one controller, got {self.controller.num_members}")

    @property
    def trained_to(self) -> int:
        """Largest difficulty n of its training; 8 where that is not known."""
        return self.info.get("config", {}).get("max_level", 8)

    @property
    def must_stop(self) -> bool:
        """Whether it was to learn to stop by itself."""
        return self.info.get("config", {}).get("halting", False)

    @property
    def machine(self) -> MachineConfig:
        """The machine that the controller drives."""
        return self.controller.spec.machine


def save_agent(path: str | Path, agent: Agent) -> None:
    """Write an agent to one safetensors file.

    Example:
        >>> import tempfile
        >>> from agents import load_agent, zoo
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_agent(f"{folder}/mine.safetensors", zoo.find_entry("copy").agent)
        ...     load_agent(f"{folder}/mine.safetensors").task
        'copy'
    """
    spec = agent.controller.spec
    header = {
        "task": agent.task,
        "imports": list(task_imports(agent.task)),
        "controller": {"kind": spec.kind, "hidden_size": spec.hidden_size, **_sharpness(spec)},
        "machine": spec.machine.to_json(),
        "info": dict(agent.info),
    }
    save_tensors(path, AGENT_FORMAT, header, {"parameters": agent.controller.parameters})


def _sharpness(spec: ControllerSpec) -> dict[str, bool]:
    """Said where it is not the usual, so that files of others are those of earlier versions."""
    return {"sharp_tests": True} if spec.sharp_tests else {}


def load_agent(path: str | Path) -> Agent:
    """Read an agent from a file or from the run folder that holds it.

    Weights in double precision are rounded to single precision, with a warning that says so.

    Raises:
        FileError: No such file, not an agent, damaged, of another format version, or with a field that
            breaks its rule, as a task that is not known here; the message names file and field.

    Example:
        >>> from agents import zoo
        >>> load_agent(zoo.PLACE / "copy").task
        'copy'
    """
    from agents.controllers import Controller

    file = open_tensors(agent_file(path), AGENT_FORMAT, _HEADER, MOST_AGENT_BYTES)
    spec = ControllerSpec(machine=file.header["machine"], **file.header["controller"])
    rule = TensorRule((1, spec.num_parameters), ("float32", "float64"), -LARGEST_WEIGHT, LARGEST_WEIGHT)
    parameters = file.tensors({"parameters": rule})["parameters"]
    if file.declared["parameters"][0] == "float64":
        warnings.warn(f"{file.path}: parameters are float64; they are rounded to float32", stacklevel=2)
    return Agent(Controller(spec, parameters.float()), file.header["task"], file.header["info"])


def agent_file(path: str | Path) -> Path:
    """The agent's file for a run folder; a file stands for itself."""
    place = Path(path)
    return place / AGENT_FILE if place.is_dir() else place
