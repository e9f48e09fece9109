"""A block as a circuit: registers enter on the left, gates in columns, new register values on the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.pictures.layers import Place, arrange
from analysis.pictures.svg import CHARACTER, Picture, line, point, rectangle, words
from analysis.program.block import Block, Constant, Operation, require
from nram_env.machine import MAX_GATES, Gate

MOST_DRAWN = MAX_GATES
"""Instructions of a block that is drawn; laying out more takes long and shows nothing."""

_BETWEEN = 46.0
_HEIGHT = {0: 26.0, 1: 26.0, 2: 40.0}


@dataclass(frozen=True)
class _Node:
    """A box: what it says, below that what is constant, its kind, and the names of its ports."""

    label: str
    kind: str
    note: str = ""
    ports: tuple[str, ...] = ()

    @property
    def width(self) -> float:
        ports = 2 if any(self.ports) else 0
        return (max(len(self.label), len(self.note)) + ports) * CHARACTER + 16

    @property
    def height(self) -> float:
        return _HEIGHT[len(self.ports)] + (12 if self.note and len(self.ports) < 2 else 0)


@dataclass(frozen=True)
class _Wire:
    start: str
    end: str
    port: int


def circuit_picture(block: Block, names: Sequence[str]) -> Picture:
    """Draw a block, without the gates that nothing depends on.

    A gate's constant arguments are written in its box. Gates that touch the memory are coloured, and
    stand from left to right in the order in which they act where that matters.

    Args:
        block: The block.
        names: Names of the program's registers.

    Raises:
        ProgramError: The block is too large to be drawn.
    """
    require(
        len(block.instructions) <= MOST_DRAWN,
        f"a block of {len(block.instructions)} instructions is too large to be drawn; {MOST_DRAWN} are not",
    )
    nodes, columns, wires = _graph(block, names)
    heights = {name: node.height for name, node in nodes.items()}
    places, routes = arrange(columns, heights, [(wire.start, wire.end) for wire in wires])
    left = _left_edges(nodes, columns)
    shapes = [
        line(_path(wire, route, places, nodes, left), "wire")
        for wire, route in zip(wires, routes, strict=True)
    ]
    for name, node in nodes.items():
        shapes += _box(node, left[places[name].column], places[name].y)
    height = max((places[name].y + node.height / 2 for name, node in nodes.items()), default=0.0)
    return Picture(left[-1] - _BETWEEN, height, tuple(shapes))


def _graph(block: Block, names: Sequence[str]) -> tuple[dict[str, _Node], dict[str, int], list[_Wire]]:
    """Nodes by name, their columns, and the wires."""
    count = len(names)
    nodes, columns, wires = {}, {}, []
    live = _live(block, count)
    for register in sorted(number for number in live if number < count):
        nodes[f"v{register}"], columns[f"v{register}"] = _Node(names[register], "register"), 0
    accesses: list[tuple[Gate, int]] = []
    for number, instruction in enumerate(block.instructions, start=count):
        if isinstance(instruction, Constant) or number not in live:
            continue
        new = list(_wires(block, count, instruction.arguments, f"v{number}"))
        earliest = [columns[wire.start] for wire in new]
        earliest += [column for gate, column in accesses if Gate.WRITE in (gate, instruction.gate)]
        if instruction.gate in (Gate.READ, Gate.WRITE):
            column = max(earliest, default=0) + 1
            accesses.append((instruction.gate, column))
        else:
            column = max((columns[wire.start] for wire in new), default=0) + 1
        nodes[f"v{number}"], columns[f"v{number}"] = _gate(block, count, instruction), column
        wires += new
    last = max(columns.values(), default=0) + 1
    for register, number in block.assignments:
        constant = _constant(block, count, number)
        label = names[register] if constant is None else f"{names[register]} = {constant}"
        nodes[f"r{register}"], columns[f"r{register}"] = _Node(label, "register", ports=("",)), last
        wires += _wires(block, count, (number,), f"r{register}")
    return nodes, columns, wires


def _wires(block: Block, count: int, arguments: Sequence[int], end: str) -> Iterator[_Wire]:
    for port, number in enumerate(arguments):
        if _constant(block, count, number) is None:
            yield _Wire(f"v{number}", end, port)


def _live(block: Block, count: int) -> set[int]:
    """The values that a register or a WRITE depends on, WRITEs included."""
    live = {number for _, number in block.assignments}
    for number, instruction in reversed(list(enumerate(block.instructions, start=count))):
        if isinstance(instruction, Operation) and (number in live or instruction.gate is Gate.WRITE):
            live |= {number, *instruction.arguments}
    return live


def _constant(block: Block, count: int, number: int) -> int | None:
    instruction = block.instructions[number - count] if number >= count else None
    return instruction.value if isinstance(instruction, Constant) else None


def _gate(block: Block, count: int, operation: Operation) -> _Node:
    constants = [_constant(block, count, number) for number in operation.arguments]
    named = zip(operation.gate.arguments, constants, strict=True)
    note = ", ".join(f"{name} = {value}" for name, value in named if value is not None)
    kind = "memory" if operation.gate in (Gate.READ, Gate.WRITE) else "box"
    ports = tuple(
        "" if value is not None or operation.gate.arity == 1 else name
        for name, value in zip(operation.gate.arguments, constants, strict=True)
    )
    return _Node(operation.gate.label, kind, note, ports)


def _left_edges(nodes: Mapping[str, _Node], columns: Mapping[str, int]) -> list[float]:
    """The left edge of every column, and of one more after the last."""
    edges = [0.0]
    for column in range(max(columns.values(), default=0) + 1):
        widths = [nodes[name].width for name, place in columns.items() if place == column]
        edges.append(edges[-1] + max(widths, default=0.0) + (_BETWEEN if widths else 0.0))
    return edges


def _path(
    wire: _Wire,
    route: Sequence[str],
    places: Mapping[str, Place],
    nodes: Mapping[str, _Node],
    left: Sequence[float],
) -> str:
    start = places[route[0]]
    x, y = left[start.column] + nodes[wire.start].width, start.y
    text = f"M{point(x, y)}"
    for name in route[1:]:
        place = places[name]
        end = place.y + (_port(nodes[wire.end], wire.port) if name == wire.end else 0.0)
        turn, arrival = left[place.column] - _BETWEEN, left[place.column]
        middle = (turn + arrival) / 2
        text += f" L{point(max(turn, x), y)} C{point(middle, y)} {point(middle, end)} {point(arrival, end)}"
        x, y = arrival, end
    return text


def _port(node: _Node, port: int) -> float:
    """How far below the middle of a box a port is."""
    return (port - (len(node.ports) - 1) / 2) * 20


def _box(node: _Node, x: float, y: float) -> Iterator[str]:
    yield rectangle(x, y - node.height / 2, node.width, node.height, node.kind)
    inset = 2 * CHARACTER if any(node.ports) else 0.0
    middle = x + (node.width + inset) / 2
    yield words(middle, y + (-2 if node.note else 4), node.label, "middle")
    if node.note:
        yield words(middle, y + 12, node.note, "small middle")
    for port, name in enumerate(node.ports):
        if name:
            yield words(x + 5, y + _port(node, port) + 3, name, "small")
