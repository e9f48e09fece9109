"""ListReverse: a linked list the other way round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.linked_list import (
    FIRST_NODE_CELL,
    LIST_CUTS,
    LIST_FIELDS,
    LIST_GHOSTS,
    LIST_LEGAL,
    draw_lists,
    node,
    node_addresses,
)
from nram_env.tasks.more.list_task import FREE_LIST_PARTS, FREE_LIST_PRE, ListTask
from nram_env.tasks.spec import Chosen, M, TaskSpec, before, i, j, n
from nram_env.tasks.terms import Apply, Number, Term, any_of, app, exists, forall


def _after(cell: Term | int) -> Apply:
    """What a cell holds where the list is turned."""
    return app("after", cell)


class ListReverse(ListTask):
    """Turn a linked list around by its pointers.

    Before, with nodes (next, value) anywhere in 3..M-1, the last next being NULL, and a random value in
    every cell that no node uses::

        cell   0      1   2
             | head | 0 | slot | ... next | value ... next | value ...

    No node moves, and no cell behind the slot but the pointers may change.

    Wanted: slot = the address of the node that was last; the next of every node = the address of the one
    that was before it, NULL for the first. Output cells: 2..M-1. Smallest M: 2n + 3.
    """

    name = "x-listreverse"
    title = "ListReverse"
    spec = TaskSpec(
        params={"n": None},
        pre=(
            *FREE_LIST_PRE,
            *LIST_LEGAL,
            _after(2).equals(node(n - 1)),
            _after(node(Number(0))).equals(0),
            forall("j", 1, n, _after(node(j)).equals(node(j - 1)), node(j)),
            forall(
                "i",
                FIRST_NODE_CELL,
                M,
                any_of(_after(i).equals(before(i)), exists("j", 0, n, node(j).equals(i))),
                _after(i),
            ),
        ),
        output=(Number(2), M),
        want=_after(i),
        horizon=n + 3,
        ghosts=(*LIST_GHOSTS, Chosen("after", M)),
        cuts=LIST_CUTS,
        parts=FREE_LIST_PARTS,
        fields=LIST_FIELDS,
        witness=lambda memory: {"n": len(node_addresses(memory)), "after": _turned(memory)},
    )

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the lists, and set the pointers of each from its last node on."""
        memory, addresses = draw_lists(rng, difficulty, memory_size)
        target = memory.copy()
        previous = np.pad(addresses[:, :-1], ((0, 0), (1, 0)))
        rows, columns = np.nonzero(addresses)
        target[rows, addresses[rows, columns]] = previous[rows, columns]
        target[:, 2] = addresses[np.arange(len(memory)), difficulty - 1]
        mask = np.broadcast_to(np.arange(memory_size) >= 2, memory.shape).copy()
        return TaskBatch(memory, target, mask, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Turn one pointer after the other in a copy."""
        after, previous, current = list(memory), 0, memory[0]
        while current:
            after[current], previous, current = previous, current, after[current]
        after[2] = previous
        return dict(enumerate(after[2:], start=2))


def _turned(memory: Sequence[int]) -> list[int]:
    """The memory with the list turned."""
    addresses, after = node_addresses(memory), list(memory)
    for previous, current in zip([0, *addresses], [*addresses, 2], strict=True):
        after[current] = previous
    return after
