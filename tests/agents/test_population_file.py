"""A run's population on disk: whole, and no part of it at odds with another."""

import re

import numpy as np
import pytest
import torch

from agents.config import TrainConfig
from agents.population_file import POPULATION_FORMAT
from agents.portfolio import Portfolio
from agents.tensors import save_tensors
from agents.trainer import Trainer
from nram_env.files import FileError

SMALL = TrainConfig(task="access", population=3, batch_size=4, max_level=3, first_level=1)
GOOD = {
    "config": SMALL.to_json(),
    "update": 0,
    "attempt": 1,
    "began": 0,
    "has_risen": False,
    "examples": np.random.default_rng(0).bit_generator.state,
}


def refusal(tmp_path, header: dict, **tensors: torch.Tensor) -> str:
    """What loading says of a fresh population whose header and tensors are changed like this."""
    trainer, file = Trainer(SMALL), tmp_path / "population.safetensors"
    kept = {**vars(trainer.population), "chance": trainer.chance.get_state()} | tensors
    run = {"config": SMALL.to_json(), "islands": [GOOD | header]}
    save_tensors(file, POPULATION_FORMAT, run, {f"0.{name}": tensor for name, tensor in kept.items()})
    with pytest.raises(FileError, match=r"population\.safetensors: ") as caught:
        Trainer.load(file)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"islands": []}, "islands is a list of 0 entries; must be a list of 1 to"),
        ({"islands": [GOOD, GOOD]}, "islands has 2 entries; config has no portfolio"),
        (
            {"config": {**SMALL.to_json(), "task": "copy"}},
            "islands names task access; that of config is copy",
        ),
    ],
)
def test_islands_that_are_not_those_of_the_run_are_refused(tmp_path, change, message):
    trainer, file = Trainer(SMALL), tmp_path / "population.safetensors"
    run = {"config": SMALL.to_json(), "islands": [GOOD]} | change
    kept = {**vars(trainer.population), "chance": trainer.chance.get_state()}
    tensors = {
        f"{place}.{name}": value for place in range(len(run["islands"])) for name, value in kept.items()
    }
    save_tensors(file, POPULATION_FORMAT, run, tensors)
    with pytest.raises(FileError, match=re.escape(message)):
        Portfolio.load(file)


def test_a_population_file_without_its_tensors_is_refused(tmp_path):
    file = tmp_path / "population.safetensors"
    Trainer(SMALL).save(file)
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(FileError, match="no complete safetensors file"):
        Trainer.load(file)


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("config", {"population": 5}, "the tensor 0.parameters has shape (3, "),
        ("config", {"hidden_size": 5}, "the tensor 0.parameters has shape (3, "),
        ("config", {"hidden_size": 16.0}, "config: hidden_size is 16.0; must be an integer"),
        ("config", {"task": "coppy"}, "config: unknown task 'coppy'; did you mean 'copy'"),
        ("config", {"population": 10**9}, "config: population must be in 1..65536, got 1000000000"),
        ("examples", {"bit_generator": "MT"}, "examples.bit_generator is 'MT'; must be one of PCG64"),
        ("examples", {"state": {"state": -1, "inc": 1}}, "examples.state.state is -1"),
        ("examples", {"has_uint32": 2}, "examples.has_uint32 is 2; must be an integer in 0..1"),
    ],
)
def test_a_header_that_breaks_a_rule_or_contradicts_the_tensors_is_refused(tmp_path, part, change, message):
    assert message in refusal(tmp_path, {part: {**GOOD[part], **change}})


@pytest.mark.parametrize("update", [-1, "many", 1.0, None, True])
def test_the_number_of_updates_is_a_count(tmp_path, update):
    assert f"update is {update!r}; must be an integer in 0.." in refusal(tmp_path, {"update": update})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"attempt": 0}, "attempt is 0; must be an integer in 1.."),
        ({"attempt": 6, "update": 9}, "attempt is 6; must be at most config.attempts, 5"),
        (
            {"update": 9, "attempt": 2, "began": 10},
            "began is 10; attempt 2 cannot have begun then, at update 9",
        ),
        (
            {"update": 9, "attempt": 1, "began": 4},
            "began is 4; attempt 1 cannot have begun then, at update 9",
        ),
        ({"has_risen": 1}, "has_risen is 1; must be true or false"),
        (
            {"pause": {"highest": 0, "broken": []}},
            "pause.highest is 0; the levels of config are 1..4",
        ),
        (
            {"pause": {"highest": 5, "broken": []}},
            "pause.highest is 5; the levels of config are 1..4",
        ),
        ({"pause": {"highest": 1, "broken": [3]}}, "pause.broken names member 3 of 3"),
        ({"pause": {"highest": 1}}, "pause.broken is missing"),
        ({"pause": None}, "pause is None; must be an object"),
    ],
)
def test_an_attempt_or_a_pause_that_cannot_be_is_refused(tmp_path, change, message):
    assert message in refusal(tmp_path, change)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("parameters", torch.nan, "the tensor 0.parameters holds nan; must hold finite numbers"),
        ("variance", -1.0, "the tensor 0.variance holds -1.0; must hold finite numbers in 0.."),
        ("level", 99, "the tensor 0.level holds 99; must hold finite numbers in 1..4"),
        ("age", -1, "the tensor 0.age holds -1"),
        ("error", 1.5, "the tensor 0.error holds 1.5; must hold finite numbers in 0..1"),
        ("hard_loss", -1.0, "the tensor 0.hard_loss holds -1.0; must hold finite numbers in 0.."),
        ("best_steps", -1.0, "the tensor 0.best_steps holds -1.0; must hold finite numbers in 0.."),
        ("learning_rate", 0.0, "the tensor 0.learning_rate holds 0.0"),
        ("chance", 255, "the tensor chance is no state of a generator"),
    ],
)
def test_a_tensor_with_an_impossible_number_is_refused(tmp_path, name, value, message):
    trainer = Trainer(SMALL)
    tensor = trainer.chance.get_state() if name == "chance" else vars(trainer.population)[name].clone()
    tensor.flatten()[:] = value
    assert message in refusal(tmp_path, {}, **{name: tensor})
