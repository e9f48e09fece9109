"""Kernels on the CPU: the source that a card runs, built by a C++ compiler, every thread a fiber (fibers.h).

Wrong on a card, so an error here: a misaligned load of a vector, an access outside the shared memory that
was asked for or an array, threads that wait for different things. Shared memory that was never written
is not a number, and which thread goes on is drawn, so that results that depend on it differ between seeds.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from filelock import FileLock

from nram_env.machine.backends.cuda.sources import PLATFORM, files

HERE = Path(__file__).parent
COMPILER = shutil.which(os.environ.get("CXX", "g++"))
SHARED_MEMORY = 227 * 1024
"""Of a block at most, in bytes, as on an H100; fibers.h holds launches to it."""

FLAGS = ("-std=c++17", "-O0", "-fPIC", "-fvisibility=hidden", "-fno-math-errno", "-DON_CPU")
CHECKS = ("-fsanitize=alignment,bounds", "-ftrivial-auto-var-init=pattern")
QUIET = ("-U_FORTIFY_SOURCE", "-Wno-unknown-pragmas")  # which knows no fibers; `#pragma unroll`
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")  # then accesses outside of tensors are seen, too
OUTSIDE = ("-fsanitize=address", "--param=asan-stack=0", "--param=asan-globals=0") if SANITIZED else ()


class EmulationError(RuntimeError):
    """A kernel did what is wrong on a card."""


class Emulated:
    """Kernels of one source, as `nram_env.machine.backends.cuda.kernels.Kernels`."""

    def __init__(self, library: Path, seed: int) -> None:
        self._library, self._seed = ctypes.CDLL(str(library)), seed

    def launch(
        self, function: str, blocks: int, threads: int, shared_bytes: int, record: ctypes.Structure
    ) -> None:
        """Run all blocks; raises EmulationError with what went wrong."""
        call = getattr(self._library, f"emulate_{function}")
        call.restype = ctypes.c_char_p
        wrong = call(ctypes.byref(record), blocks, threads, shared_bytes, ctypes.c_uint(self._seed))
        if wrong is not None:
            raise EmulationError(f"{function}: {wrong.decode()}")


def emulated(source: Path, defines: Mapping[str, int | str], seed: int = 0) -> Emulated:
    """Kernels of a source on the CPU.

    Args:
        source: A .cu file.
        defines: What it is specialised on.
        seed: Draws the order of threads and blocks.
    """
    return Emulated(_built(source, tuple(f"-D{name}={value}" for name, value in defines.items())), seed)


@cache
def _built(source: Path, defines: tuple[str, ...]) -> Path:
    folders = (PLATFORM, HERE)
    options = [
        *FLAGS,
        *CHECKS,
        *QUIET,
        *OUTSIDE,
        *(f"-I{folder}" for folder in (source.parent, *folders)),
        *defines,
    ]
    content = [_version(), *options, *(file.read_text() for file in files(source, folders).values())]
    digest = hashlib.sha256("\0".join(content).encode()).hexdigest()[:32]
    target = _folder() / f"{source.stem}-{digest}.so"
    with FileLock(f"{target}.lock"):
        if not target.exists():
            _compile(source, options, target)
    return target


def _compile(source: Path, options: list[str], target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        object_file, library = Path(folder) / "kernels.o", Path(folder) / "kernels.so"
        _call(*options, "-c", "-x", "c++", str(source), "-o", str(object_file))
        _call("-shared", str(object_file), "-o", str(library))  # apart: the checks' own library is not wanted
        library.rename(target)


def _call(*arguments: str) -> None:
    result = subprocess.run([str(COMPILER), *arguments], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[:4000]


@cache
def _version() -> str:
    assert COMPILER is not None, "needs a C++ compiler"
    return subprocess.run([COMPILER, "--version"], capture_output=True, text=True, check=True).stdout


@cache
def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"nram-emulated-kernels-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.stat().st_uid == os.getuid(), f"{folder} belongs to somebody else"
    return folder
