"""Program files: what is written is read back, and anything else gets one clear error."""

import json

import pytest

from analysis.block import Block, Constant, Guard, Operation, ProgramError
from analysis.canonical import canonical_hash
from analysis.certificate import Certificate
from analysis.program import Edge, Program, Register, Semantics
from analysis.program_file import dump_program, load_program, parse_program, save_program
from analysis.reduce import simplify_program
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "nram-program/2"}, "format is 'nram-program/2'; this version reads 'nram-program/1'"),
        ({"semantics__register_update": "in_place"}, "semantics.register_update is 'in_place'"),
        ({"semantics__write_returns": "zero"}, "semantics.write_returns is 'zero'"),
        ({"semantics__odd": 1}, "missing or unknown: odd"),
        ({"kind": "poem"}, "kind is 'poem'; it is one of table, machine, unrolled"),
        ({"states": []}, "there is no state"),
        ({"min_size": "three"}, "expected an integer, got 'three'"),
        ({"edges__0__source": 5}, "edge 0 starts in state 5 of 2 states"),
        ({"edges__1__target": -1}, "edge 1 ends in state -1 of 2 states"),
        ({"edges__0__instructions__0": ["RAED", 0]}, "unknown gate 'RAED'; did you mean 'READ'"),
        ({"edges__0__instructions__0": ["READ", 4]}, "uses value 4; only 0..3 are there before it"),
        ({"edges__0__instructions__0": ["READ"]}, "has 0 arguments instead of 1"),
        ({"edges__0__assignments__0": [9, 0]}, "edge 0 assigns registers [9, 1, 2, 3]"),
        ({"edges__0__guard__0": [16, 16]}, "guard cube (16, 16), which does not fit 4 registers"),
        ({"edges__1__source": 0}, "two edges of state S0 match the same registers"),
        ({"edges__0__witness": [0, 1]}, "witness of 2 choices, not 23"),
        ({"registers__0__source": 7}, "register r0 was register 7 of the machine, which has 4"),
        ({"machine__num_registers": 0}, "num_registers must be an integer in 1..63, got 0"),
    ],
)
def test_a_program_edited_into_nonsense_says_what_is_wrong(changes, message, tmp_path):
    path = tmp_path / "edited.json"
    path.write_text(_edited(**changes))
    with pytest.raises(ProgramError) as caught:
        load_program(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 3}', '{"format": "nram-program/1"}'])
def test_a_file_that_is_no_program_is_named(text, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(ProgramError, match=r"other\.json: "):
        load_program(path)


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
