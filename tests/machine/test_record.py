"""Every tensor is looked at before native code gets its address."""

from typing import ClassVar

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from nram_env.machine import MachineConfig, initial_state, timestep
from nram_env.machine.backends import engine, library
from nram_env.machine.backends.record import BOOLEAN, FLOAT, Array, Record, addresses

SIZES = {"B": 2, "M": 3}


class Pair(Record):
    arrays: ClassVar = {"values": Array(FLOAT, "BM"), "mask": Array(BOOLEAN, "B", optional=True)}
    _fields_ = addresses(arrays)


VALUES = torch.zeros(2, 3)


def fake() -> torch.Tensor:
    with FakeTensorMode():
        return torch.zeros(2, 3)


def wrapped() -> torch.Tensor:
    """What a function sees under torch.func, kept beyond it."""
    kept = []
    torch.func.vmap(lambda values: kept.append(values) or values)(torch.zeros(1, 2, 3))
    return kept[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "values is missing"),
        (VALUES.double(), r"values must be torch.float32, got torch.float64"),
        (VALUES.bfloat16(), r"values must be torch.float32, got torch.bfloat16"),
        (VALUES.to("meta"), "values must be on the CPU, got meta"),
        (torch.zeros(3, 2), r"values must have shape \(B, M\) = \(2, 3\), got \(3, 2\)"),
        (torch.zeros(2, 3, 1), r"values must have shape \(B, M\) = \(2, 3\), got \(2, 3, 1\)"),
        (torch.zeros(6), r"values must have shape \(B, M\) = \(2, 3\), got \(6,\)"),
        (torch.zeros(3, 2).t(), r"values must be contiguous, got strides \(1, 2\) for shape \(2, 3\)"),
        (torch.zeros(2, 1).expand(2, 3), "values must be contiguous, got strides"),
        (VALUES.to_sparse(), "values must be contiguous, got layout torch.sparse_coo"),
        (torch._neg_view(VALUES), "values must be a tensor with numbers in memory"),
        (fake(), "values must be a tensor with numbers in memory"),
        (wrapped(), "values must be a tensor with numbers in memory"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        Pair().point(SIZES, {"values": values})


def test_all_arrays_are_on_the_device_that_is_named():
    meta = torch.device("meta")
    room = Pair.room(SIZES, ["values"], meta)
    assert room["values"].device == meta
    assert Pair.obstacle(SIZES, {"values": VALUES}, meta) == "values must be on meta, got cpu"
    assert Pair.obstacle(SIZES, {"values": VALUES}) is None


def test_an_array_that_may_be_missing_is_checked_where_it_is_there():
    pair = Pair().point(SIZES, {"values": VALUES})
    assert (pair.values, pair.mask) == (VALUES.data_ptr(), None)
    with pytest.raises(ValueError, match=r"mask must be torch.bool, got torch.uint8"):
        Pair().point(SIZES, {"values": VALUES, "mask": torch.zeros(2, dtype=torch.uint8)})


def test_a_record_keeps_its_tensors_alive():
    pair = Pair().point(SIZES, {"values": torch.full((2, 3), 7.0)})
    others = [torch.zeros(2, 3) for _ in range(100)]
    assert pair.values not in [other.data_ptr() for other in others]


@pytest.mark.parametrize("record", [engine.Inputs, engine.Outputs, engine.Gradients])
def test_room_is_what_fits(record):
    sizes = {"B": 2, "R": 3, "M": 4, "D": 5}
    room = record.room(sizes, record.arrays)
    assert record().point(sizes, room).tensors == room


@pytest.mark.skipif(not library.LIBRARY_FILE.exists(), reason="the native library was not built here")
def test_a_timestep_looks_at_each_tensor_once(monkeypatch):
    looked, address = [], Array.address

    def counted(array, name, tensor, *where):
        looked.append(tensor)
        return address(array, name, tensor, *where)

    monkeypatch.setattr(Array, "address", counted)
    config = MachineConfig(2)
    state, target = initial_state(config, torch.tensor([[1, 0, 2]])), torch.zeros(1, 3, dtype=torch.int64)
    logits, mask = torch.zeros(1, config.layout.size), torch.ones(1, 3, dtype=torch.bool)
    timestep(config, state, logits, target=target, mask=mask, backend="fused")
    seen = [id(tensor) for tensor in looked if tensor is not None]
    assert len(seen) == len(set(seen)) == 6 + 6
