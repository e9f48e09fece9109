"""A game without a terminal: what a player says, and what comes back."""

import pytest

from agents import zoo
from analysis import find_program
from analysis.game.guide import Guide
from analysis.game.session import LARGEST, Session, Setting, answer, farewell, opening
from nram_env.tasks import get_task


def session_of(name: str, n: int = 3, **places: int) -> Session:
    program = find_program(f"zoo:{name}")
    task = get_task(program.task)
    setting = Setting(task, n, **places)
    guide = Guide(f"zoo:{name}", program)
    return Session(setting, setting.game(program.machine), "what it wants", guide)


def after(session: Session, *lines: str) -> tuple[Session, str]:
    reply = opening(session)
    for line in lines:
        session, reply = answer(session, line)
    return session, reply.plain


def test_a_game_is_won_by_its_wanted_output_and_a_stop():
    session, reply = after(session_of("access"), "r0 = read r0", "write 0 read(r0)")
    assert "every output cell is right; stop ends the run" in reply
    assert not session.game.is_right
    session, reply = after(session, "stop")
    assert "access: solved after 3 timesteps (zoo:access takes 2); undo, restart or quit" in reply
    assert session.prompt == "end> "


def test_a_stop_with_a_wrong_output_is_no_win():
    session, reply = after(session_of("access"), "stop")
    assert "still wrong: cell 0 (1 of 1)" in reply
    assert farewell(session).plain.startswith("access: stopped with a wrong output after 1 timestep (")


def test_the_reply_is_the_papers_table():
    _, reply = after(session_of("copy"), "r0 = 1; r1 = READ r0", "WRITE r1 READ(r0); r1 = INC r1")
    assert reply.splitlines() == [
        "Copy  n = 3  M = 7  seed 0",
        "   t | 0  1  2  3   4  5  6  | r0 r1 r2 r3 | READ WRITE",
        "   1 | 4  4  3  1   0  0  0  |  0  0  0  0 | p:0",
        "   2 | 4  4  3  1   0  0  0  |  1  4  0  0 | p:1  p:4 a:4",
        "   3 | 4  4  3  1  [4] 0  0  |  1  5  0  0 |",
        "want | .  .  .  .   4  3  1  |             |",
        "still wrong: cells 5, 6 (2 of 3)",
        "2 timesteps so far (zoo:copy takes 5)",
    ]


def test_a_reply_shows_the_last_rows_and_table_shows_all():
    session, reply = after(session_of("copy"), *["r0 = INC r0"] * 9)
    assert [line.split()[0] for line in reply.splitlines()[2:6]] == ["7", "8", "9", "10"]
    assert len(after(session, "table")[1].splitlines()) == 12


def test_undo_goes_back_as_far_as_is_said():
    session, _ = after(session_of("copy"), "r0 = 1", "r1 = 2", "r2 = 2", "undo 2")
    assert session.game.now.registers == (1, 0, 0, 0)
    session, _ = after(session, "u")
    assert session.game == session_of("copy").game
    assert "cannot take back 1 of 0 timesteps" in after(session, "undo")[1]
    assert "undo takes a whole number, got 'x'" in after(session, "undo x")[1]


def test_undo_leads_back_from_the_end():
    session, reply = after(session_of("access"), "stop", "r0 = 1")
    assert "the run has ended, so 'r0 = 1' comes too late; undo or restart" in reply
    session, _ = after(session, "undo", "r0 = 1")
    assert session.game.now.registers == (1, 0, 0, 0)


def test_restart_begins_again_elsewhere():
    session, reply = after(session_of("copy"), "r0 = 1", "restart n=4 seed=2 M=12")
    assert "Copy  n = 4  M = 12  seed 2" in reply
    assert not session.game.turns
    assert "restart takes n=NUMBER, m=NUMBER and seed=NUMBER, got 'k=3'" in after(session, "restart k=3")[1]
    assert "needs memory_size >= 9, got 5" in after(session, "restart m=5")[1]
    assert f"at most M = {LARGEST}" in after(session, "restart n=900 m=1900")[1]
    assert after(session, "restart n=0")[0] == session


def test_what_is_no_timestep_is_answered_by_what_is_possible():
    session, reply = after(session_of("copy"), "what now")
    assert "'what' is no value" in reply
    assert "commands are hint, undo, table, goal, restart, help, quit" in reply
    assert session == session_of("copy")


def test_help_and_goal_say_what_there_is():
    session = session_of("merge")
    assert "what it wants" in after(session, "goal")[1]
    for word in ("?", "help", "HELP"):
        assert "READ ZERO ONE TWO INC ADD READ2 SUB" in after(session, word)[1]
    assert after(session, "")[1].startswith("Merge  n = 3")


@pytest.mark.parametrize("name", sorted(zoo.entries()))
def test_whoever_follows_the_hints_takes_as_many_timesteps_as_the_program(name):
    session = session_of(name, n=max(2, get_task(find_program(f"zoo:{name}").task).smallest_difficulty))
    for _ in range(session.needed):
        _, reply = after(session, "hint")
        session, _ = after(session, reply.partition("would do:")[2])
    assert session.game.is_right


def test_a_guide_that_knows_no_way_says_so():
    session = session_of("access")
    assert "zoo:access knows no way on from here; undo" in after(session, "r0 = 1", "hint")[1]
    assert "the run has ended" in after(session, "stop", "hint")[1]


def test_a_program_whose_choices_nobody_recorded_gives_no_hint_but_is_compared_with():
    session, short = session_of("copy"), find_program("zoo:copy/short.json")
    assert not any(edge.witness for edge in short.edges)
    beside = Session(session.setting, session.game, "", Guide("short", short))
    assert "short knows no way on" in after(beside, "hint")[1]
    assert "1 timestep so far (short takes 6)" in after(beside, "idle")[1]


def test_without_a_program_there_is_no_hint_and_no_comparison():
    session = session_of("access")
    alone = Session(session.setting, session.game, "")
    assert "there is no program of access to ask" in after(alone, "hint")[1]
    assert "1 timestep so far (T(n) = 4)" in after(alone, "idle")[1]


def test_quit_ends_it():
    assert after(session_of("copy"), "q")[0].over
