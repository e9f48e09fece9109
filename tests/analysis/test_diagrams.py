"""Diagrams are well-formed SVG, show every state, edge and gate, and nothing lies over anything else."""

from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from analysis.block import Constant, gate_of
from analysis.circuit_diagram import circuit_picture
from analysis.diagram import to_svg
from analysis.layers import arrange
from analysis.names import name_registers
from analysis.reduce import simplify_program
from analysis.state_diagram import edge_label, state_picture
from analysis.svg import CHARACTER, document
from nram_env.machine import Gate, MachineConfig
from tests.analysis.programs import CASES, program_of, random_program

SVG = "{http://www.w3.org/2000/svg}"
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
