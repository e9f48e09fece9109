"""A line that a player types is one hard action of the machine, and says so again."""

import random

import gymnasium as gym
import numpy as np
import pytest

from analysis.game.game import Game
from analysis.game.notation import Move, MoveError, move_text
from analysis.game.parsing import parse_move
from nram_env.envs import ChoiceActions
from nram_env.machine import MachineConfig, hard_step
from nram_env.tasks import get_task, instance_of

MACHINE = MachineConfig(4)
TWO_READS = MachineConfig(3, ("READ", "ZERO", "ONE", "ADD", "READ", "WRITE"))


def after(game: Game, line: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    now = game.play(line).now
    return now.registers, now.memory


def game_on(*memory: int, machine: MachineConfig = MACHINE) -> Game:
    return Game(machine, get_task("access"), memory)


START = game_on(2, 4, 3, 6, 0, 0, 0)


@pytest.mark.parametrize(
    ("lines", "registers", "memory"),
    [
        (["r1 = INC r1"], (0, 1, 0, 0), START.memory),
        (["r0 = 2", "r0 = r1; r1 = r0"], (0, 2, 0, 0), START.memory),
        (["READ r0; r2 = READ; r3 = INC READ"], (0, 0, 2, 3), START.memory),
        (["r1 = SUB 1 2"], (0, 6, 0, 0), START.memory),
        (["r0 = 1; r1 = 2", "WRITE r1 READ(r0)"], (1, 2, 0, 0), (2, 4, 4, 6, 0, 0, 0)),
        (["r0 = WRITE DEC(ADD(1, 2)) READ(r0)"], (2, 0, 0, 0), (2, 4, 2, 6, 0, 0, 0)),
        (["r1=le 2 1;r2=LT(1 2);r3=eq 1,1"], (0, 0, 1, 1), START.memory),
        (["idle"], (0, 0, 0, 0), START.memory),
        ([" ; r0 = 1 ;; "], (1, 0, 0, 0), START.memory),
    ],
)
def test_only_what_is_named_changes(lines, registers, memory):
    game = START
    for line in lines:
        game = game.play(line)
    assert (game.now.registers, game.now.memory) == (registers, memory)


@pytest.mark.parametrize("line", ["idle", "READ r1", "r0 = 1", "READ r0; READ2 ADD(READ r1)", "stop"])
@pytest.mark.parametrize("gates", [TWO_READS.gates, ("READ", "WRITE", "ONE", "ADD", "READ", "WRITE")])
def test_a_write_that_is_not_named_leaves_the_memory_alone(line, gates):
    """Also one behind another that has just changed the cell that READ had read."""
    machine = MachineConfig(3, gates)
    rng = np.random.default_rng(0)
    for _ in range(20):
        memory, registers = rng.integers(0, 8, (1, 8)), rng.integers(0, 8, (1, 3))
        move = parse_move(machine, line)
        assert (hard_step(machine, registers, memory, np.array([move.choices]))[1] == memory).all()


def test_a_write_behind_a_named_one_repeats_it():
    machine = MachineConfig(2, ("READ", "ONE", "WRITE", "WRITE"))
    assert game_on(3, 0, 0, 0, machine=machine).play("WRITE ONE READ(r0)").now.memory == (3, 3, 0, 0)


def test_a_machine_that_cannot_leave_out_a_write_says_so():
    machine = MachineConfig(2, ("WRITE", "READ"))
    assert parse_move(machine, "WRITE r0 r1") == Move((0, 1, 0, 0, 1), gates=frozenset({0}))
    with pytest.raises(MoveError, match="WRITE has to be named in every timestep"):
        parse_move(machine, "READ r0")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hello", "cannot read 'hello': 'hello' is no value; registers are r0 to r3, constants"),
        ("r4 = 1", "'r4' is no register; registers are r0 to r3"),
        ("r0 = 3", "'3' is no value"),
        ("r0 =", "cannot read 'r0 =': it ends too early"),
        ("r0 = r1 r2", "'r2' is too much; arguments of a gate within go in parentheses"),
        ("r0 = ADD READ r1 r2", "ADD takes a and b, got 3 of 2 values"),
        ("r0 = INC(r1", "a parenthesis is not closed"),
        ("r0 = INC)", "')' is no value"),
        ("r0 = ONE r1", "ONE takes nothing, got 1 of 0 values"),
        ("r0 = l r1", "'l' may be LESS-THAN, LESS-OR-EQUAL-THAN"),
        ("r0", "it changes nothing; statements are"),
        ("INC", "it changes nothing"),
        ("r0 = READ", "the output of READ is used, but nothing says what it reads: add 'READ r0'"),
        ("READ INC(r0)", "READ runs before INC and cannot read it; the order is READ, ZERO"),
        ("r0 = INC r0; r1 = INC r1", "INC is there once a timestep, and reads something else already"),
        ("r0 = 1; r0 = 2", "r0 already becomes something else"),
        ("r0 := 1", "':' is no part of the notation"),
        ("WRITE r0 r1 \x1b[2J", r"'\x1b' is no part of the notation"),
    ],
)
def test_an_error_restates_what_was_typed_and_says_what_is_possible(line, said):
    with pytest.raises(MoveError) as found:
        START.play(line)
    assert said in str(found.value)
    assert "\x1b" not in str(found.value)


def test_a_second_read_follows_a_pointer_that_was_computed():
    game = game_on(2, 4, 3, 6, 0, 0, 0, machine=TWO_READS)
    assert after(game, "READ r0; r1 = READ2 ADD(READ, 1)")[0] == (0, 6, 0)


@pytest.mark.parametrize("machine", [MACHINE, TWO_READS], ids=["paper", "two reads"])
def test_any_action_can_be_written_and_read_again(machine):
    """What is written names less than everything, but gives the same registers and the same memory."""
    rng, counts = random.Random(0), machine.layout.choice_counts
    numbers = np.random.default_rng(0)
    for _ in range(100):
        choices = tuple(rng.randrange(count) for count in counts)
        read = parse_move(machine, move_text(machine, choices))
        memory, registers = numbers.integers(0, 9, (1, 9)), numbers.integers(0, 9, (1, machine.num_registers))
        wanted, given = (
            hard_step(machine, registers, memory, np.array([chosen])) for chosen in (choices, read.choices)
        )
        assert all(np.array_equal(*pair) for pair in zip(wanted, given, strict=True))


def test_a_line_is_one_step_of_the_environment():
    env = ChoiceActions(gym.make("NRAM/Access-v0", horizon=50))
    memory = [2, 4, 3, 6, 0, 0, 0]
    env.reset(options={"instance": instance_of(get_task("access"), [memory])})
    game = game_on(*memory)
    for line in ("r0 = 2; r1 = READ r0", "WRITE r0 INC(READ(r1)); r2 = MAX r0 r1", "r3 = SUB r2 1", "idle"):
        game = game.play(line)
        move = game.turns[-1].move
        env.step(np.array([*move.choices, int(move.stops)]))
        state = env.unwrapped.state
        assert tuple(state.registers[0].argmax(-1).tolist()) == game.now.registers
        assert tuple(state.memory[0].argmax(-1).tolist()) == game.now.memory
