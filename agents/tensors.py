"""Tensors and what they mean in one safetensors file, so that the two cannot disagree after a crash.

Written atomically, never pickled. What a file declares is checked before anything is made of it. Importing
this, and reading headers, needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError

from nram_env.checks import Check, choice, integer, list_of, record, shown, text, tuple_of
from nram_env.files import parse_json, read_bytes, reading
from nram_env.support import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

_MOST_HEADER_BYTES = 1 << 20
_LENGTH_BYTES = 8

_LARGEST = (2 - 2**-23) * 2.0**127
"""Largest finite number in single precision."""

_DTYPES = {"F32": "float32", "F64": "float64", "I64": "int64", "U8": "uint8"}
"""Kinds of numbers that files hold: torch's names by safetensors'."""


@dataclass(frozen=True)
class TensorRule:
    """What a tensor of a file must be.

    Attributes:
        shape: Its shape.
        dtypes: The dtypes that it may have, by torch's names.
        low: Its least number; what is no number breaks the rule.
        high: Its largest number.
    """

    shape: tuple[int, ...]
    dtypes: tuple[str, ...] = ("float32",)
    low: float = -_LARGEST
    high: float = _LARGEST


@dataclass(frozen=True)
class TensorFile:
    """A file whose header is checked and whose tensors are not yet.

    Attributes:
        path: The file.
        header: What its JSON header holds, checked.
        content: The whole file.
        declared: Dtype and shape of every tensor by name.
    """

    path: Path
    header: dict[str, Any]
    content: bytes
    declared: Mapping[str, tuple[str, tuple[int, ...]]]

    def tensors(self, rules: Mapping[str, TensorRule]) -> dict[str, Tensor]:
        """The tensors, each by its rule.

        Raises:
            FileError: One is missing, unknown, or breaks its rule; or the file is cut or damaged.
        """
        import safetensors.torch

        with reading(self.path):
            self._check_names(rules)
            for name, rule in rules.items():
                _check_declared(name, *self.declared[name], rule)
            try:
                found = safetensors.torch.load(self.content)
            except (SafetensorError, RuntimeError) as error:
                raise ValueError(f"no complete safetensors file: {error}") from error
            for name, rule in rules.items():
                _check_numbers(name, found[name], rule)
        return found

    def _check_names(self, rules: Mapping[str, TensorRule]) -> None:
        for name in [*rules, *self.declared]:
            if name not in self.declared or name not in rules:
                raise ValueError(f"the tensor {shown(name)} is {'missing' if name in rules else 'unknown'}")


def save_tensors(
    path: str | Path, format_name: str, header: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Write tensors and a JSON header as one file, atomically.

    Args:
        path: The file.
        format_name: Format and version, as in "nram-agent/1".
        header: JSON values.
        tensors: Named tensors of any shape; they may share memory.

    Raises:
        MemoryError: There is not enough to make the file's content.
        OSError: The file cannot be written.
    """
    import safetensors.torch
    import torch

    metadata = {"format": format_name, "header": json.dumps(header, sort_keys=True, allow_nan=False)}
    own = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    # Where memory runs out, safetensors ends the process: its three copies are asked for here before.
    np.empty(3 * sum(tensor.nbytes for tensor in own.values()) + _MOST_HEADER_BYTES, dtype=np.uint8)
    write_atomically(path, _in_order(safetensors.torch.save(own, metadata)))


def _in_order(content: bytes) -> bytes:
    """The same file with its header sorted: the format's library leaves the order to chance."""
    behind = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    entries = json.loads(content[_LENGTH_BYTES:behind])
    header = json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % _LENGTH_BYTES)  # the tensors stay aligned
    length = len(header).to_bytes(_LENGTH_BYTES, "little")
    return b"".join((length, header, memoryview(content)[behind:]))


def open_tensors(path: str | Path, format_name: str, header: Check, most_bytes: int) -> TensorFile:
    """Read what `save_tensors` wrote.

    Args:
        path: The file.
        format_name: Format and version that it must have.
        header: Check of its JSON header.
        most_bytes: Size that it may have.

    Raises:
        FileError: No such file, no safetensors file, damaged, of another format or version, or with a
            header that breaks its rule.
    """
    content = read_bytes(path, most_bytes)
    with reading(path):
        entries = _entries(content)
        metadata = entries.pop("__metadata__", {})
        found = metadata.get("format", "no format at all") if isinstance(metadata, dict) else metadata
        if found != format_name:
            raise ValueError(f"holds {shown(found)}; expected {format_name}")
        values = _METADATA(metadata, "metadata")["header"]
        checked = header(parse_json(values), "")
        declared = {name: _DECLARED(entry, name) for name, entry in entries.items()}
    shapes = {name: (_DTYPES[entry["dtype"]], entry["shape"]) for name, entry in declared.items()}
    return TensorFile(Path(path), checked, content, shapes)


_METADATA = record({"format": text(), "header": text(_MOST_HEADER_BYTES)})
_OFFSET = integer(0)
_DECLARED = record(
    {
        "dtype": choice(*_DTYPES),
        "shape": list_of(_OFFSET, 8),
        "data_offsets": tuple_of(_OFFSET, _OFFSET),
    }
)


def _entries(content: bytes) -> dict[str, Any]:
    """The header of the safetensors format: a length in eight bytes, then as many bytes of JSON."""
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    if not len(content) - length >= _LENGTH_BYTES or length > _MOST_HEADER_BYTES:
        raise ValueError("no complete safetensors file: its header is cut or too long")
    try:
        entries = parse_json(content[_LENGTH_BYTES : _LENGTH_BYTES + length].decode())
    except ValueError as error:
        raise ValueError(f"no complete safetensors file: its header is damaged: {error}") from error
    return record({}, others=lambda value, where: value)(entries, "the header")


def _check_declared(name: str, dtype: str, shape: tuple[int, ...], rule: TensorRule) -> None:
    if dtype not in rule.dtypes:
        raise ValueError(f"the tensor {name} holds {dtype}; must hold {' or '.join(rule.dtypes)}")
    if shape != rule.shape:
        raise ValueError(f"the tensor {name} has shape {shape}; must have shape {rule.shape}")


def _check_numbers(name: str, tensor: Tensor, rule: TensorRule) -> None:
    if not tensor.numel():
        return
    low, high = (bound.item() for bound in tensor.aminmax())
    if not (rule.low <= low and high <= rule.high):
        worst = low if not rule.low <= low else high
        raise ValueError(
            f"the tensor {name} holds {worst}; must hold finite numbers in {rule.low:g}..{rule.high:g}"
        )
