"""The table of a study: only ever longer, whatever is killed, and nobody else's file."""

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from analysis.studies.table import TABLE_FILE, Event, StudyError, Table


def test_events_come_back_in_order(tmp_path):
    events = [Event("a", "planned", {"trial": {"x": [1, None]}}), Event("b", "planned"), Event("a", "begun")]
    with Table(tmp_path, new=True) as table:
        table.add(events[:2])
        table.add(events[2:])
    with Table(tmp_path) as table:
        assert table.events() == events


@pytest.mark.parametrize("change", ["UPDATE event SET kind = 'finished'", "DELETE FROM event"])
def test_no_event_is_changed_or_deleted(tmp_path, change):
    with Table(tmp_path, new=True) as table:
        table.add([Event("a", "failed", {"error": "no"})])
    link = sqlite3.connect(tmp_path / TABLE_FILE)
    with pytest.raises(sqlite3.IntegrityError, match="events are never"):
        link.execute(change)
    link.close()


def test_others_read_while_the_driver_writes(tmp_path):
    with Table(tmp_path, new=True) as writer, Table(tmp_path) as reader:
        writer.add([Event("a", "planned")])
        assert len(reader.events()) == 1


WRITER = """
import sys
from pathlib import Path
from analysis.studies.table import Event, Table
with Table(Path(sys.argv[1]), new=True) as table:
    for number in range(10**6):
        table.add([Event(f"{number}", "begun"), Event(f"{number}", "stopped")])
        print(number, flush=True)
"""


def test_what_add_has_returned_from_outlasts_a_kill_and_no_half_of_it_is_left(tmp_path):
    call = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        said = [int(next(process.stdout)) for _ in range(50)]
        os.kill(process.pid, signal.SIGKILL)
        said += map(int, process.stdout.read().split("\n")[:-1])
    with Table(tmp_path) as table:
        events = table.events()
    pairs = [(event.trial, event.kind) for event in events]
    count = len(events) // 2
    assert pairs == [(str(number), kind) for number in range(count) for kind in ("begun", "stopped")]
    assert count - 1 <= said[-1] + 1 <= count


def test_a_full_disk_is_an_error_and_leaves_what_was_there(tmp_path):
    with Table(tmp_path, new=True) as table:
        table.add([Event("a", "planned")])
        table._link.execute("PRAGMA max_page_count = 8")
        with pytest.raises(OSError, match=r"study\.sqlite.*full"):
            table.add(Event(f"{number}", "failed", {"error": "x" * 500}) for number in range(1000))
        assert [event.trial for event in table.events()] == ["a"]
        table.add([Event("b", "planned")])


@pytest.mark.parametrize("content", [b"no database, but text that is long enough" * 40, b""])
def test_a_file_that_is_no_table_is_left_alone(tmp_path, content):
    (tmp_path / TABLE_FILE).write_bytes(content)
    if not content:  # as a kill before the first write leaves it
        with Table(tmp_path) as table:
            assert table.events() == []
        return
    with pytest.raises(StudyError, match="damaged, or no table"), Table(tmp_path):
        pass
    assert (tmp_path / TABLE_FILE).read_bytes() == content


def test_another_program_s_database_is_left_alone(tmp_path):
    link = sqlite3.connect(tmp_path / TABLE_FILE)
    link.execute("CREATE TABLE event (x)")
    link.close()
    with pytest.raises(StudyError, match="no table of a study, or one of another version"), Table(tmp_path):
        pass


def test_a_folder_without_a_table_is_no_study(tmp_path):
    with pytest.raises(StudyError, match="holds no study"), Table(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_damaged_event_is_named(tmp_path):
    with Table(tmp_path, new=True) as table:
        table._link.execute(
            "INSERT INTO event (time, trial, kind, details) VALUES ('now', 'a', 'planned', '[1]')"
        )
        with pytest.raises(StudyError, match="event of a: details"):
            table.events()
