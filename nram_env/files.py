"""Reading files: one checked way in for whatever somebody else, or a crash, may have written.

Only regular files of a bounded size are read, JSON of a bounded depth without repeated names and without
numbers that are not finite. What a field may hold is said with `nram_env.checks`.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from nram_env.checks import Check, is_plain_text, shown

MOST_BYTES = 1 << 24
"""Size of a file of text, 16 MiB."""

DEEPEST = 32
"""Levels of lists and objects within each other."""

MOST_DIGITS = 50
"""Digits of an integer."""


class FileError(ValueError):
    """A file that cannot be used; the message names it and says what is wrong where."""


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn what goes wrong inside, by a value or by the system, into a FileError that names the file."""
    try:
        yield
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"there is no file {_name(path)}") from error
    except OSError as error:
        raise FileError(f"{_name(path)}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise FileError(f"{_name(path)}: {error}") from error


def read_bytes(path: str | Path, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file; folders, pipes and devices are refused without waiting for them.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        FileError: It is missing, cannot be read, is no regular file, or is larger.
    """
    with reading(path), open(path, "rb", opener=_open_at_once) as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("not a regular file")
        content = b"" if found.st_size > most else stream.read(most + 1)
        if max(found.st_size, len(content)) > most:
            raise ValueError(f"larger than {most:,} bytes")
        return content


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting, as for whoever writes to a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_text(path: str | Path, most: int = MOST_BYTES) -> str:
    """The content of a file of text in UTF-8.

    Raises:
        FileError: As for `read_bytes`, or it is no such text.
    """
    content = read_bytes(path, most)
    with reading(path):
        return content.decode()


def read_json(path: str | Path, check: Check, most: int = MOST_BYTES) -> Any:
    """What a JSON file holds, checked.

    Args:
        path: The file.
        check: What it may hold.
        most: Bytes that it may have.

    Raises:
        FileError: As for `read_text`, no JSON, or a field that breaks its rule; the message names the field.
    """
    content = read_text(path, most)
    with reading(path):
        return check(parse_json(content), "")


def read_json_lines(path: str | Path, check: Check, most: int = MOST_BYTES) -> list[Any]:
    """What a file of JSON lines holds, each line checked; arguments and errors as for `read_json`.

    A last line without its end is still being written, or was cut by a kill, and does not count.
    """
    found = []
    for number, line in enumerate(read_text(path, most).split("\n")[:-1], start=1):
        with reading(f"{path}, line {number}"):
            found.append(check(parse_json(line), ""))
    return found


def parse_json(content: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: It is no JSON, is nested too deeply, repeats a name in an object, or holds a number
            that is not finite or far too long.

    Example:
        >>> parse_json('{"a": 1, "a": 2}')
        Traceback (most recent call last):
        ValueError: the name 'a' occurs twice in one object
    """
    _check_depth(content)
    try:
        return json.loads(
            content,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error


_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def _check_depth(content: str) -> None:
    depth = 0
    for bracket in re.findall(r"[\[{\]}]", _STRING.sub("", content)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            raise ValueError(f"lists and objects are nested more than {DEEPEST} deep")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ValueError(f"the name {shown(name)} occurs twice in one object")
        values[name] = value
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no finite number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        _refuse_constant(digits[:MOST_DIGITS])
    return value


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"an integer of {len(digits)} digits is too long; {MOST_DIGITS} are not")
    return int(digits)


def _name(path: str | Path) -> str:
    """A path in an error: as it is, or with escapes where it would steer a terminal."""
    return str(path) if is_plain_text(str(path)) else repr(str(path))
