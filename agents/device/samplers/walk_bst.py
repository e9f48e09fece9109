"""WalkBST: search trees, and paths down from their roots."""

from __future__ import annotations

from torch import Tensor, where

from agents.device.samplers.drawing import DeviceBatch, Request
from agents.device.samplers.trees import Trees, any_keys, balanced_keys, chain_keys, trees
from nram_env.tasks.walk_bst import PATH, SLOT

_NODE_CELLS = 3


def walk_bst(request: Request) -> DeviceBatch:
    """Draw the trees, the path's end among all nodes, the values and the places."""
    return _drawn(request, any_keys(request))


def easy_walk_bst(request: Request) -> DeviceBatch:
    """Draw balanced trees, where d decides at every step, and as many chains; half of them with value 0."""
    keys = where(request.coins(1), chain_keys(request), balanced_keys(request))
    return _drawn(request, keys, with_zero=request.coins(1))


def _drawn(request: Request, keys: Tensor, with_zero: Tensor | None = None) -> DeviceBatch:
    """Trees of such keys (N, K), with paths to any node; the smallest value is 0 `with_zero`, (N, 1)."""
    end = request.below(request.n)
    grown, values = trees(request, keys, end), _sorted_values(request)
    if with_zero is not None:
        values[:, :1].masked_fill_(with_zero, 0)
    memory = _laid_out(request, grown, values)
    target = memory.clone()
    target[:, SLOT, None] = values.gather(1, end)
    return request.batch(memory, target, request.cells == SLOT)


def _laid_out(request: Request, grown: Trees, values: Tensor) -> Tensor:
    """Memories (N, M) of trees anywhere behind their paths; what is no node's is written to cell 0 first."""
    length = (grown.path > 0).sum(1, keepdim=True)
    places = request.places(_NODE_CELLS, PATH + 1 + length) * request.inside
    hangs = grown.parent >= 0
    pointers = (places.gather(1, grown.parent.clamp_min(0)) + grown.side) * hangs
    memory = request.cells.new_zeros((len(places), request.memory_size))
    memory[:, PATH : PATH + request.largest] = grown.path
    memory.scatter_(1, places, values).scatter_(1, pointers, places)
    memory[:, 0] = (places * ~hangs).sum(1)
    return memory


def _sorted_values(request: Request) -> Tensor:
    """n distinct values of 0..M-1 in rising order at the front of every row, (N, K)."""
    size = request.memory_size
    drawn = request.uniform(size).argsort(1)[:, : request.largest]
    return drawn.masked_fill(~request.inside, size).sort(1).values
