"""Compiled kernels on the disk: a file for all that one was made from, with a checksum of its content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from nram_env.support import write_atomically


def folder() -> Path:
    """Where they are kept: $XDG_CACHE_HOME/nram/kernels, by default ~/.cache/nram/kernels."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nram" / "kernels"


def fetch(name: str) -> bytes | None:
    """What was kept under a name; None if nothing was, or it is damaged."""
    try:
        content = (folder() / name).read_bytes()
    except (OSError, RuntimeError):  # there may be no home
        return None
    checksum, binary = content[:_LENGTH], content[_LENGTH:]
    return binary if checksum == hashlib.sha256(binary).digest() else None


def keep(name: str, binary: bytes) -> None:
    """Keep something under a name, if the folder can be written."""
    try:
        write_atomically(folder() / name, hashlib.sha256(binary).digest() + binary)
    except (OSError, RuntimeError):
        return


_LENGTH = hashlib.sha256().digest_size
