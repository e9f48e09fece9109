"""Small things that all three packages share: error texts, warnings and safe file writing."""

from __future__ import annotations

import difflib
import hashlib
import logging
import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from nram_env.checks import shown


def unknown_name(kind: str, name: object, valid: Iterable[str]) -> ValueError:
    """Build the error for a name that is not in a table.

    Args:
        kind: What the name stands for, as in "task" or "gate".
        name: What was passed.
        valid: The names that would have been accepted.

    Returns:
        A ValueError that restates the name, offers the nearest valid one and lists all of them.

    Example:
        >>> str(unknown_name("task", "copyy", ["access", "copy"]))
        "unknown task 'copyy'; did you mean 'copy'? Valid: access, copy"
    """
    return ValueError(f"unknown {kind} {shown(name)}{_nearest(name, valid)}")


def unexpected_keyword(owner: str, name: str, valid: Iterable[str]) -> TypeError:
    """Build Python's own error for a keyword that a function does not have, with the nearest that it has.

    Example:
        >>> str(unexpected_keyword("Settings()", "horison", ["horizon"]))
        "Settings() got an unexpected keyword argument 'horison'; did you mean 'horizon'? Valid: horizon"
    """
    return TypeError(f"{owner} got an unexpected keyword argument {name!r}{_nearest(name, valid)}")


def _nearest(name: object, valid: Iterable[str]) -> str:
    names = list(valid)
    by_key = {_key(candidate): candidate for candidate in names}
    near = difflib.get_close_matches(_key(name), by_key, n=1, cutoff=0.5)
    hint = f"; did you mean {by_key[near[0]]!r}?" if near else ";"
    return f"{hint} Valid: {', '.join(names)}"


def _key(name: object) -> str:
    return str(name)[:200].lower().replace("_", "-")


@cache
def warn_once(message: str) -> None:
    """Log a warning the first time that it is given."""
    logging.getLogger("nram_env").warning(message)


def lazy_name(package: str, module_of: Mapping[str, str], name: str) -> Any:
    """What a package's `__getattr__` gives: a name that is loaded when it is first used.

    Args:
        package: The package's `__name__`.
        module_of: For every such name its module, relative to the package; "" where the name is the module.
        name: The name that was asked for.

    Raises:
        AttributeError: There is no such name.

    Example:
        >>> lazy_name("nram_env", {"MachineConfig": "machine.config"}, "MachineConfig").__name__
        'MachineConfig'
    """
    if name not in module_of:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    module = module_of[name]
    found = import_module(f"{package}.{module}" if module else f"{package}.{name}")
    value = getattr(found, name) if module else found
    setattr(sys.modules[package], name, value)
    return value


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part.

    Writes to a temporary file in the same folder, flushes it to the disk and renames it. A failure
    leaves the old file as it was and no temporary file behind.

    Args:
        path: Where the content goes; missing parent folders are made.
        content: Text (written as UTF-8) or bytes.

    Raises:
        OSError: The disk is full or the place cannot be written; the message names the path.
    """
    target = Path(path)
    data = content.encode() if isinstance(content, str) else content
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / _temporary_name(secrets.token_hex(8))
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        raise type(error)(error.errno, f"cannot write {target}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def make_durable(folder: Path, root: Path) -> None:
    """Flush every file below a folder to the disk, and the names of all from there up to another folder.

    Args:
        folder: What is to outlast a crash of the computer.
        root: A folder above it that is known to.

    Raises:
        OSError: The disk is full or broken.
    """
    below = [folder, *sorted(folder.rglob("*"))]
    above = folder.parents[: folder.parents.index(root) + 1]
    for path in [*reversed(below), *above]:
        if path.is_file() or (path.is_dir() and os.name == "posix"):  # elsewhere folders cannot be flushed
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def sweep(folder: Path) -> None:
    """Delete what kills in the middle of `write_atomically` left in a folder in which nobody writes now.

    The name of such a file carries its own digest, so that no other file is taken for one.
    """
    for file in folder.glob(".nram-*.tmp"):
        if file.name == _temporary_name(file.name.split("-")[1]) and not file.is_symlink():
            file.unlink(missing_ok=True)


def _temporary_name(token: str) -> str:
    digest = hashlib.sha256(f"temporary file of nram {token}".encode()).hexdigest()[:16]
    return f".nram-{token}-{digest}.tmp"
