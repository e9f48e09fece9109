"""The driver: every trial done once, faults borne, nothing lost when it is killed, and never two."""

import os
import signal

import pytest

from analysis.studies.driver import Driver, driven, plan, take
from analysis.studies.progress import MOST_LOSSES, standings
from analysis.studies.report import write_report
from analysis.studies.table import Event, StudyError, Table, trial_folder
from analysis.studies.trial import RESULT, row_of
from nram_env.files import FileError
from tests.analysis.studies.small import Here, drive, ignore, trial

FAILED = {"kind": "failed", "error": "ValueError: no"}
LOST = {"kind": "lost", "error": "its process died"}
FINISHED = {
    "kind": "finished",
    "result": {"reason": "solved", "updates": 9, "attempts": 1, "seconds": 2.5, "solved": 1},
}


def test_every_trial_is_done_and_its_result_is_in_the_table(tmp_path):
    found = drive(tmp_path, [trial(seed) for seed in range(3)], Here(2))
    assert [standing.result.updates for standing in found.values()] == [24, 24, 24]


def test_a_study_grows_and_what_is_done_is_not_done_again(tmp_path):
    before, workers = drive(tmp_path, [trial(0)], Here()), Here()
    after = drive(tmp_path, [trial(0), trial(1)], workers)
    assert workers.begun == [trial(1).key]
    assert after[trial(0).key] == before[trial(0).key]


def test_a_trial_that_fails_three_times_is_marked_and_stops_no_other(tmp_path):
    workers = Here(1, [FAILED, FINISHED, FAILED, FAILED])
    found = drive(tmp_path, [trial(0), trial(1)], workers)
    assert workers.begun == [trial(seed).key for seed in (0, 1, 0, 0)]
    assert found[trial(0).key].is_given_up
    assert found[trial(0).key].error == "ValueError: no"
    assert found[trial(1).key].result.success


def test_a_trial_that_loses_its_worker_is_first_to_be_done_again_and_that_is_no_failure(tmp_path):
    workers = Here(1, [LOST] * (MOST_LOSSES - 1))
    found = drive(tmp_path, [trial(0), trial(1)], workers)
    assert workers.begun == [trial(0).key] * MOST_LOSSES + [trial(1).key]
    assert all(standing.result for standing in found.values())


def test_a_trial_that_always_ends_its_worker_is_given_up_unless_it_moves_on(tmp_path):
    assert drive(tmp_path / "stuck", [trial()], Here(1, [LOST] * MOST_LOSSES))[trial().key].is_given_up
    begun = [Event(trial().key, "planned", {"trial": trial().to_json()})]
    moving = [Event(trial().key, "lost", {"error": "", "update": update}) for update in range(30)]
    assert standings(begun + moving)[trial().key].is_open


def test_a_full_disk_ends_the_study_and_counts_against_no_trial(tmp_path):
    full = {"kind": "storage", "error": "OSError: [Errno 28] No space left on device"}
    with pytest.raises(OSError, match=r"nothing can be stored: .*No space left.*goes on once"):
        drive(tmp_path, [trial(0), trial(1)], Here(1, [full]))
    found = drive(tmp_path, [], Here())
    assert [(standing.failures, standing.result is None) for standing in found.values()] == [(0, False)] * 2


def test_a_driver_that_was_killed_is_followed_by_one_that_does_what_was_begun(tmp_path):
    with driven(tmp_path, new=True) as table:
        plan(table, [trial(0), trial(1)])
        table.add([Event(trial(0).key, "begun")])
    workers = Here()
    assert all(standing.result for standing in drive(tmp_path, [], workers).values())
    assert workers.begun == [trial(0).key, trial(1).key]


def test_a_second_driver_is_refused(tmp_path):
    with (
        driven(tmp_path, new=True),
        pytest.raises(StudyError, match="another driver works on"),
        driven(tmp_path),
    ):
        pass


def test_there_is_nothing_to_drive_without_a_study(tmp_path):
    with pytest.raises(StudyError, match="there is no study in"), driven(tmp_path / "none"):
        pass
    assert not list(tmp_path.iterdir())


def test_an_interrupt_lets_workers_save_and_leaves_the_rest_open(tmp_path):
    def interrupt(found, running) -> None:
        if not said:
            os.kill(os.getpid(), signal.SIGINT)

    said: list[str] = []
    with driven(tmp_path, new=True) as table:
        plan(table, [trial(seed) for seed in range(3)])
        driver = Driver(tmp_path, table, Here(2, [FINISHED, {"kind": "stopped"}]), interrupt, said.append)
        assert driver.run()
        assert [text.partition(";")[0] for text in said] == ["asked to save: 1"]
        found = standings(table.events())
        assert [standing.is_open for standing in found.values()] == [False, True, True]
        assert not Driver(tmp_path, table, Here(1, [FINISHED, FINISHED]), ignore).run()


def test_results_are_taken_over_once_from_rows_of_a_report_and_of_old(tmp_path):
    found = drive(tmp_path / "there", [trial(0), trial(1)], Here(1, [FINISHED, FINISHED]))
    write_report(found, tmp_path / "rows.md", "there", "nram search")
    with driven(tmp_path / "here", new=True) as table:
        plan(table, [trial(0), trial(2)])
        assert take(table, tmp_path / "rows.jsonl") == (1, 1)
        assert take(table, tmp_path / "rows.jsonl") == (0, 1)
        after = standings(table.events())
    assert after[trial(0).key].result == found[trial(0).key].result
    assert after[trial(2).key].is_open


def test_a_row_that_is_none_is_an_error_with_its_line(tmp_path):
    result = RESULT(FINISHED["result"], "")
    (tmp_path / "rows.jsonl").write_text(f"{row_of(trial(), result)}\n".replace("'", '"'))
    with driven(tmp_path / "here", new=True) as table, pytest.raises(FileError, match=r"rows\.jsonl, line 1"):
        take(table, tmp_path / "rows.jsonl")


def test_what_a_lost_trial_had_reached_is_noted(tmp_path):
    folder = trial_folder(tmp_path, trial().key)
    line = '{"update": 7, "level": 1, "error": 0.5, "loss": 1.0, "solved": 0, "restarts": 0, "seconds": 1.0}'

    def write(found, running) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "metrics.jsonl").write_text(line + "\n" + line.replace("7", "8")[:20])

    drive(tmp_path, [trial()], Here(1, [LOST, LOST, FINISHED]), write)
    with Table(tmp_path) as table:
        assert [e.details["update"] for e in table.events() if e.kind == "lost"] == [0, 7]
