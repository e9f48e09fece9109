"""NVRTC, NVIDIA's compiler as a library: found where torch or a wheel of it is installed; needs no card."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from ctypes import byref, c_char_p, c_int, c_size_t, c_void_p
from functools import cache
from pathlib import Path

import torch

from nram_env.machine.backends.cuda.error import KernelError

VERSIONS = (13, 12)
"""Major versions that are looked for, the first first."""


class Compiler:
    """An NVRTC that was found.

    Attributes:
        version: Major and minor.
        architectures: What it compiles for, as in 90 for compute capability 9.0.
    """

    def __init__(self, library: ctypes.CDLL) -> None:
        library.nvrtcGetErrorString.restype = c_char_p
        self._library = library
        major, minor, count = c_int(), c_int(), c_int()
        self._check(library.nvrtcVersion(byref(major), byref(minor)))
        self._check(library.nvrtcGetNumSupportedArchs(byref(count)))
        known = (c_int * count.value)()
        self._check(library.nvrtcGetSupportedArchs(known))
        self.version = (major.value, minor.value)
        self.architectures = tuple(known)

    def obstacle(self, architecture: int) -> str | None:
        """Say that it cannot compile for a card of this architecture, or None if it can."""
        if architecture in self.architectures:
            return None
        number = ".".join(map(str, self.version))
        return (
            f"NVRTC {number} does not know this card's architecture, sm_{architecture}, but "
            f"{', '.join(map(str, self.architectures))}; "
            + (
                "install a newer one: pip install --upgrade nvidia-cuda-nvrtc"
                if architecture > max(self.architectures)
                else "the card is too old for it"
            )
        )

    def compile(self, name: str, texts: Mapping[str, str], options: Sequence[str]) -> tuple[bytes, str]:
        """Compile a source to machine code of one architecture; gives that, and the log.

        Args:
            name: Of the source.
            texts: The source and what it includes, by name.
            options: Of the command line; one is --gpu-architecture=sm_XX.

        Raises:
            KernelError: There are errors in the source, or the options; has the log.
        """
        program = self._program(name, texts)
        try:
            self._let_stop(program)
            status = self._library.nvrtcCompileProgram(program, len(options), _strings(options))
            log = self._text(program, "ProgramLog").decode(errors="replace").rstrip("\0").strip()
            if status:
                raise KernelError(f"{name} does not compile ({self._words(status)}):\n{log}")
            return self._text(program, "CUBIN"), log
        finally:
            self._library.nvrtcDestroyProgram(byref(program))

    def _program(self, name: str, texts: Mapping[str, str]) -> c_void_p:
        program, main = c_void_p(), texts[name].encode()
        headers = _strings(list(texts.values())), _strings(list(texts))
        create = self._library.nvrtcCreateProgram
        self._check(create(byref(program), main, name.encode(), len(texts), *headers))
        return program

    def _let_stop(self, program: c_void_p) -> None:
        """Make the compiler ask often whether to stop; versions before 12.8 do not."""
        if hasattr(self._library, "nvrtcSetFlowCallback"):
            self._check(self._library.nvrtcSetFlowCallback(program, _read_number(), _STOP))

    def _text(self, program: c_void_p, what: str) -> bytes:
        size = c_size_t()
        self._check(getattr(self._library, f"nvrtcGet{what}Size")(program, byref(size)))
        room = ctypes.create_string_buffer(size.value)
        self._check(getattr(self._library, f"nvrtcGet{what}")(program, room))
        return room.raw

    def _words(self, status: int) -> str:
        return self._library.nvrtcGetErrorString(status).decode()

    def _check(self, status: int) -> None:
        if status:
            raise KernelError(f"NVRTC failed: {self._words(status)}")


@cache
def load() -> Compiler | None:
    """The first NVRTC that can be used, or None."""
    built_for = torch.version.cuda
    for name in candidates(None if built_for is None else int(built_for.partition(".")[0])):
        try:
            return Compiler(_open(name))
        except (OSError, AttributeError):  # not there, or from before these functions
            continue
    return None


def candidates(preferred: int | None) -> Iterator[str]:
    """Files and names under which NVRTC may be found, the best first.

    Args:
        preferred: Major version that is taken if it is there: that for which torch was built.
    """
    for version in sorted(VERSIONS, key=lambda version: version != preferred):
        for folder in _folders():
            yield from map(str, sorted(folder.glob(f"*/lib/libnvrtc.so.{version}")))
        yield f"libnvrtc.so.{version}"


def _folders() -> list[Path]:
    """Where the wheels of NVIDIA's libraries are installed."""
    found = importlib.util.find_spec("nvidia")
    return [] if found is None else [Path(folder) for folder in found.submodule_search_locations or ()]


def _open(name: str) -> ctypes.CDLL:
    """Load NVRTC, before it from the same folder what it looks for by name."""
    if "/" in name:
        for builtins in Path(name).parent.glob("libnvrtc-builtins.so.*"):
            ctypes.CDLL(str(builtins))
    return ctypes.CDLL(name)


def _strings(values: Sequence[str]) -> ctypes.Array[c_char_p]:
    return (c_char_p * len(values))(*(value.encode() for value in values))


_STOP = ctypes.create_string_buffer(b"0")
"""What compilers ask whether to stop: the number 1 or 0, as text."""


def _read_number() -> c_void_p:
    """They ask by the C library's function for that, which need not wait for Python."""
    return ctypes.cast(ctypes.CDLL(None).atoi, c_void_p)


def stop() -> None:
    """Make all that is being compiled fail soon, and for good: the process is about to end."""
    _STOP.value = b"1"
