"""A trial: equal to the run made singly, whenever it was broken off, and done once."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from agents.run import Budget, start_run
from agents.run_files import OUTCOME_FILE, POPULATION_FILE
from analysis.extraction.resolve import find_program
from analysis.proofs.prover import Finding
from analysis.studies.table import Table, trial_folder
from analysis.studies.trial import RESULT, TRIAL, Goal, Trial
from analysis.studies.work import RESULT_FILE, do_trial, work
from tests.analysis.studies.small import ignore, trial


@pytest.fixture
def study(tmp_path) -> Path:
    with Table(tmp_path / "study", new=True):
        return tmp_path / "study"


def population(folder: Path) -> bytes:
    return (folder / POPULATION_FILE).read_bytes()


def interrupt_at(update: int):
    """Asks to stop in the middle of an update."""

    def watch(trainer, progress, seconds) -> None:
        if progress.update == update:
            os.kill(os.getpid(), signal.SIGTERM)

    return watch


def die_at(update: int):
    """Dies there, as if killed: what is saved is of no interest to it."""

    def watch(trainer, progress, seconds) -> None:
        if progress.update == update:
            raise RuntimeError("killed")

    return watch


@pytest.mark.parametrize("stop", [interrupt_at, die_at])
def test_a_trial_that_was_broken_off_equals_the_run_made_singly(study, tmp_path, stop):
    planned = trial()
    first = work(str(study), planned.to_json(), (), stop(7))
    assert first["kind"] in ("stopped", "failed")
    second = work(str(study), planned.to_json(), (), ignore)
    outcome = start_run(tmp_path / "single", planned.config, Budget(updates=24, solved=1), ignore)
    assert second["kind"] == "finished"
    assert (second["result"]["reason"], second["result"]["updates"]) == (
        outcome.reason,
        outcome.trainer.update,
    )
    assert population(trial_folder(study, planned.key)) == population(tmp_path / "single")


def test_a_finished_trial_is_not_done_again(study):
    result = do_trial(study, trial(), ignore)
    assert do_trial(study, trial(), die_at(1)) == result


def test_a_kill_between_the_last_save_and_the_result_costs_nothing_and_adds_no_update(study):
    planned = trial()
    folder = trial_folder(study, planned.key)
    result, saved = do_trial(study, planned, ignore), population(folder)
    (folder / RESULT_FILE).unlink()
    assert do_trial(study, planned, die_at(25)) == result
    assert population(folder) == saved


def test_a_kill_between_the_ending_and_the_last_save_does_the_rest_again(study, tmp_path):
    planned = trial()
    folder = trial_folder(study, planned.key)
    work(str(study), planned.to_json(), (), die_at(20))
    early = population(folder)
    result, saved = do_trial(study, planned, ignore), population(folder)
    (folder / POPULATION_FILE).write_bytes(early)
    (folder / RESULT_FILE).unlink()
    assert json.loads((folder / OUTCOME_FILE).read_text())["update"] == 24
    again = do_trial(study, planned, ignore)
    assert population(folder) == saved
    assert (again.updates, again.reason) == (result.updates, result.reason)


def test_a_program_that_was_not_saved_before_a_kill_is_read_again(study):
    settings = {"population": 8, "num_registers": 2, "first_level": 1, "max_level": 3}
    planned = Trial.make("access", 0, Goal("checked", updates=400), settings)
    result = do_trial(study, planned, ignore)
    assert result.success
    assert result.program
    folder = trial_folder(study, planned.key)
    before = (folder / "program.json").read_bytes()
    for name in (RESULT_FILE, "program.json"):
        (folder / name).unlink()
    assert do_trial(study, planned, die_at(1)) == result
    assert (folder / "program.json").read_bytes() == before


def test_a_program_that_has_to_be_proved_is_and_its_evidence_is_kept(study):
    settings = {"population": 8, "num_registers": 2, "first_level": 1, "max_level": 3}
    planned = Trial.make("access", 0, Goal("proved", updates=400), settings)
    result = do_trial(study, planned, ignore)
    assert (result.success, result.proof) == (True, "PROVED")
    assert (trial_folder(study, planned.key) / "program.proof.zip").is_file()


@pytest.mark.parametrize("verdict", ["UNKNOWN", "REFUTED"])
def test_a_program_that_is_not_proved_is_no_success_where_that_is_wanted(study, monkeypatch, verdict):
    monkeypatch.setattr("analysis.studies.work.prove", lambda program, task: Finding(verdict, "claim"))
    monkeypatch.setattr("analysis.studies.work._program", lambda folder: find_program("zoo:access"))
    monkeypatch.setattr("analysis.studies.work.judged_run", end_well)
    result = do_trial(study, trial(goal=Goal("proved", updates=2)), ignore)
    assert (result.solved, result.success, result.proof) == (1, False, verdict)


def end_well(folder: Path, config, budget, watch, say) -> None:
    """As training with a judge that accepts a member at once."""
    start_run(folder, config, budget, watch)
    ending = json.loads((folder / OUTCOME_FILE).read_text())
    (folder / OUTCOME_FILE).write_text(json.dumps({**ending, "solved": 1}))


def test_an_error_is_told_with_where_it_was_raised(study):
    answer = work(str(study), trial().to_json(), (), die_at(3))
    assert answer["kind"] == "failed"
    assert answer["error"] == "RuntimeError: killed"
    assert "test_work.py" in answer["where"][-1]


@pytest.mark.parametrize(("number", "kind"), [(28, "storage"), (5, "failed")])
def test_a_full_disk_is_no_fault_of_the_trial(study, number, kind):
    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    assert work(str(study), trial().to_json(), (), full)["kind"] == kind


def test_a_study_that_a_worker_does_not_see_is_an_error(tmp_path):
    answer = work(str(tmp_path / "elsewhere"), trial().to_json(), (), ignore)
    assert "its folder must lie where all workers see it" in answer["error"]


def test_a_damaged_population_is_an_error_that_names_the_file(study):
    work(str(study), trial().to_json(), (), die_at(5))
    file = trial_folder(study, trial().key) / POPULATION_FILE
    file.write_bytes(file.read_bytes()[:-9])
    assert POPULATION_FILE in work(str(study), trial().to_json(), (), ignore)["error"]


def test_who_waits_for_a_trials_folder_in_vain_says_so(study, monkeypatch):
    from filelock import FileLock

    monkeypatch.setattr("analysis.studies.work.LOCK_SECONDS", 0.1)
    folder = trial_folder(study, trial().key)
    folder.mkdir(parents=True)
    with FileLock(folder / "trial.lock"):
        answer = work(str(study), trial().to_json(), (), ignore)
    assert "somebody else has worked in" in answer["error"]


def test_the_minutes_of_a_trial_are_those_of_all_its_calls(study):
    planned = trial(goal=Goal("solved", minutes=0.0, updates=24))
    assert do_trial(study, planned, ignore).reason == "minutes"
    shutil.rmtree(trial_folder(study, planned.key))
    long = trial(goal=Goal("solved", minutes=1.0, updates=24))
    assert work(str(study), long.to_json(), (), die_at(9))["kind"] == "failed"
    metrics = trial_folder(study, long.key) / "metrics.jsonl"
    lines = [json.loads(line) for line in metrics.read_text().splitlines()]
    lines[-1]["seconds"] = 61.0
    metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = do_trial(study, long, lambda *_: time.sleep(0.02))  # longer than the hundredth that is noted
    assert (result.reason, result.updates) == ("minutes", 10)
    assert 61 < result.seconds < 120


def test_trial_and_result_come_back_from_json_as_they_were(study):
    planned = trial(seed=3)
    assert TRIAL(json.loads(json.dumps(planned.to_json())), "") == planned
    result = do_trial(study, planned, ignore)
    assert RESULT(json.loads((trial_folder(study, planned.key) / RESULT_FILE).read_text()), "") == result


@pytest.mark.parametrize(
    "other",
    [
        trial(seed=1),
        trial(goal=Goal("solved", updates=25)),
        trial(goal=Goal("checked", updates=24)),
        trial(settings={"population": 3}),
    ],
)
def test_a_trial_is_called_by_all_that_its_outcome_depends_on(other):
    assert trial().key == trial().key != other.key


def test_stopping_is_not_to_be_had_of_members_that_do_not_learn_it():
    with pytest.raises(ValueError, match="halting = false"):
        Trial.make("access", 0, Goal("halting"), {"halting": False})
