"""Program files: what is written is read back, and anything else gets one clear error."""

import json
import re
from dataclasses import asdict, replace

import pytest

from analysis.program.block import Block, Constant, Guard, Operation, ProgramError
from analysis.program.certificate import Certificate
from analysis.program.file import dump_program, load_program, parse_program, save_program
from analysis.program.program import Edge, Program, Register, Semantics
from analysis.simplification.canonical import canonical_hash
from analysis.simplification.program import simplify_program
from nram_env.files import FileError
from nram_env.machine import Gate, MachineConfig
from tests.analysis.programs import CASES, program_of


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_program_comes_back_from_its_file_as_it_was(case, tmp_path):
    program = simplify_program(program_of(case)).with_certificates(
        Certificate("random", "right", "TESTED", "10 runs", 10)
    )
    save_program(program, tmp_path / "program.json")
    again = load_program(tmp_path / "program.json")
    assert again == program
    assert canonical_hash(again) == canonical_hash(program)


def _edited(**changes):
    record = json.loads(dump_program(program_of(CASES["copy"])))
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = record
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        if isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value
    return json.dumps(record)


CERTIFICATE = asdict(Certificate("random", "right", "TESTED", "10 runs", 10))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "nram-program/2"}, "format is 'nram-program/2'; must be one of nram-program/1"),
        ({"semantics__register_update": "in_place"}, "semantics.register_update is 'in_place'"),
        ({"semantics__write_returns": "zero"}, "semantics.write_returns is 'zero'"),
        ({"semantics__odd": 1}, "semantics.odd is unknown"),
        ({"name": "co\npy"}, "name is 'co\\npy'; must be plain text"),
        ({"task": "\u202ecopy"}, "task is '\\u202ecopy'; must be plain text"),
        ({"kind": "poem"}, "kind is 'poem'; must be one of table, machine, unrolled"),
        ({"states": []}, "states is a list of 0 entries; must be a list of 1 to 10000"),
        ({"states": ["S"] * 10_001}, "states is a list of 10001 entries; must be a list of 1 to 10000"),
        ({"states__0": "\x1b[2J"}, "states[0] is '\\x1b[2J'; must be plain text"),
        ({"states__0": 5}, "states[0] is 5; must be plain text"),
        ({"min_size": "three"}, "min_size is 'three'; must be an integer in 1..1048576"),
        ({"min_size": 10**9}, "min_size is 1000000000; must be an integer in 1..1048576"),
        ({"origin__seed": [1]}, "origin.seed is [1]; must be plain text, a number"),
        ({"origin__by": "a\rb"}, "origin.by is 'a\\rb'"),
        ({"origin__training_size": "8"}, "origin.training_size is '8'; must be an integer"),
        ({"certificates": [{"check": "random"}]}, "certificates[0].claim is missing"),
        ({"certificates": [CERTIFICATE | {"verdict": "SURE"}]}, "certificates[0].verdict is 'SURE'"),
        ({"certificates": [CERTIFICATE | {"count": "9"}]}, "certificates[0].count is '9'"),
        ({"certificates": [CERTIFICATE | {"domain": None}]}, "certificates[0].domain is None"),
        ({"certificates": [CERTIFICATE | {"error_below": 2}]}, "certificates[0].error_below is 2"),
        ({"certificates": [CERTIFICATE | {"error_below": 0}]}, "error_below is 0.0 and the verdict TESTED"),
        ({"edges__0__source": 5}, "edge 0 starts in state 5 of 2 states"),
        ({"edges__0__source": True}, "edges[0].source is True; must be an integer"),
        ({"edges__1__target": -1}, "edges[1].target is -1; must be an integer in 0..9999"),
        ({"edges__1__target": 2}, "edge 1 ends in state 2 of 2 states"),
        ({"edges__0__support": 1.5}, "edges[0].support is 1.5; must be an integer"),
        ({"edges__0__rewrites": [{"before": 1}]}, "edges[0].rewrites[0].before is 1; must be plain text"),
        ({"edges__0__rewrites": [None]}, "edges[0].rewrites[0] is None; must be an object"),
        ({"edges__0__instructions__0": ["RAED", 0]}, "unknown gate 'RAED'; did you mean 'READ'"),
        ({"edges__0__instructions__0": ["READ", 4]}, "uses value 4; only 0..3 are there before it"),
        ({"edges__0__instructions__0": ["READ", "0"]}, "edges[0].instructions[0].arguments[0] is '0'"),
        ({"edges__0__instructions__0": ["READ"]}, "has 0 arguments instead of 1"),
        (
            {"edges__0__instructions__0": ["CONSTANT"]},
            "instructions[0].value is a list of 0 entries",
        ),
        (
            {"edges__0__instructions__0": ["CONSTANT", 2**40]},
            "instructions[0].value[0] is 1099511627776",
        ),
        ({"edges__0__instructions": [["ONE"]] * 10**5}, "edges[0].instructions is a list of 100000 entries"),
        ({"edges__0__assignments__0": [9, 0]}, "edge 0 assigns registers [9, 1, 2, 3]"),
        ({"edges__0__guard__0": [16, 16]}, "guard cube (16, 16), which does not fit 4 registers"),
        ({"edges__0__guard__0": [2**70, 0]}, "edges[0].guard[0][0] is 1180591620717411303424; must be"),
        ({"edges__1__source": 0}, "two edges of state S0 match the same registers"),
        ({"edges__0__witness": [0, 1]}, "witness of 2 choices, not 23"),
        ({"registers__0__source": 7}, "register r0 was register 7 of the machine, which has 4"),
        ({"machine__num_registers": 0}, "machine.num_registers is 0; must be an integer in 1..63"),
        (
            {"machine__num_registers": 10**9},
            "num_registers is 1000000000; must be an integer in 1..63",
        ),
    ],
)
def test_a_program_edited_into_nonsense_says_what_is_wrong(changes, message, tmp_path):
    path = tmp_path / "edited.json"
    path.write_text(_edited(**changes))
    with pytest.raises(FileError, match=r"edited\.json: ") as caught:
        load_program(path)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 3}', '{"format": "nram-program/1"}'])
def test_a_file_that_is_no_program_is_named(text, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(FileError, match=r"other\.json: "):
        load_program(path)


COPY = program_of(CASES["copy"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a\nb"}, "the name 'a\\nb' is not plain text"),
        ({"task": "\x07"}, "the name '\\x07' is not plain text"),
        ({"origin": {"from": "\u2067"}}, "origin.from is '\\u2067'; it is plain text"),
        ({"states": ("S",) * 10_001}, "there are 10,001 states; a program has at most 10,000"),
        ({"edges": (Edge(0, Guard(()), Block(), 0),) * 20_001}, "there are 20,001 edges"),
        ({"edges": (Edge(0, Guard(((0, 0),) * 16_385), Block(), 0),)}, "there are 16,385 guard cubes"),
        ({"edges": (Edge(0, Guard(), Block((Constant(0),) * 1_025), 0),)}, "edge 0 has 1025 instructions"),
        ({"edges": (Edge(0, Guard(), Block((Constant(2**32),)), 0),)}, "is the constant 4294967296"),
        ({"min_size": 2**21}, "min_size is 2097152; it is in 1..1048576"),
    ],
)
def test_a_program_is_bounded_however_it_is_made(changes, message):
    with pytest.raises(ProgramError, match=re.escape(message)):
        replace(COPY, **changes)


def test_guards_of_thousands_of_cubes_are_compared_in_time():
    registers = tuple(Register(f"r{r}", r) for r in range(12))
    edges = [Edge(0, Guard(((4095, pattern),)), Block(), 0) for pattern in range(4096)]
    table = Program("t", registers, ("S0",), tuple(edges), "table", MachineConfig(12))
    assert len(table.edges_of_state[0]) == 4096
    with pytest.raises(ProgramError, match="two edges of state S0 match the same registers"):
        replace(table, edges=(*edges, Edge(0, Guard(((1, 1),)), Block(), 0)))


def test_a_program_that_never_stops_must_not_have_a_stopping_edge():
    edge = Edge(0, Guard(), Block(), None)
    with pytest.raises(ProgramError, match=r"edge 0 stops, but semantics\.stop_rule is 'never'"):
        Program("p", (), ("S0",), (edge,), "machine", MachineConfig(1), Semantics(stop_rule="never"))


def test_the_hash_depends_neither_on_names_nor_on_the_order_of_registers():
    def counter(first, second):
        names = {first: "i", second: "x"}
        code = (Operation(Gate.READ, (first,)), Constant(1), Operation(Gate.ADD, (first, 3)))
        block = Block(code, tuple(sorted([(first, 4), (second, 2)])))
        store = Block((Operation(Gate.WRITE, (first, second)),), ())
        edges = (Edge(0, Guard(), block, 1), Edge(1, Guard(), store, 0))
        registers = tuple(Register(names[r], r) for r in (0, 1))
        return Program("p", registers, ("a", "b"), edges, "machine", MachineConfig(2))

    assert canonical_hash(counter(0, 1)) == canonical_hash(counter(1, 0))
    assert parse_program(dump_program(counter(0, 1))) == counter(0, 1)
