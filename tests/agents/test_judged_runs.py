"""When a run ends with a solved member: at once, or once its judge accepts it."""

from dataclasses import replace

import pytest
import torch

from agents.checkpoint import load_agent
from agents.run import POPULATION_FILE, Budget, resume_run, start_run
from agents.trainer import REFUTED
from tests.agents.small_run import SMALL, ignore


def test_a_run_stops_once_enough_members_are_solved(tmp_path):
    config = replace(SMALL, population=8, batch_size=16, num_registers=2)
    outcome = start_run(tmp_path, config, Budget(updates=400, solved=1), ignore)
    assert outcome.reason == "solved"
    assert outcome.trainer.update < 400
    assert load_agent(tmp_path).info["held_out_hard_exact_error"] == 0


def all_solved(trainer, progress, _) -> None:
    """Let all members be solved from the first update on, the last one in the fewest timesteps."""
    if progress.update == 1:
        steps = torch.arange(trainer.population.size, 0, -1).float()
        errors = torch.zeros_like(trainer.population.best_error)
        trainer.leader.population = replace(trainer.population, best_error=errors, best_steps=steps)


@pytest.mark.parametrize(
    ("wanted", "accepted", "asked"),
    [
        (1, {3}, [4, 3]),
        (2, {4, 2}, [4, 3, 2]),
        (1, {0}, [4, 3, 2, 1, 0]),  # the last two an update later
        (1, set(), [4, 3, 2, 1, 0]),
        (None, {4, 1}, [4, 3, 2, 1, 0]),
    ],
)
def test_a_run_ends_with_solved_members_that_its_judge_accepts(tmp_path, wanted, accepted, asked):
    config, seen = replace(SMALL, population=5, cull_every=0), []

    def judge(agent) -> bool:
        seen.append(agent.info["member"])
        assert agent.info["held_out_hard_exact_error"] == 0
        return seen[-1] in accepted

    outcome = start_run(tmp_path, config, Budget(updates=6, solved=wanted), all_solved, judge=judge)
    enough = wanted is not None and len(accepted) >= wanted
    assert outcome.reason == ("solved" if enough else "updates")
    assert seen == asked, "each once, the best first"
    population = outcome.trainer.population
    assert population.solved.tolist() == [index in accepted or index not in asked for index in range(5)]
    assert (population.best_error[:, 0][~population.solved] == REFUTED).all()
    if accepted:
        assert load_agent(tmp_path).info["member"] == max(accepted)


def test_an_accepted_member_is_saved_though_one_that_was_not_asked_about_ranks_first(tmp_path, monkeypatch):
    monkeypatch.setattr("agents.run.JUDGED_AT_ONCE", 1)

    def watch(trainer, progress, _) -> None:
        """Member 1 is solved first, and two updates later 0 and 2 as well, in fewer timesteps."""
        error = trainer.population.best_error.clone()
        error[[0, 2] if progress.update == 3 else [1]] = 0
        steps = torch.tensor([1.0, 3.0, 2.0])
        trainer.leader.population = replace(trainer.population, best_error=error, best_steps=steps)

    def judge(agent) -> bool:
        return agent.info["member"] == 1

    config = replace(SMALL, population=3, cull_every=0)
    outcome = start_run(tmp_path, config, Budget(updates=3, solved=2), watch, judge=judge)
    assert (outcome.reason, outcome.solved, outcome.best) == ("updates", 1, 1)
    assert outcome.trainer.population.ranking()[0] == 2
    assert load_agent(tmp_path).info["member"] == 1


def test_at_most_three_members_are_refused_after_an_update(tmp_path):
    refused_at, judged = [], []

    def watch(trainer, progress, seconds) -> None:
        all_solved(trainer, progress, seconds)
        refused_at.append(len(judged))

    config = replace(SMALL, population=5, cull_every=0)
    start_run(tmp_path, config, Budget(updates=4), watch, judge=lambda agent: bool(judged.append(agent)))
    assert refused_at == [0, 0, 3, 5]


@pytest.mark.parametrize("judge", [None, lambda agent: True])
def test_a_run_that_fails_in_the_update_that_solves_it_ends_there_once_it_is_resumed(tmp_path, judge):
    config, budget = replace(SMALL, population=8, batch_size=16, num_registers=2), Budget(solved=1)
    whole = start_run(tmp_path / "whole", config, budget, ignore, judge=judge)

    def fail(trainer, progress, seconds) -> None:
        if progress.solved:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        start_run(tmp_path / "broken", config, budget, fail, judge=judge)
    resumed = resume_run(tmp_path / "broken", budget, fail, judge=judge)
    assert (resumed.reason, resumed.solved, resumed.best) == (whole.reason, whole.solved, whole.best)
    files = [tmp_path / name / POPULATION_FILE for name in ("whole", "broken")]
    assert files[0].read_bytes() == files[1].read_bytes()
