"""Linked lists in memory, shared by ListK and ListSearch: nodes (next, value) among random values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from nram_env.tasks.base import Task, require
from nram_env.tasks.parts import Part, one_cell
from nram_env.tasks.placing import all_places, random_places
from nram_env.tasks.spec import Defined, M, Recursive, before, i, j, n
from nram_env.tasks.terms import Apply, Number, Term, any_of, app, between, forall

FIRST_NODE_CELL = 3


def node(index: Term) -> Apply:
    """The address of a node, by its place in the list."""
    return app("node", index)


LIST_GHOSTS = (
    Recursive("node", first=before(0), step=before(node(j)), last=n),
    Defined("value", before(node(j) + 1), end=n),
)
"""The addresses of the nodes, then NULL; and their values."""

LIST_PRE = (
    n >= 1,
    FIRST_NODE_CELL + 2 * n <= M,
    before(2).equals(0),
    forall("j", 0, n, between(FIRST_NODE_CELL, node(j), M - 2), node(j)),
    node(n).equals(0),
)
"""A list of n nodes, and an empty slot."""

LIST_LEGAL = (forall("j", 0, n, forall("i", 0, j, any_of(node(i) + 2 <= node(j), node(j) + 2 <= node(i)))),)
"""No two nodes share a cell."""

LIST_CUTS = (Number(0), Number(1), Number(2), Number(3))

LIST_FIELDS = ("next", "value")
"""The cells of a node."""


def list_parts(name: str, says: str) -> tuple[Part, ...]:
    """What the cells before the nodes are called, cell 1 as it is told."""
    return (
        one_cell(0, "head", "the address of the first node"),
        one_cell(1, name, says),
        one_cell(2, "slot", "the place of the output"),
    )


def smallest_list_size(difficulty: int) -> int:
    """Cells 0..2 and two cells a node."""
    return FIRST_NODE_CELL + 2 * difficulty


def draw_lists(
    rng: np.random.Generator, difficulty: np.ndarray, memory_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw one list a row, its nodes anywhere; every cell that no pointer uses gets a random value.

    Returns:
        Memory (B, M), where cell 0 points at the first node and cells 1 and 2 are 0; and the addresses
        of the nodes (B, largest n) in list order, 0 behind the last.
    """
    batch = len(difficulty)
    memory = rng.integers(0, memory_size, (batch, memory_size))
    memory[:, :FIRST_NODE_CELL] = 0
    places = random_places(rng, difficulty, 2, np.full(batch, FIRST_NODE_CELL), memory_size)
    addresses = np.where(np.arange(places.shape[1]) < difficulty[:, None], places, 0)
    following = np.concatenate([addresses[:, 1:], np.zeros((batch, 1), dtype=np.int64)], axis=1)
    rows, columns = np.nonzero(addresses)
    memory[rows, addresses[rows, columns]] = following[rows, columns]
    memory[:, 0] = addresses[:, 0]
    return memory, addresses


def node_addresses(memory: Sequence[int]) -> list[int]:
    """Addresses of a legal list's nodes, in list order."""
    addresses = []
    address = memory[0]
    while address:
        addresses.append(address)
        address = memory[address]
    return addresses


def check_list(task: Task, memory: Sequence[int]) -> None:
    """Reject a list that leaves memory, overlaps itself or runs in a circle, and a slot that is not 0."""
    require(memory[2] == 0, task, 2, memory[2], "0, the slot for the answer")
    pointer_cell, taken = 0, set[int]()
    while memory[pointer_cell] or pointer_cell == 0:
        address = memory[pointer_cell]
        inside = FIRST_NODE_CELL <= address <= len(memory) - 2
        fresh = inside and not {address, address + 1} & taken
        wanted = f"the address of a new node in {FIRST_NODE_CELL}..{len(memory) - 2}"
        require(fresh, task, pointer_cell, address, wanted + (" or NULL" if pointer_cell else ""))
        taken |= {address, address + 1}
        pointer_cell = address


def enumerate_lists(difficulty: int, memory_size: int) -> Iterator[tuple[list[int], tuple[int, ...]]]:
    """Every memory that holds a list of this length, cells 1 and 2 being 0, with the nodes' addresses."""
    for addresses in all_places(difficulty, 2, FIRST_NODE_CELL, memory_size):
        memory = [addresses[0]] + [0] * (memory_size - 1)
        for address, following in zip(addresses, (*addresses[1:], 0), strict=True):
            memory[address] = following
        free = [cell for cell in range(FIRST_NODE_CELL, memory_size) if cell not in addresses]
        for values in product(range(memory_size), repeat=len(free)):
            for cell, value in zip(free, values, strict=True):
                memory[cell] = value
            yield list(memory), addresses
