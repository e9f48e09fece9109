"""A run folder: nothing is lost, nothing is done twice, and two processes never share it."""

import json
import math
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from filelock import FileLock

from agents.checkpoint import load_agent
from agents.metrics import EVENTS_FOLDER, METRICS_FILE, call_seconds, last_update, open_metrics, read_metrics
from agents.portfolio import Portfolio
from agents.run import POPULATION_FILE, Budget, RunError, resume_run, start_run
from agents.run_files import ending_of
from agents.trainer import Progress, Trainer
from nram_env.files import FileError
from tests.agents.small_run import SMALL, ignore
from tests.test_files import left_by_a_kill_in_the_middle_of_writing


def updates_in_metrics(folder) -> list[int]:
    return [json.loads(line)["update"] for line in (folder / METRICS_FILE).read_text().splitlines()]


def test_a_resumed_run_equals_one_without_a_stop(tmp_path):
    start_run(tmp_path / "straight", SMALL, Budget(updates=24), ignore)
    start_run(tmp_path / "halves", SMALL, Budget(updates=12), ignore)
    outcome = resume_run(tmp_path / "halves", Budget(updates=24), ignore)
    assert (outcome.reason, outcome.trainer.update) == ("updates", 24)
    saved = [(tmp_path / name / POPULATION_FILE).read_bytes() for name in ("straight", "halves")]
    assert saved[0] == saved[1]
    assert updates_in_metrics(tmp_path / "halves") == list(range(1, 25))


def test_updates_that_were_done_after_the_last_save_stand_in_the_metrics_once(tmp_path):
    start_run(tmp_path, SMALL, Budget(updates=4), ignore)
    saved = (tmp_path / POPULATION_FILE).read_bytes()
    resume_run(tmp_path, Budget(updates=7), ignore)
    (tmp_path / POPULATION_FILE).write_bytes(saved)  # as after a kill: the metrics know of more updates
    resume_run(tmp_path, Budget(updates=6), ignore)
    assert updates_in_metrics(tmp_path) == [1, 2, 3, 4, 5, 6]


def test_metrics_are_continued_after_the_last_line_up_to_an_update_however_many_lines_there_are(tmp_path):
    lines = [{**LINE, "update": update} for update in (10, 20, 24, 30)]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"update": 31, "lev'
    for update, kept in ((24, 3), (29, 3), (30, 4), (5, 0)):
        (tmp_path / METRICS_FILE).write_text(text)
        with open_metrics(tmp_path, update):
            assert read_metrics(tmp_path) == lines[:kept]


def test_a_population_that_takes_long_to_save_is_saved_by_the_clock_alone(tmp_path, monkeypatch):
    def saves(folder, **options) -> list[int]:
        done = []
        with monkeypatch.context() as patch:
            patch.setattr(Portfolio, "save", lambda trainer, file: done.append(trainer.update))
            start_run(tmp_path / folder, SMALL, Budget(updates=6), ignore, save_every=2, **options)
        return done

    assert saves("quick") == [2, 4, 6]
    monkeypatch.setattr("agents.run.SLOW_SAVE", 0.0)
    assert saves("slow") == [6], "the last one, as the run ends"
    assert saves("by the clock", save_seconds=0.0) == [1, 2, 3, 4, 5, 6]


def test_an_interrupt_finishes_the_update_and_saves(tmp_path):
    def interrupt(trainer, progress, seconds) -> None:
        if progress.update == 5:
            os.kill(os.getpid(), signal.SIGINT)

    outcome = start_run(tmp_path, SMALL, Budget(updates=100), interrupt)
    assert outcome.reason == "interrupted"
    assert outcome.trainer.update == 5
    assert Trainer.load(tmp_path / POPULATION_FILE).update == 5
    resumed = resume_run(tmp_path, Budget(updates=10), ignore)
    straight = start_run(tmp_path / "straight", SMALL, Budget(updates=10), ignore)
    assert torch.equal(resumed.trainer.population.parameters, straight.trainer.population.parameters)


def test_a_run_that_ends_in_the_update_in_which_it_is_interrupted_has_ended(tmp_path):
    def interrupt(trainer, progress, seconds) -> None:
        if progress.update == 5:
            os.kill(os.getpid(), signal.SIGINT)

    assert start_run(tmp_path, SMALL, Budget(updates=5), interrupt).reason == "updates"


def test_a_run_folder_says_how_the_last_call_ended_once_that_is_saved(tmp_path):
    assert ending_of(tmp_path) is None
    outcome = start_run(tmp_path, SMALL, Budget(updates=4), ignore)
    ending = ending_of(tmp_path)
    assert (ending.update, ending.attempt, ending.reason, ending.solved) == (4, 1, "updates", 0)
    assert ending.seconds == outcome.seconds
    saved = (tmp_path / POPULATION_FILE).read_bytes()
    resume_run(tmp_path, Budget(updates=6), ignore)
    (tmp_path / POPULATION_FILE).write_bytes(saved)  # as after a kill before the last save
    assert ending_of(tmp_path) is None


def test_the_metrics_tell_the_last_update_and_the_seconds_of_each_call(tmp_path):
    assert last_update(tmp_path) is None
    assert call_seconds(tmp_path) == []
    start_run(tmp_path, SMALL, Budget(updates=40), ignore)
    resume_run(tmp_path, Budget(updates=41), ignore)
    lines = read_metrics(tmp_path)
    assert last_update(tmp_path) == lines[-1]
    assert call_seconds(tmp_path) == [lines[39]["seconds"], lines[40]["seconds"]]
    with (tmp_path / METRICS_FILE).open("a") as stream:
        stream.write('{"update": 42')  # being written
    assert last_update(tmp_path)["update"] == 41


@pytest.fixture
def usual_signals():
    """As in a terminal, though the tests may run under nohup, which ignores one of them."""
    before = {one: signal.signal(one, signal.SIG_DFL) for one in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_termination_and_hang_up_save_like_an_interrupt_and_may_come_twice(tmp_path, name):
    def stop(trainer, progress, seconds) -> None:
        if progress.update == 3:
            for _ in range(2):  # as systemd does it, and `timeout` followed by a shell that ends
                os.kill(os.getpid(), getattr(signal, name))

    outcome = start_run(tmp_path, SMALL, Budget(updates=100), stop)
    assert (outcome.reason, outcome.trainer.update) == ("interrupted", 3)
    assert Trainer.load(tmp_path / POPULATION_FILE).update == 3
    assert load_agent(tmp_path).info["update"] == 3


def test_a_second_ctrl_c_does_not_wait_for_the_update(tmp_path):
    def stop(trainer, progress, seconds) -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        start_run(tmp_path, SMALL, Budget(updates=100), stop)


def test_a_signal_that_is_ignored_stays_so_as_under_nohup(tmp_path):
    def hang_up(trainer, progress, seconds) -> None:
        os.kill(os.getpid(), signal.SIGHUP)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert start_run(tmp_path, SMALL, Budget(updates=3), hang_up).reason == "updates"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_terminal_that_is_closed_costs_no_update(tmp_path):
    def closed(trainer, progress, seconds) -> None:
        if progress.update == 4:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        start_run(tmp_path, SMALL, Budget(updates=100), closed)
    assert Trainer.load(tmp_path / POPULATION_FILE).update == 4
    assert load_agent(tmp_path).info["update"] == 4
    resumed = resume_run(tmp_path, Budget(updates=8), ignore)
    straight = start_run(tmp_path / "straight", SMALL, Budget(updates=8), ignore)
    assert torch.equal(resumed.trainer.population.parameters, straight.trainer.population.parameters)


@pytest.mark.parametrize(("save_seconds", "saved"), [(0.0, [0, 1, 2, 3, 4]), (1e9, [0, 0, 2, 2, 4])])
def test_a_run_is_saved_by_time_as_well_as_by_updates_and_saving_changes_nothing(
    tmp_path, save_seconds, saved
):
    """`saved` is the update that is found on the disk while the next one is watched."""
    found = []

    def look(trainer, progress, seconds) -> None:
        file = tmp_path / "often" / POPULATION_FILE
        found.append(Trainer.load(file).update if file.exists() else 0)

    budget = Budget(updates=5)
    start_run(tmp_path / "often", SMALL, budget, look, save_every=2, save_seconds=save_seconds)
    assert found == saved
    start_run(tmp_path / "never", SMALL, budget, ignore)
    one, other = (Trainer.load(tmp_path / name / POPULATION_FILE) for name in ("often", "never"))
    for name, values in vars(one.population).items():
        assert torch.equal(values, getattr(other.population, name)), name
    assert torch.equal(one.chance.get_state(), other.chance.get_state())
    assert one.examples.bit_generator.state == other.examples.bit_generator.state


@pytest.mark.parametrize("change", [{"backend": "fusd"}, {"task": "../../escaped"}])
def test_nothing_is_made_before_all_is_known_to_be_right(tmp_path, change):
    with pytest.raises(ValueError, match="unknown"):
        start_run(tmp_path / "run", replace(SMALL, **change), Budget(updates=1), ignore)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"updates": -1}, "updates must be at least 0 and finite, got -1"),
        ({"minutes": math.nan}, "minutes must be at least 0 and finite, got nan"),
        ({"minutes": math.inf}, "minutes must be at least 0 and finite, got inf"),
        ({"solved": 0}, "solved must be at least 1 and finite, got 0"),
    ],
)
def test_a_budget_that_is_none_is_refused(limits, message):
    with pytest.raises(ValueError, match=message):
        Budget(**limits)


def test_the_best_agent_is_saved_with_its_measured_error(tmp_path):
    start_run(tmp_path, SMALL, Budget(updates=3), ignore)
    agent = load_agent(tmp_path)
    assert agent.task == "access"
    assert agent.info["held_out_hard_exact_error"] == 1.0
    assert agent.info["config"]["population"] == 2


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path):
    start_run(tmp_path, SMALL, Budget(updates=1), ignore)
    before = (tmp_path / POPULATION_FILE).read_bytes()
    with pytest.raises(RunError, match="already holds a run; add --resume"):
        start_run(tmp_path, SMALL, Budget(updates=1), ignore)
    assert (tmp_path / POPULATION_FILE).read_bytes() == before


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "agent.safetensors"])
@pytest.mark.parametrize("content", ['{"mine": 1}\n', "notes without an end", "\xff"])
def test_a_file_that_no_run_wrote_is_not_replaced_nor_is_any_made_beside_it(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(RunError, match=f"holds something else than a run; .*: {name} cannot be read back"):
        start_run(tmp_path, SMALL, Budget(updates=1), ignore)
    assert (tmp_path / name).read_text(encoding="latin-1") == content
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_a_run_left_that_was_killed_before_its_first_save_is_replaced(tmp_path):
    start_run(tmp_path, SMALL, Budget(updates=3), ignore)
    (tmp_path / POPULATION_FILE).unlink()
    start_run(tmp_path, replace(SMALL, seed=1), Budget(updates=2), ignore)
    assert updates_in_metrics(tmp_path) == [1, 2]


def test_there_must_be_a_run_to_resume(tmp_path):
    with pytest.raises(RunError, match="holds no run to resume"):
        resume_run(tmp_path / "nothing", Budget(updates=1), ignore)
    assert not (tmp_path / "nothing").exists()


def test_a_second_process_in_the_same_folder_is_refused(tmp_path):
    start_run(tmp_path, SMALL, Budget(updates=1), ignore)
    with (
        FileLock(tmp_path / "run.lock"),
        pytest.raises(RunError, match="another process is training in"),
    ):
        resume_run(tmp_path, Budget(updates=2), ignore)


def test_a_full_disk_is_one_clear_error_and_the_last_save_stays(tmp_path, monkeypatch):
    start_run(tmp_path, SMALL, Budget(updates=2), ignore)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"cannot write .*: No space left on device"):
        resume_run(tmp_path, Budget(updates=4), ignore)
    assert Trainer.load(tmp_path / POPULATION_FILE).update == 2


KILLED = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from agents.config import TrainConfig
from agents.run import Budget, resume_run, start_run
folder, config = Path(sys.argv[1]), TrainConfig.from_json(eval(sys.argv[2]))
run = resume_run if (folder / "population.safetensors").exists() else start_run
arguments = (folder,) if run is resume_run else (folder, config)
run(*arguments, Budget(updates=10**6), lambda *_: print("updated", flush=True), save_every=2)
"""


def test_a_kill_at_any_moment_loses_no_more_than_the_last_interval(tmp_path):
    """Kills at scattered moments; every time, what is left loads, goes on, and lies on the one true path."""
    straight, reached = Trainer(SMALL), 0
    for updates in (3, 6, 5, 4):
        command = [sys.executable, "-c", KILLED, str(tmp_path), repr(SMALL.to_json())]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert [process.stdout.readline() for _ in range(updates)] == ["updated\n"] * updates
        process.kill()
        process.communicate()
        survivor = Trainer.load(tmp_path / POPULATION_FILE)
        assert survivor.update >= reached + updates - 2, "no more than the last interval is lost"
        reached = survivor.update
        while straight.update < survivor.update:
            straight.advance()
        assert torch.equal(straight.population.parameters, survivor.population.parameters)


def test_tensorboard_gets_the_metrics_of_every_update_once_also_after_a_resume(tmp_path):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    start_run(tmp_path, SMALL, Budget(updates=3), ignore)
    resume_run(tmp_path, Budget(updates=5), ignore)
    events = accumulators.EventAccumulator(str(tmp_path / EVENTS_FOLDER)).Reload()
    losses = [json.loads(line)["loss"] for line in (tmp_path / METRICS_FILE).read_text().splitlines()]
    assert [event.step for event in events.Scalars("loss")] == [1, 2, 3, 4, 5]
    assert [event.value for event in events.Scalars("loss")] == pytest.approx(losses)


def test_without_tensorboard_there_are_lines_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("agents.metrics.tensorboard_installed", lambda: False)
    start_run(tmp_path, SMALL, Budget(updates=2), ignore)
    assert updates_in_metrics(tmp_path) == [1, 2]
    assert not (tmp_path / EVENTS_FOLDER).exists()


def test_opening_a_run_sweeps_what_a_kill_in_the_middle_of_a_save_left(tmp_path):
    start_run(tmp_path, SMALL, Budget(updates=2), ignore)
    left_by_a_kill_in_the_middle_of_writing(tmp_path / POPULATION_FILE)
    (tmp_path / ".notes.tmp").write_text("a user's own")
    (stray,) = tmp_path.glob(".nram-*")
    resume_run(tmp_path, Budget(updates=3), ignore)
    assert not stray.exists()
    assert (tmp_path / ".notes.tmp").read_text() == "a user's own"
    assert Trainer.load(tmp_path / POPULATION_FILE).update == 3


def test_a_loss_that_is_no_number_is_null_in_the_metrics(tmp_path):
    counts = {"update": 1, "attempt": 1, "level": 2, "stopping": 0, "solved": 0, "restarts": 1}
    progress = Progress(**counts, error=0.5, loss=math.nan, cell_loss=1.0)
    with open_metrics(tmp_path, 0) as metrics:
        metrics.write(progress, 0.5)
    (line,) = (tmp_path / METRICS_FILE).read_text().splitlines()
    assert json.loads(line, parse_constant=pytest.fail)["loss"] is None
    assert json.loads(line)["error"] == 0.5


LINE = {"update": 1, "level": 5, "error": 1.0, "loss": None, "solved": 0, "restarts": 0, "seconds": 3.0}


def test_metrics_are_read_line_by_line_and_a_last_line_cut_off_by_a_kill_is_left_out(tmp_path):
    assert read_metrics(tmp_path) == []
    (tmp_path / METRICS_FILE).write_text(json.dumps(LINE) + '\n{"update": 2, "lev')
    assert read_metrics(tmp_path) == [LINE]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"update": 2}', "line 2: level is missing"),
        (json.dumps({**LINE, "error": "low"}).encode(), "line 2: error is 'low'; must be a finite number"),
        (json.dumps(LINE).replace("5", "NaN").encode(), "line 2: NaN is no finite number"),
        (b"\xff", "can't decode byte 0xff"),
    ],
)
def test_a_broken_line_of_the_metrics_is_named(tmp_path, line, message):
    (tmp_path / METRICS_FILE).write_bytes(json.dumps(LINE).encode() + b"\n" + line + b"\n")
    with pytest.raises(FileError, match=rf"metrics\.jsonl.*{re.escape(message)}"):
        read_metrics(tmp_path)
    if b"\xff" in line:
        with pytest.raises(FileError, match=r"metrics\.jsonl"), open_metrics(tmp_path, 1):
            pytest.fail("what cannot be read is not continued")
