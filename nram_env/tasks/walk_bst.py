"""WalkBST: follow a path down a binary search tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from nram_env.tasks.base import Task, require
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.parts import Part, one_cell
from nram_env.tasks.placing import all_places, random_places, random_ranks
from nram_env.tasks.spec import Chosen, M, Recursive, TaskSpec, before, cells, i, j, n
from nram_env.tasks.terms import (
    Apply,
    Fact,
    Number,
    Term,
    all_of,
    any_of,
    app,
    between,
    exists,
    forall,
    implies,
    variable,
)
from nram_env.tasks.trees import Children, Trees, all_paths, all_trees, balanced, chains, draw_trees

SLOT, PATH = 1, 2

L, k = variable("L"), variable("k")


def node(index: Term) -> Apply:
    """The address of the node that the path has reached after so many steps."""
    return app("node", index)


def _place(number: Term) -> Apply:
    """The address of a node of the tree, numbered in preorder."""
    return app("place", number)


def _size(number: Term) -> Apply:
    """How many nodes its subtree has, itself among them."""
    return app("size", number)


def _left(number: Term) -> Apply:
    """How many of them stand to its left."""
    return app("left", number)


def _child(side: int, nodes: Term, number: Term) -> Fact:
    """That node k has such a child, whose subtree has so many nodes, or NULL where it has none."""
    pointer = before(_place(k) + side)
    there = all_of(pointer.equals(_place(number)), _size(number).equals(nodes))
    return all_of(implies(nodes <= 0, pointer.equals(0)), implies(nodes >= 1, there))


def _apart(first: Term, second: Term) -> Fact:
    """That two nodes share no cell."""
    return any_of(first + 3 <= second, second + 3 <= first)


_SECOND = k + 1 + _left(k)
"""The number of the first node that stands to the right of node k."""

_TREE = (
    _place(Number(0)).equals(before(0)),
    _size(Number(0)).equals(n),
    forall("k", 0, n, between(3 + L, _place(k), M - 3)),
    forall("k", 0, n, between(0, _left(k), _size(k) - 1)),
    forall("k", 0, n, _child(1, _left(k), k + 1)),
    forall("k", 0, n, _child(2, _size(k) - 1 - _left(k), _SECOND)),
    forall("k", 0, n, forall("j", k + 1, _SECOND, before(_place(j)) < before(_place(k)))),
    forall("k", 0, n, forall("j", _SECOND, k + _size(k), before(_place(k)) < before(_place(j)))),
    forall("k", 0, n, forall("j", 0, k, _apart(_place(k), _place(j)))),
    cells(3 + L, M, any_of(before(i).equals(0), exists("k", 0, n, between(_place(k), i, _place(k) + 2)))),
)
"""A search tree of n nodes, and 0 in every cell behind the path that none of them uses."""


class WalkBST(Task):
    """Find the value at which a path down a search tree ends (paper, Section 4.2, task 10).

    Before, with d = 1 for left and 2 for right, nodes (value, left, right) anywhere behind the path,
    distinct values, and NULL for a child that is not there::

        cell   0      1      2   ...  k+1   k+2
             | root | slot | d_1 ... d_k | NULL | ... value | left | right ...

    Wanted: slot = value of the node where the path ends. Output cell: 1. n is the number of nodes.
    Smallest M: 3n + k + 3, which is 4n + 2 for the longest path that n nodes can have.
    """

    name = "walkbst"
    title = "WalkBST"
    num_registers = 6
    spec = TaskSpec(
        params={"n": None, "L": None},
        pre=(
            n >= 1,
            between(0, L, n - 1),
            3 * n + L + 3 <= M,
            before(SLOT).equals(0),
            cells(PATH, PATH + L, between(1, before(i), 2)),
            before(PATH + L).equals(0),
            forall("j", 0, L + 1, between(3 + L, node(j), M - 3), node(j)),
        ),
        output=(Number(SLOT), Number(SLOT + 1)),
        want=before(node(L)),
        horizon=3 * n + 3,
        ghosts=(Recursive("node", first=before(0), step=before(node(j) + before(PATH + j)), last=L),),
        cuts=(Number(0), Number(1), Number(2), 2 + L, 3 + L),
        parts=(
            one_cell(0, "root", "the address of the root"),
            one_cell(SLOT, "slot", "the place of the output"),
            Part("path", "the turns to take, then NULL", Number(PATH), PATH + L + 1, "turn"),
        ),
        fields=("value", "left", "right"),
        legal=_TREE,
        legal_ghosts=(Chosen("place", n), Chosen("size", n), Chosen("left", n)),
        witness=lambda memory: _witness(memory),
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """Root, slot, a path of n - 1 steps, NULL and the nodes."""
        return 4 * difficulty + 2

    def horizon(self, difficulty: int) -> int:
        """Three timesteps a step, and three to start and end."""
        return 3 * difficulty + 3

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the trees, the path's end among all nodes, the values and the places."""
        end = rng.integers(0, difficulty)
        return _drawn(rng, draw_trees(rng, difficulty, end), end, difficulty, memory_size)

    def draw_easy(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw balanced trees, where d decides at every step, and as many chains, where paths are long.

        Half of the trees hold the value 0, so that no value passes for the NULL at which a path ends.
        """
        end, chain = rng.integers(0, difficulty), rng.random(difficulty.shape)[:, None] < 0.5
        trees = draw_trees(rng, difficulty, end, lambda *at: np.where(chain, chains(*at), balanced(*at)))
        with_zero = rng.random(difficulty.shape) < 0.5
        return _drawn(rng, trees, end, difficulty, memory_size, with_zero)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Walk until NULL."""
        node, step = memory[0], PATH
        while memory[step]:
            node = memory[node + memory[step]]
            step += 1
        return {SLOT: memory[node]}

    def difficulty_of(self, memory: Sequence[int]) -> int:
        """Number of nodes."""
        count, pending = 0, [memory[0]]
        while pending:
            node = pending.pop()
            count += 1
            pending += [child for child in memory[node + 1 : node + 3] if child]
        return count

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        require(memory[SLOT] == 0, self, SLOT, memory[SLOT], "0, the slot for the answer")
        first_node_cell = self._check_path_digits(memory)
        taken = self._check_tree(memory, first_node_cell)
        self._check_path_stays(memory)
        for cell in range(first_node_cell, len(memory)):
            unused = cell not in taken
            require(not (unused and memory[cell]), self, cell, memory[cell], "0: no node lies there")

    def _check_path_digits(self, memory: Sequence[int]) -> int:
        cell = PATH
        while cell < len(memory) and memory[cell]:
            require(memory[cell] in (1, 2), self, cell, memory[cell], "1 (left), 2 (right) or NULL")
            cell += 1
        require(cell < len(memory), self, len(memory) - 1, memory[-1], "a node, after a path that ends")
        return cell + 1

    def _check_tree(self, memory: Sequence[int], first: int) -> set[int]:
        """Check every node's place and value; return the cells that nodes use."""
        taken, pending = set[int](), [(0, -1, len(memory))]
        while pending:
            cell, low, high = pending.pop()
            node = memory[cell]
            cells = set(range(node, node + 3))
            fresh = first <= node <= len(memory) - 3 and not cells & taken
            require(fresh, self, cell, node, f"the address of a new node in {first}..{len(memory) - 3}")
            value = memory[node]
            require(
                low < value < high,
                self,
                node,
                value,
                f"a value in {low + 1}..{high - 1}, as in a search tree",
            )
            taken |= cells
            sides = ((node + 1, low, value), (node + 2, value, high))
            pending += [side for side in sides if memory[side[0]]]
        return taken

    def _check_path_stays(self, memory: Sequence[int]) -> None:
        node, cell = memory[0], PATH
        while memory[cell]:
            node = memory[node + memory[cell]]
            require(node > 0, self, cell, memory[cell], "a step to a child that is there, or NULL")
            cell += 1

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """Every tree, path, placement and choice of values.

        C(M, n) n! times the sum over path lengths k of
        2^k (k+2) / (2n-k) C(2n-k, n-k-1) C(M-3-k-2n, n) instances.
        """
        self.check_request(np.array([difficulty]), memory_size)
        for root, children in all_trees(0, difficulty - 1):
            for _, path in all_paths(root, children):
                for places in all_places(difficulty, 3, PATH + 1 + len(path), memory_size):
                    for values in combinations(range(memory_size), difficulty):
                        yield _lay_out(root, children, path, places, values, memory_size)


def _drawn(
    rng: np.random.Generator,
    trees: Trees,
    end: np.ndarray,
    difficulty: np.ndarray,
    memory_size: int,
    with_zero: np.ndarray | bool = False,
) -> TaskBatch:
    """Draw the nodes' places and values, and lay out trees (B) whose paths lead to `end` (B,).

    The smallest value is 0 `with_zero`, of all trees or of some, (B,).
    """
    length = (trees.path > 0).sum(1)
    places = random_places(rng, difficulty, 3, PATH + 1 + length, memory_size)
    values = _sorted_values(rng, difficulty, memory_size)
    values[:, 0] = np.where(with_zero, 0, values[:, 0])
    rows, nodes = np.nonzero(np.arange(places.shape[1]) < difficulty[:, None])
    memory = np.zeros((len(difficulty), memory_size), dtype=np.int64)
    memory[:, PATH : PATH + trees.path.shape[1]] = trees.path
    memory[rows, places[rows, nodes]] = values[rows, nodes]
    everyone = np.arange(len(memory))
    memory[:, 0] = places[everyone, trees.root]
    rows, children = np.nonzero(trees.parent >= 0)
    parents, sides = trees.parent[rows, children], trees.side[rows, children]
    memory[rows, places[rows, parents] + sides] = places[rows, children]
    target, mask = memory.copy(), np.zeros(memory.shape, dtype=bool)
    target[:, SLOT] = values[everyone, end]
    mask[:, SLOT] = True
    return TaskBatch(memory, target, mask, difficulty)


def _sorted_values(rng: np.random.Generator, counts: np.ndarray, memory_size: int) -> np.ndarray:
    """Distinct values in rising order at the front of every row, (B, largest n)."""
    columns = np.arange(counts.max())
    batch = np.full(len(counts), memory_size)
    drawn = random_ranks(rng, batch, memory_size)[:, : len(columns)]
    return np.sort(np.where(columns < counts[:, None], drawn, memory_size), axis=1)


def _lay_out(
    root: int | None,
    children: Children,
    path: Sequence[int],
    places: Sequence[int],
    values: Sequence[int],
    memory_size: int,
) -> tuple[int, ...]:
    memory = [0] * memory_size
    memory[0] = places[root or 0]
    memory[PATH : PATH + len(path)] = path
    for node, below in children.items():
        addresses = (0 if child is None else places[child] for child in below)
        memory[places[node] : places[node] + 3] = [values[node], *addresses]
    return tuple(memory)


def _witness(memory: Sequence[int]) -> dict[str, int | Sequence[int]]:
    """The number of nodes, the length of the path, and the tree in preorder."""
    places, sizes, lefts = _preorder(memory, memory[0])
    length = memory.index(0, PATH) - PATH
    return {"n": len(places), "L": length, "place": places, "size": sizes, "left": lefts}


def _preorder(memory: Sequence[int], root: int) -> tuple[list[int], list[int], list[int]]:
    """Of every node below an address: its address, the nodes of its subtree, those to its left."""
    if root == 0:
        return [], [], []
    left, right = (_preorder(memory, child) for child in memory[root + 1 : root + 3])
    places, sizes, lefts = (first + second for first, second in zip(left, right, strict=True))
    return [root, *places], [1 + len(places), *sizes], [len(left[0]), *lefts]
