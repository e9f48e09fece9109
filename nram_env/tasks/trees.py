"""Binary trees: random ones for a whole batch at once, and all small ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

LEFT, RIGHT = 1, 2


@dataclass(frozen=True)
class Trees:
    """B binary trees; nodes are numbered in order, so that a search tree's values rise with them.

    Attributes:
        root: (B,).
        parent: (B, largest n); -1 for the root and behind the last node.
        side: (B, largest n); LEFT or RIGHT, where the node hangs on its parent; 0 where there is none.
        path: (B, largest n); LEFT and RIGHT steps from the root to a chosen node, then 0.
    """

    root: np.ndarray
    parent: np.ndarray
    side: np.ndarray
    path: np.ndarray


Choice = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Chooses the roots of subtrees first..last (B, largest n), given chance in 0..1, one for each subtree."""


def any_root(first: np.ndarray, last: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Every node of a subtree is equally likely to be its root: random search trees."""
    return first + (chance * (last - first + 1)).astype(np.int64)


def balanced(first: np.ndarray, last: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Every root is its subtree's middle node; of two, by even chance, either."""
    return (first + last + (chance < 0.5)) // 2


def chains(first: np.ndarray, last: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Every root is its subtree's first or, by even chance, its last node."""
    return np.where(chance < 0.5, first, last)


def draw_trees(
    rng: np.random.Generator, counts: np.ndarray, end: np.ndarray, choose: Choice = any_root
) -> Trees:
    """Draw trees from the root down.

    All nodes of all trees go down one level at a time: a node is in the subtree first..last; once it is
    drawn as its root it stays.

    Args:
        rng: Source of randomness.
        counts: (B,); n >= 1.
        end: (B,); the node that `path` leads to, in 0..n-1.
        choose: How the root of a subtree is chosen.
    """
    shape = (len(counts), int(counts.max()))
    node, rows = np.arange(shape[1]), np.arange(shape[0])
    first, last = np.zeros(shape, dtype=np.int64), np.broadcast_to(counts[:, None] - 1, shape).copy()
    parent, side = np.full(shape, -1), np.zeros(shape, dtype=np.int64)
    path, moving, level = np.zeros(shape, dtype=np.int64), node <= last, 0
    while moving.any():
        root = choose(first, last, np.take_along_axis(rng.random(shape), first, 1))
        moving &= node != root
        went = np.where(node < root, LEFT, RIGHT)
        parent, side = np.where(moving, root, parent), np.where(moving, went, side)
        first = np.where(moving & (went == RIGHT), root + 1, first)
        last = np.where(moving & (went == LEFT), root - 1, last)
        path[:, level] = np.where(moving[rows, end], went[rows, end], 0)
        level += 1
    root = ((parent < 0) & (node < counts[:, None])).argmax(1)
    return Trees(root, parent, side, path)


Children = dict[int, tuple[int | None, int | None]]


def all_trees(first: int, last: int) -> Iterator[tuple[int | None, Children]]:
    """Every binary tree of the nodes first..last: its root, and the left and right child of each node."""
    if first > last:
        yield None, {}
    for root in range(first, last + 1):
        for left, below_left in all_trees(first, root - 1):
            for right, below_right in all_trees(root + 1, last):
                yield root, {root: (left, right), **below_left, **below_right}


def all_paths(root: int | None, children: Children) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Every node with the LEFT and RIGHT steps that lead to it from the root."""
    if root is None:
        return
    yield root, ()
    for step, child in zip((LEFT, RIGHT), children[root], strict=True):
        for node, path in all_paths(child, children):
            yield node, (step, *path)
