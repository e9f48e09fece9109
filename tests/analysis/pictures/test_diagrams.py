"""Diagrams are well-formed SVG, show every state, edge and gate, and nothing lies over anything else."""

from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from agents import zoo
from analysis.extraction.names import name_registers
from analysis.extraction.resolve import find_program
from analysis.pictures.circuit_diagram import circuit_picture
from analysis.pictures.diagram import to_svg
from analysis.pictures.layers import arrange
from analysis.pictures.state_diagram import edge_label, state_picture
from analysis.pictures.svg import CHARACTER, document
from analysis.program.block import Block, Constant, Guard, gate_of
from analysis.program.file import load_program
from analysis.program.program import Edge, Program, Register
from analysis.simplification.program import simplify_program
from nram_env.machine import Gate, MachineConfig
from tests.analysis.programs import CASES, program_of, random_program

SVG = "{http://www.w3.org/2000/svg}"
DATA = Path(__file__).parents[2] / "data"
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def parsed(picture):
    return ElementTree.fromstring(document(picture, "picture"))


def boxes(root):
    """Left, top, right, bottom of every rectangle with a class: those of gates and registers."""
    found = []
    for element in root.iter(f"{SVG}rect"):
        if "class" in element.attrib:
            x, y, width, height = (float(element.get(name)) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def texts(root):
    return [element.text for element in root.iter(f"{SVG}text")]


def apart(a, b):
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


@every_case
def test_the_paper_s_programs_are_drawn_with_all_their_states_edges_and_gates(case):
    program = name_registers(simplify_program(program_of(case)))
    root = ElementTree.fromstring(to_svg(program))
    shown = texts(root)
    assert [text for text in shown if text in program.states] == list(program.states)
    for number, edge in enumerate(program.edges):
        assert any(text.startswith(edge_label(number)) for text in shown)
        for instruction in edge.block.instructions:
            if not isinstance(instruction, Constant):
                assert gate_of(instruction).label in shown


@every_case
def test_the_boxes_of_a_circuit_do_not_overlap_and_lie_within_the_picture(case):
    for edge in program_of(case).edges:
        names = [f"r{register}" for register in range(case.config.num_registers)]
        picture = circuit_picture(edge.block, names)
        places = boxes(parsed(picture))
        assert all(apart(a, b) for a, b in combinations(places, 2))
        assert min(left for left, *_ in places) >= 0
        assert min(top for _, top, *_ in places) >= -0.1
        assert max(right for *_, right, _ in places) <= picture.width + 0.1
        assert max(bottom for *_, bottom in places) <= picture.height + 0.1


def test_random_circuits_are_drawn_without_overlap():
    rng = np.random.default_rng(0)
    for _ in range(10):
        for edge in random_program(MachineConfig(4), 2, rng).edges:
            places = boxes(parsed(circuit_picture(edge.block, ["a", "b", "c", "d"])))
            assert all(apart(a, b) for a, b in combinations(places, 2))


def test_gates_that_nothing_depends_on_are_left_out():
    case = CASES["access"]
    later = program_of(case).edges[1]
    shown = texts(parsed(circuit_picture(later.block, ["r0", "r1"])))
    assert Gate.WRITE.label in shown
    assert Gate.MAX.label not in shown


def test_a_write_stands_to_the_right_of_the_reads_that_come_before_it():
    for edge in program_of(CASES["swap"]).edges:
        root = parsed(circuit_picture(edge.block, ["r0", "r1"]))
        place = [
            (element.text, float(element.get("x")))
            for element in root.iter(f"{SVG}text")
            if element.text in (Gate.READ.label, Gate.WRITE.label)
        ]
        first_write = next(index for index, (label, _) in enumerate(place) if label == Gate.WRITE.label)
        assert all(place[first_write][1] > x for label, x in place[:first_write])


@pytest.mark.parametrize("num_states", [1, 2, 7, 13])
def test_the_labels_of_a_state_diagram_lie_within_it(num_states):
    program = random_program(MachineConfig(4), num_states, np.random.default_rng(num_states))
    picture = state_picture(program)
    root = parsed(picture)
    (group,) = (element for element in root.iter(f"{SVG}g") if element.get("transform") != "translate(16 16)")
    shift_x, shift_y = map(float, group.get("transform")[len("translate(") : -1].split())
    for element in group.iter(f"{SVG}text"):
        width = len(element.text) * CHARACTER
        centred = "middle" in element.get("class")
        left = float(element.get("x")) + shift_x - (width / 2 if centred else 0)
        assert left >= -0.1
        assert left + width <= picture.width + 0.1
        assert 8 <= float(element.get("y")) + shift_y <= picture.height
    assert len(list(group.iter(f"{SVG}circle"))) == num_states + sum(e.target is None for e in program.edges)


def test_constants_stand_beside_their_circuit():
    """Right below the other registers of their column, whatever the rest of the block does."""
    block = load_program(DATA / "swap_of_constants.json").edges[1].block
    nodes = boxes(parsed(circuit_picture(block, ["x", "y", "z"])))
    right = sorted(box for box in nodes if box[0] == max(left for left, *_ in nodes))
    by_height = sorted(right, key=lambda box: box[1])
    assert len(right) == 3
    assert all(below[1] - above[3] < 20 for above, below in pairwise(by_height))


def test_nodes_without_wires_stand_below_the_others_of_their_column():
    columns = {"a": 0, "b": 1, "alone": 1, "c": 1}
    places, _ = arrange(columns, dict.fromkeys(columns, 20.0), [("a", "b"), ("a", "c")])
    assert places["alone"].y == max(places["b"].y, places["c"].y) + 34
    assert places["a"].y == (places["b"].y + places["c"].y) / 2


def test_a_column_of_nodes_without_wires_stands_in_the_middle():
    columns = {"a": 0, "b": 1, "c": 1, "alone": 2}
    places, _ = arrange(columns, dict.fromkeys(columns, 20.0), [("a", "b"), ("a", "c")])
    assert places["alone"].y == pytest.approx(places["a"].y, abs=1)


def label_boxes(picture):
    """Left, top, right, bottom of every label of an edge."""
    found = []
    for element in parsed(picture).iter(f"{SVG}text"):
        if "label" in element.get("class"):
            x, y, width = float(element.get("x")), float(element.get("y")), len(element.text) * CHARACTER
            left = x - (width / 2 if "middle" in element.get("class") else 0)
            found.append((left, y - 9, left + width, y + 3))
    return found


def looping(count):
    """A program of one state with so many loops; each tests for another first register that is 0."""
    names = [f"r{register}" for register in range(count)]
    guards = [Guard((((2 << r) - 1, 1 << r),)) for r in range(count)]
    registers = tuple(Register(name, r) for r, name in enumerate(names))
    edges = tuple(Edge(0, guard, Block((), ()), 0) for guard in guards)
    return Program("loops", registers, ("S0",), edges, "table", MachineConfig(count))


@pytest.mark.parametrize("count", [2, 3, 5, 12, 30])
def test_the_labels_of_a_state_s_loops_stand_side_by_side(count):
    labels = label_boxes(state_picture(looping(count)))
    assert len(labels) == count
    assert all(apart(a, b) for a, b in combinations(labels, 2))
    assert [left for left, *_ in labels] == sorted({left for left, *_ in labels}), (
        "in order, none above another"
    )


@pytest.mark.parametrize("name", zoo.entries())
def test_the_labels_of_the_zoo_s_programs_keep_apart(name):
    labels = label_boxes(state_picture(find_program(f"zoo:{name}")))
    assert all(apart(a, b) for a, b in combinations(labels, 2))


def test_names_that_svg_could_take_for_its_own_are_escaped():
    program = program_of(CASES["access"])
    root = ElementTree.fromstring(to_svg(replace(program, name="<a & b>")))
    assert "program <a & b>" in texts(root)


def test_the_same_program_gives_the_same_file():
    program = program_of(CASES["reverse"])
    assert to_svg(program) == to_svg(program)


def test_labels_of_edges_are_distinct():
    labels = [edge_label(number) for number in range(200)]
    assert labels[:3] == ["A", "B", "C"]
    assert len(set(labels)) == 200


def test_wires_share_their_way_through_columns_and_nodes_of_a_column_keep_apart():
    columns = {"a": 0, "b": 1, "c": 2, "d": 2}
    heights = dict.fromkeys(columns, 30.0)
    places, routes = arrange(columns, heights, [("a", "b"), ("a", "c"), ("a", "d"), ("b", "d")])
    assert routes[1][1] == routes[2][1]
    assert abs(places["c"].y - places["d"].y) >= 30
    assert {name: places[name].column for name in columns} == columns
