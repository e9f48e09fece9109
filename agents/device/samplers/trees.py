"""Binary trees of n nodes a row, numbered in order, all at once.

A tree is given by a key for every node, (N, K) float64: the root of a subtree is its node of the lowest key.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from torch import Tensor, where
from torch.nn.functional import pad

from agents.device.samplers.drawing import Request
from nram_env.tasks.trees import LEFT, RIGHT


@dataclass(frozen=True)
class Trees:
    """N binary trees; a search tree's values rise with the numbers of its nodes.

    Attributes:
        parent: (N, K); -1 for the root and behind the last node.
        side: (N, K); LEFT or RIGHT, where the node hangs on its parent, if it has one.
        path: (N, K); LEFT and RIGHT steps from the root to a chosen node, then 0.
    """

    parent: Tensor
    side: Tensor
    path: Tensor


def any_keys(request: Request) -> Tensor:
    """Every node of a subtree is equally likely to be its root: random search trees."""
    return request.uniform(request.largest)


def balanced_keys(request: Request) -> Tensor:
    """Every root is its subtree's middle node; of two, by even chance, either. The key is the depth."""
    node = request.columns
    first, last = where(request.inside, 0, node), where(request.inside, request.n - 1, node)
    depth = torch.zeros_like(first)
    for _ in range(request.largest.bit_length() - 1):  # after which a subtree is a node
        root = (first + last + request.coins(request.largest).gather(1, first)) // 2
        depth += node != root
        first = where(node < root, first, root + (node > root).long())
        last = where(node > root, last, root - (node < root).long())
    return depth.double()


def chain_keys(request: Request) -> Tensor:
    """Every root is its subtree's first or, by even chance, its last node. The key is the depth."""
    depth, n = request.columns, request.n
    from_left = request.coins(request.largest)
    taken = from_left.cumsum(1) - from_left.long()
    root = where(from_left, taken, n - 1 - (depth - taken))
    root = where(request.inside, root, depth)
    return torch.empty_like(root).scatter_(1, root, depth.expand_as(root)).double()


def trees(request: Request, keys: Tensor, end: Tensor) -> Trees:
    """The trees of such keys, with the paths that lead to the nodes `end` (N, 1)."""
    keys = keys.masked_fill(~request.inside, inf)
    parent, side = _parents(keys)
    return Trees(parent.masked_fill(~request.inside, -1), side, _paths(request.columns, keys, end))


def _parents(keys: Tensor) -> tuple[Tensor, Tensor]:
    """The parent of every node, -1 for the root, and where it hangs.

    It is the nearest node of a lower key to the left or to the right, whichever has the higher key. The pairs
    (N, K, K) take two bytes each; a tree of K nodes needs 4 K cells, so they are no more than memory while
    M is at most 64.
    """
    number = torch.arange(1, keys.shape[1] + 1, dtype=torch.int16, device=keys.device)
    lower = keys[:, None, :] < keys[:, :, None]
    left = (lower.tril(-1) * number).amax(2).long()
    right = len(number) + 1 - (lower.triu(1) * number.flip(0)).amax(2).long()
    bounded = pad(keys, (1, 1), value=-inf)
    left_key, right_key = bounded.gather(1, left), bounded.gather(1, right)
    parent = where(left_key > right_key, left, right) - 1
    side = where(left_key > right_key, RIGHT, LEFT)
    return parent.masked_fill(left_key == right_key, -1), side


def _paths(node: Tensor, keys: Tensor, end: Tensor) -> Tensor:
    """The steps (N, K) from the roots to the nodes `end`, past every node of the lowest key up to there."""
    to_end = keys.masked_fill(node > end, inf).flip(1).cummin(1).values.flip(1)
    from_end = keys.masked_fill(node < end, inf).cummin(1).values
    above = (keys == where(node < end, to_end, from_end)) & (node != end)
    order = keys.masked_fill(~above, inf).argsort(1)
    return (where(node > end, LEFT, RIGHT) * above).gather(1, order)
