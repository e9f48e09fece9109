"""Files as JSON values and back, so that their values can be broken one by one."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

Tree = dict[str, Any]


def pack_lines(lines: Any) -> bytes:
    lines = lines if isinstance(lines, list) else [lines]
    return "".join(json.dumps(line) + "\n" for line in lines).encode("utf-8", "surrogatepass")


def unpack_lines(content: bytes) -> Any:
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def unpack_tensors(content: bytes) -> Tree:
    """A safetensors file as its own header within and the tensors by name, with their bytes as text."""
    behind = 8 + int.from_bytes(content[:8], "little")
    entries = json.loads(content[8:behind])
    metadata = entries.pop("__metadata__")
    for entry in entries.values():
        start, end = entry.pop("data_offsets")
        entry["data"] = content[behind:][start:end].hex()
    header = {"imports": [], **json.loads(metadata["header"])}
    return {"format": metadata["format"], "header": header, "tensors": entries}


def pack_tensors(tree: Any) -> bytes:
    """The inverse; what has lost its form becomes a file that has as well."""
    if not isinstance(tree, dict) or not isinstance(tree.get("tensors"), dict):
        return json.dumps(tree).encode()
    metadata = {"format": tree.get("format"), "header": json.dumps(tree.get("header"))}
    entries: Tree = {"__metadata__": metadata}
    data = b""
    for name, entry in tree["tensors"].items():
        entries[name] = entry
        if isinstance(entry, dict) and isinstance(entry.get("data"), str) and _is_hex(entry["data"]):
            part = bytes.fromhex(entry["data"])
            rest = {key: value for key, value in entry.items() if key != "data"}
            entries[name] = {**rest, "data_offsets": [len(data), len(data) + len(part)]}
            data += part
    head = json.dumps(entries).encode("utf-8", "surrogatepass")
    return len(head).to_bytes(8, "little") + head + data


def _is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and all(letter in "0123456789abcdef" for letter in text)


def unpack_arrays(content: bytes) -> Tree:
    """A recording as its header and nested lists."""
    with np.load(io.BytesIO(content)) as stored:
        arrays = {name: stored[name].tolist() for name in stored.files if name != "header"}
        return {"header": json.loads(str(stored["header"])), **arrays}


_KINDS_OF_NUMBERS = {"choices": np.uint16, "halts": np.bool_, "margins": np.float64}


def pack_arrays(tree: Any) -> bytes:
    """The inverse; lists of unequal length become texts."""
    buffer, tree = io.BytesIO(), tree if isinstance(tree, dict) else {"header": tree}
    arrays = {name: _array(name, value) for name, value in tree.items()}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _array(name: str, value: Any) -> np.ndarray:
    if name == "header":
        return np.array(json.dumps(value))
    try:
        return np.array(value, dtype=_KINDS_OF_NUMBERS.get(name, np.int64))
    except (ValueError, TypeError, OverflowError):
        return np.array(str(value)[:1000])
