"""Kernels for NVIDIA cards: compiled from their sources when they are first needed, or ahead of that.

A kernel is specialised by defines. What was compiled is kept in memory and on the disk, by everything that it
was made from; a damaged file is made anew.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import torch

from nram_env.machine.backends.cuda import compiler, disk, driver, sources
from nram_env.machine.backends.cuda.builds import Builds
from nram_env.machine.backends.cuda.error import KernelError

Defines = Mapping[str, int | str]
"""What a source is specialised on: names and values for the preprocessor."""


class Kernels(Protocol):
    """The kernels of one source."""

    def launch(
        self, function: str, blocks: int, threads: int, shared_bytes: int, record: ctypes.Structure
    ) -> None:
        """Start one on the current stream.

        Args:
            function: Its name in the source.
            blocks: How many blocks.
            threads: Of every block.
            shared_bytes: Shared memory of every block.
            record: What it takes, by value; addresses in it are of tensors of this card.
        """


def obstacle(device: torch.device) -> str | None:
    """Say why no kernels can run on a device, or None if they can."""
    if device.type != "cuda":
        return f"kernels run on NVIDIA cards, not on {device}"
    if torch.version.cuda is None:
        return "this torch was built without CUDA; install one with it"
    if not torch.cuda.is_available():
        return "torch finds no card; is NVIDIA's driver installed, and CUDA_VISIBLE_DEVICES right?"
    count = torch.cuda.device_count()
    if device.index is not None and device.index >= count:
        return f"there is no {device}; torch finds {count} card(s), from cuda:0"
    return _compiler_obstacle(_architecture(_card(device)))


def shared_memory(device: torch.device) -> int:
    """How many bytes of shared memory a block can have on a card, on which there is no obstacle."""
    return driver.shared_memory(_card(device))


def build(source: Path, defines: Defines, device: torch.device) -> Kernels:
    """The kernels of a source on a card; compiles them, or waits for that, unless it was done before.

    Args:
        source: A .cu file.
        defines: What it is specialised on.
        device: A card.

    Raises:
        KernelError: There is an obstacle, or they do not compile or load.
    """
    reason = obstacle(device)
    if reason is not None:
        raise KernelError(reason)
    card = _card(device)
    return _loaded(_Order.of(source, defines, _architecture(card)), card)


def ahead(source: Path, variants: Iterable[Defines], device: torch.device) -> None:
    """Begin to compile kernels that will be asked for, in the background; does nothing where none can run.

    Args:
        source: A .cu file.
        variants: What it will be specialised on, what is needed first being first.
        device: A card.
    """
    if obstacle(device) is None:
        architecture = _architecture(_card(device))
        _builds.ahead(_Order.of(source, defines, architecture) for defines in variants)


def binary(source: Path, defines: Defines, architecture: int) -> bytes:
    """Machine code of a source, from the disk or compiled; needs no card.

    Args:
        source: A .cu file.
        defines: What it is specialised on.
        architecture: As in 90 for compute capability 9.0.

    Raises:
        KernelError: NVRTC is missing, or does not know the architecture, or finds errors.
    """
    reason, found = _compiler_obstacle(architecture), compiler.load()
    if found is None or reason is not None:
        raise KernelError(reason)
    texts, flags = sources.texts(source), options(defines, architecture)
    made_from = json.dumps([found.version, flags, texts])
    name = f"{source.stem}-{hashlib.sha256(made_from.encode()).hexdigest()}.cubin"
    kept = disk.fetch(name)
    if kept is None:
        kept, _ = found.compile(source.name, texts, flags)
        disk.keep(name, kept)
    return kept


def options(defines: Defines, architecture: int) -> list[str]:
    """What the compiler is told besides the source."""
    told = [f"--gpu-architecture=sm_{architecture}", "--std=c++17", "--device-as-default-execution-space"]
    return told + [f"-D{name}={value}" for name, value in sorted(defines.items())]


@dataclass(frozen=True)
class _Order:
    """What is to be compiled."""

    source: Path
    defines: tuple[tuple[str, int | str], ...]
    architecture: int

    @classmethod
    def of(cls, source: Path, defines: Defines, architecture: int) -> _Order:
        return cls(source, tuple(sorted(defines.items())), architecture)


_builds: Builds[_Order, bytes] = Builds(
    lambda order: binary(order.source, dict(order.defines), order.architecture),
    threads=min(8, os.cpu_count() or 1),
)


@atexit.register
def _stop() -> None:
    """A compiler that still worked when its library is taken down would crash."""
    compiler.stop()
    _builds.close()


@cache
def _loaded(order: _Order, card: torch.device) -> driver.Loaded:
    return driver.Loaded(_builds.get(order), card)


def _compiler_obstacle(architecture: int) -> str | None:
    found = compiler.load()
    if found is None:
        return "no NVRTC was found; install it: pip install nvidia-cuda-nvrtc"
    return found.obstacle(architecture)


def _card(device: torch.device) -> torch.device:
    """The device with its index."""
    return device if device.index is not None else torch.device("cuda", torch.cuda.current_device())


def _architecture(card: torch.device) -> int:
    major, minor = torch.cuda.get_device_capability(card)
    return 10 * major + minor
