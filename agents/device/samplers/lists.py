"""The tasks on linked lists: ListK and ListSearch."""

from __future__ import annotations

from torch import Tensor, where
from torch.nn.functional import pad

from agents.device.samplers.drawing import DeviceBatch, Request
from nram_env.tasks.linked_list import FIRST_NODE_CELL

_WANTED, _SLOT = 1, 2


def list_k(request: Request) -> DeviceBatch:
    """Draw the lists, then k."""
    memory, addresses = _lists(request)
    hops = request.below(request.n)
    memory[:, _WANTED, None] = hops
    return _answered(request, memory, memory.gather(1, addresses.gather(1, hops) + 1))


def list_search(request: Request) -> DeviceBatch:
    """Draw the lists, then the node whose value is searched for."""
    memory, addresses = _lists(request)
    node = addresses.gather(1, request.below(request.n))
    memory[:, _WANTED, None] = memory.gather(1, node + 1)
    return _searched(request, memory, addresses)


def easy_list_search(request: Request) -> DeviceBatch:
    """Draw lists in which a node holds 0 and is searched for."""
    memory, addresses = _lists(request)
    node = addresses.gather(1, request.below(request.n))
    return _searched(request, memory.scatter_(1, node + 1, 0), addresses)


def _lists(request: Request) -> tuple[Tensor, Tensor]:
    """One list a row, and a random value in every cell that no pointer uses.

    Returns:
        Memory (N, M), where cell 0 points at the first node and cells 1 and 2 are 0; and the addresses of the
        nodes (N, K) in list order, 0 behind the last.
    """
    addresses = request.places(2, FIRST_NODE_CELL) * request.inside
    memory = request.memories().scatter_(1, addresses, pad(addresses[:, 1:], (0, 1)))
    memory[:, 1:FIRST_NODE_CELL] = 0
    memory[:, :1] = addresses[:, :1]  # after the nodes: cell 0 took what is behind the last one
    return memory, addresses


def _searched(request: Request, memory: Tensor, addresses: Tensor) -> DeviceBatch:
    """The examples of lists whose cell 1 holds what is searched for."""
    found = (memory.gather(1, addresses + 1) == memory[:, _WANTED, None]) & request.inside
    first = where(found, request.columns, request.largest).amin(1, keepdim=True)
    return _answered(request, memory, addresses.gather(1, first))


def _answered(request: Request, memory: Tensor, answer: Tensor) -> DeviceBatch:
    """The examples whose slot wants an answer (N, 1)."""
    target = memory.clone()
    target[:, _SLOT, None] = answer
    return request.batch(memory, target, request.cells == _SLOT)
