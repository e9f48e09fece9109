"""Tensors in a file: what comes back, byte for byte the same, and what is refused."""

import json

import pytest
import torch

from agents.tensors import TensorRule, open_tensors, save_tensors
from nram_env.checks import anything, integer, record
from nram_env.files import FileError

FORMAT = "nram-test/1"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "some.safetensors"


def opened(file, most_bytes=1 << 21):
    return open_tensors(file, FORMAT, anything(), most_bytes)


def raw(file, header, data=b""):
    """A file of the safetensors format with this header as it stands."""
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    file.write_bytes(len(content).to_bytes(8, "little") + content + data)
    return file


def refusal(file, **rules):
    with pytest.raises(FileError, match=r"some\.safetensors: ") as caught:
        opened(file).tensors(rules)
    return str(caught.value)


def metadata(**changes):
    return {"__metadata__": {"format": FORMAT, "header": "{}"} | changes}


def test_tensors_come_back_whatever_their_layout_and_shared_memory(file):
    tensor = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    tensors = {"whole": tensor, "turned": tensor.T, "row": tensor[1], "none": torch.zeros(0, 3)}
    save_tensors(file, FORMAT, {}, tensors)
    kinds = ("float32", "float64")
    found = opened(file).tensors({name: TensorRule(tuple(t.shape), kinds) for name, t in tensors.items()})
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def test_the_order_in_which_things_are_said_leaves_no_trace(file):
    contents = set()
    for names in (("a", "b", "c"), ("c", "a", "b")):
        header, tensors = {name: {name: 1} for name in names}, {name: torch.ones(2) for name in names}
        save_tensors(file, FORMAT, header, tensors)
        contents.add(file.read_bytes())
    assert len(contents) == 1


@pytest.mark.parametrize("length", range(1, 9))
def test_numbers_begin_at_a_multiple_of_eight_bytes(file, length):
    save_tensors(file, FORMAT, {}, {"a" * length: torch.ones(1)})
    assert int.from_bytes(file.read_bytes()[:8], "little") % 8 == 0


def test_a_header_with_a_number_that_is_not_finite_is_not_written(file):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_tensors(file, FORMAT, {"error": float("nan")}, {"a": torch.ones(1)})
    assert not file.exists()


def test_a_file_may_be_as_large_as_is_said_and_no_larger(file):
    save_tensors(file, FORMAT, {}, {"a": torch.ones(1)})
    size = file.stat().st_size
    assert opened(file, size).declared == {"a": ("float32", (1,))}
    with pytest.raises(FileError, match=f"larger than {size - 1} bytes"):
        opened(file, size - 1)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (metadata(format="nram-test/2"), "holds 'nram-test/2'; expected nram-test/1"),
        ({"__metadata__": "nram"}, "holds 'nram'; expected nram-test/1"),
        ({"__metadata__": {"format": FORMAT}}, "metadata.header is missing; must be there"),
        (metadata(more="1"), "metadata.more is unknown"),
        (metadata(header="[1"), "not JSON"),
        ([], "the header is []; must be an object"),
        (b"{", "no complete safetensors file: its header is damaged: not JSON"),
        (b"\xff", "no complete safetensors file: its header is damaged: 'utf-8'"),
        (metadata() | {"a": 3}, "a is 3; must be an object"),
        (metadata() | {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, "a.shape[0] is -1"),
    ],
)
def test_a_header_of_another_make_is_refused_by_its_part(file, header, message):
    assert message in refusal(raw(file, header))


def test_a_header_that_is_cut_or_longer_than_a_mebibyte_is_refused(file):
    for content in (b"1234567", (9).to_bytes(8, "little") + b"{}      ", (1 << 63).to_bytes(8, "little")):
        file.write_bytes(content)
        assert "no complete safetensors file: its header is cut or too long" in refusal(file)
    assert "holds 'no format at all'" in refusal(raw(file, b"{}" + b" " * ((1 << 20) - 2)))
    with pytest.raises(FileError, match="its header is cut or too long"):
        opened(raw(file, b"{}" + b" " * ((1 << 20) - 1)))


def test_a_field_of_the_header_is_called_by_its_name(file):
    save_tensors(file, FORMAT, {"n": -1}, {"a": torch.ones(1)})
    with pytest.raises(FileError, match=r"some\.safetensors: n is -1; must be an integer"):
        open_tensors(file, FORMAT, record({"n": integer(0)}), 1 << 20)


def test_numbers_that_are_cut_are_refused(file):
    header = metadata() | {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    assert "no complete safetensors file: " in refusal(raw(file, header, bytes(7)), a=TensorRule((2,)))


def test_the_bounds_of_a_rule_belong_to_it(file):
    save_tensors(file, FORMAT, {}, {"a": torch.tensor([0.0, 2.0])})
    assert torch.equal(
        opened(file).tensors({"a": TensorRule((2,), low=0, high=2)})["a"], torch.tensor([0.0, 2])
    )
    assert "the tensor a holds 0.0; must hold finite numbers in 1..2" in refusal(
        file, a=TensorRule((2,), low=1, high=2)
    )
    assert "the tensor a holds 2.0; must hold finite numbers in 0..1" in refusal(
        file, a=TensorRule((2,), low=0, high=1)
    )
