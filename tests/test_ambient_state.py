"""Whatever state a caller has put torch in, the numbers are those under the usual one."""

import ast
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

from agents import library
from agents.config import TrainConfig
from agents.controllers import CONTROLLER_KINDS, Controller, ControllerSpec
from agents.evaluation import evaluate
from agents.noise import normal
from agents.rollout import make_envs, unroll
from agents.trainer import Trainer
from agents.zoo import find_entry
from analysis.extraction.adapters import HardenedAgent
from analysis.pictures.observe import observe_run
from nram_env.machine import MachineConfig, initial_state, step, timestep
from nram_env.machine.backends import reference
from nram_env.machine.backends.reference import soften
from nram_env.tasks import get_task

ROOT = Path(__file__).parent.parent
BACKENDS = ("fused", "reference") if library.LIBRARY_FILE.exists() else ("reference",)


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


STATES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "bfloat16": lambda: default_dtype(torch.bfloat16),
    "float16": lambda: default_dtype(torch.float16),
    "float64": lambda: default_dtype(torch.float64),
    "meta": lambda: torch.device("meta"),
    "inference": torch.inference_mode,
    "no_grad": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "deterministic": deterministic,
    "threads": lambda: threads(3),
}
WITHOUT_GRAPH = ("inference", "no_grad")

Found = dict[str, torch.Tensor | np.ndarray]
"""Numbers by name."""


@cache
def usually(subject: Callable[..., Found], *arguments: object) -> Found:
    return subject(*arguments)


def assert_same(subject: Callable[..., Found], state: str, *arguments: object) -> None:
    """All that is found but the gradient where no graph is built."""
    wanted = usually(subject, *arguments)
    with STATES[state]():
        found = subject(*arguments)
    assert wanted.keys() - found.keys() <= ({"gradient"} if state in WITHOUT_GRAPH else set())
    for name, values in found.items():
        assert values.dtype == wanted[name].dtype, name
        assert as_array(values).tobytes() == as_array(wanted[name]).tobytes(), name


def as_array(values: torch.Tensor | np.ndarray) -> np.ndarray:
    return values.numpy(force=True) if isinstance(values, torch.Tensor) else values


def evaluations(name: str) -> Found:
    agent = find_entry(name).agent
    rows = [evaluate(agent, mode, n, 10, seed=0) for mode in ("soft", "hard") for n in (8, 16, 32)]
    return {"errors": np.array([(row.cell_error, row.exact_error) for row in rows])}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", ["copy-feedforward", "swap"])
def test_an_evaluation_gives_the_same_errors(state, name):
    assert_same(evaluations, state, name)


def played(backend: str, loss: str, kind: str) -> Found:
    """What comes of episodes, and its gradient where a graph was built."""
    spec = ControllerSpec(kind, MachineConfig(4), 8)
    weights = spec.initialise(
        torch.Generator().manual_seed(0), torch.full((3,), 3.0, dtype=torch.float32, device="cpu")
    )
    parameters = weights.requires_grad_(torch.is_grad_enabled())
    controller, task = Controller(spec, parameters, backend), get_task("copy")
    batch = task.sample(np.random.default_rng(0), 5, 12, 24)
    envs = make_envs(task, spec.machine, 24, loss=loss, activation_clip=1.0, backend=backend)
    rollout = unroll(controller, envs, instance=batch, horizon=np.full(24, 6))
    found: Found = dict(vars(rollout))
    if parameters.requires_grad:
        score = (rollout.returns + rollout.entropy + rollout.halting_entropy).sum()
        with torch.autocast("cpu", enabled=False):
            (found["gradient"],) = torch.autograd.grad(score, parameters)
    return found


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_episodes_and_their_gradients_are_the_same(state, loss, backend):
    for kind in CONTROLLER_KINDS:
        assert_same(played, state, backend, loss, kind)


def stepped(backend: str) -> Found:
    """One timestep of the machine on its own, from integers in numpy and from a tensor."""
    config = MachineConfig(3)
    generator = torch.Generator().manual_seed(0)
    logits = normal(generator, 2, config.layout.size).requires_grad_(torch.is_grad_enabled())
    state = initial_state(config, np.array([[3, 1, 0, 0], [2, 0, 1, 3]]))
    target = torch.ones(2, 4, dtype=torch.int64, device="cpu")
    moved = timestep(config, state, logits, target=target, mask=target > 0, backend=backend)
    again = timestep(config, moved.state, logits, activation_clip=1e-3, rescale=True, backend=backend)
    found: Found = {**vars(again.state), "likelihood": moved.log_likelihood}
    if logits.requires_grad:
        score = again.state.memory.square().sum() + moved.entropy.sum()
        with torch.autocast("cpu", enabled=False):
            (found["gradient"],) = torch.autograd.grad(score, logits)
    selectors = soften(config.layout, logits.detach())[0]
    return {**found, "stepped": step(config, moved.state.detach(), selectors).memory}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_timestep_is_the_same(state, backend):
    assert_same(stepped, state, backend)


def trained(backend: str, loss: str) -> Found:
    """A population after updates with tests, selections and new generations."""
    config = TrainConfig(
        population=6,
        batch_size=4,
        loss=loss,
        backend=backend,
        first_level=2,
        max_level=2,
        level_threshold=1.0,
        evaluate_every=2,
        evaluation_factors=(2,),
        evaluation_examples=2,
        cull_every=2,
        spare_age=0,
        cull_share=0.7,
        generation_every=3,
        generation_noise=0.5,
    )
    trainer = Trainer(config)
    losses = [trainer.advance().loss for _ in range(5)]
    return {**vars(trainer.population), "losses": np.array(losses)}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_training_gives_the_same_population(state, loss, backend):
    assert_same(trained, state, backend, loss)


def environments(hard: bool, backend: str) -> Found:
    """Episodes of the single and of the vector environment, numpy in and numpy out."""
    options = {"memory_size": 8, "hard": hard, "backend": backend}
    env = gymnasium.make("NRAM/Copy-v0", render_mode="rgb_array", **options)
    envs = gymnasium.make_vec("NRAM/Copy-v0", num_envs=3, **options)
    chance, found = np.random.default_rng(0), {}
    for name, made in (("one", env), ("several", envs)):
        observation, _ = made.reset(seed=0)
        found[f"{name} 0"] = observation
        for time in range(1, 4):
            action = chance.uniform(-1, 1, made.action_space.shape).astype(np.float32)
            observation, reward, terminated, *_ = made.step(action)
            found[f"{name} {time}"], found[f"{name} reward {time}"] = observation, np.asarray(reward)
            if np.any(terminated):
                break
    return {**found, "frame": env.render()}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
def test_environments_give_the_same_numbers(state, hard, backend):
    assert_same(environments, state, hard, backend)


def observed() -> Found:
    """What programs are read from: the hardened controller's choices, and runs with all their numbers."""
    agent = find_entry("copy").agent
    network = HardenedAgent(agent)
    output, state = network(np.eye(4, dtype=bool), network.initial_state(4))
    again, state = network(np.ones((4, 4), dtype=bool), state)
    run = {name: np.asarray(values) for name, values in vars(observe_run(agent, 6, seed=0)).items()}
    return {**run, "first": output.margins, "second": again.margins, "state": state}


@pytest.mark.parametrize("state", STATES)
def test_what_programs_are_read_from_is_the_same(state):
    assert_same(observed, state)


def test_what_was_made_in_inference_mode_serves_a_gradient_later(monkeypatch):
    monkeypatch.setattr(reference, "_kept", {})
    config = MachineConfig(2)
    with torch.inference_mode():
        state = initial_state(config, np.array([[1, 0, 2]]))
        timestep(config, state, torch.zeros(1, config.layout.size), backend="reference")
    logits = torch.zeros(1, config.layout.size, requires_grad=True)
    timestep(config, state, logits, backend="reference").entropy.sum().backward()
    assert logits.grad is not None


def test_a_controller_that_ran_without_graph_has_a_gradient_later():
    spec = ControllerSpec("lstm", MachineConfig(2), 4)
    weights = spec.initialise(torch.Generator().manual_seed(0), torch.ones(1)).requires_grad_()
    controller = Controller(spec, weights)
    with torch.no_grad():
        controller(torch.ones(1, 1, 2), controller.initial_state(1))
    logits, _ = controller(torch.ones(1, 1, 2), controller.initial_state(1))
    assert torch.autograd.grad(logits.sum(), weights)[0].abs().sum() > 0


FACTORIES = {
    *("arange", "empty", "eye", "full", "linspace", "logspace", "normal", "ones", "rand", "randint", "randn"),
    *("randperm", "scalar_tensor", "tensor", "zeros"),
}


def factory_calls() -> Iterator[tuple[str, set[str | None]]]:
    """Every call in the packages that makes a tensor from nothing, with the keywords that it names."""
    for path in sorted(
        file for package in ("nram_env", "agents", "analysis") for file in (ROOT / package).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                if isinstance(owner, ast.Name) and owner.id == "torch":
                    yield (
                        f"{path.relative_to(ROOT)}:{node.lineno} torch.{node.func.attr}",
                        {keyword.arg for keyword in node.keywords},
                    )


def test_whatever_makes_a_tensor_names_its_dtype_and_device():
    calls = list(factory_calls())
    made = [(place, named) for place, named in calls if place.rpartition(".")[2] in FACTORIES]
    assert len(made) >= 10
    assert [place for place, named in made if not {"dtype", "device"} <= named] == []
    placed = [(place, named) for place, named in calls if place.endswith(("as_tensor", "asarray"))]
    assert [place for place, named in placed if "device" not in named] == []


def test_one_place_takes_addresses():
    takers = [
        str(path.relative_to(ROOT))
        for package in ("nram_env", "agents", "analysis")
        for path in (ROOT / package).rglob("*.py")
        if "data_ptr" in path.read_text()
    ]
    assert takers == ["nram_env/machine/backends/record.py"]
