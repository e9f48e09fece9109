"""The driver of NVIDIA's cards: loads compiled kernels and starts them on torch's current stream."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_int, c_uint, c_void_p
from functools import cache

import torch

from nram_env.machine.backends.cuda.error import KernelError

LIBRARY = "libcuda.so.1"


@cache
def load() -> ctypes.CDLL | None:
    """The driver's library, or None where no driver is installed."""
    try:
        return ctypes.CDLL(LIBRARY)
    except OSError:
        return None


def shared_memory(device: torch.device) -> int:
    """How many bytes of shared memory a block can have on a card, which has an index."""
    driver, number, bytes_of_block = _driver(), c_int(), c_int()
    with current(device):
        _check(driver.cuDeviceGet(byref(number), c_int(device.index)), f"the driver does not know {device}")
        status = driver.cuDeviceGetAttribute(byref(bytes_of_block), c_int(_MOST_SHARED), number)
    _check(status, f"the driver does not know the shared memory of {device}")
    return bytes_of_block.value


class Loaded:
    """The kernels of one binary on one card; see `kernels.Kernels`.

    Args:
        binary: What the compiler made for this card's architecture.
        device: A card, with its index.

    Raises:
        KernelError: The driver refuses the binary.
    """

    def __init__(self, binary: bytes, device: torch.device) -> None:
        self._driver, self._device, self._module = _driver(), device, c_void_p()
        self._functions: dict[str, c_void_p] = {}
        self._shared: dict[str, int] = {}
        with current(device):
            status = self._driver.cuModuleLoadData(byref(self._module), binary)
        _check(status, f"{device} does not load kernels")

    def launch(
        self, function: str, blocks: int, threads: int, shared_bytes: int, record: ctypes.Structure
    ) -> None:
        """Start a kernel; what it writes is there for what is started later on the same stream.

        Raises:
            KernelError: There is no such kernel, or the card has too little shared memory, or fails.
        """
        arguments = (c_void_p * 1)(ctypes.addressof(record))
        shape = (c_uint(blocks), c_uint(1), c_uint(1), c_uint(threads), c_uint(1), c_uint(1))
        with current(self._device) as stream:
            handle = self._function(function, shared_bytes)
            status = self._driver.cuLaunchKernel(
                handle, *shape, c_uint(shared_bytes), c_void_p(stream), arguments, None
            )
        _check(status, f"{self._device} does not start {function} in {blocks} blocks of {threads} threads")

    def _function(self, name: str, shared_bytes: int) -> c_void_p:
        """Handle of a kernel that may have so much shared memory."""
        if name not in self._functions:
            handle = c_void_p()
            status = self._driver.cuModuleGetFunction(byref(handle), self._module, name.encode())
            _check(status, f"there is no kernel {name}")
            self._functions[name], self._shared[name] = handle, 0
        if shared_bytes > self._shared[name]:
            self._allow(name, shared_bytes)
        return self._functions[name]

    def _allow(self, name: str, shared_bytes: int) -> None:
        handle = self._functions[name]
        status = self._driver.cuFuncSetAttribute(handle, c_int(_MOST_DYNAMIC_SHARED), c_int(shared_bytes))
        _check(status, f"{name} wants {shared_bytes} bytes of shared memory, more than {self._device} has")
        self._shared[name] = shared_bytes


@contextmanager
def current(device: torch.device) -> Iterator[int]:
    """Make a card the one that the driver works on in this thread; gives torch's current stream there."""
    with torch.cuda.device(device):
        cards = vars(_THREAD).setdefault("cards", set())
        if (
            device not in cards
        ):  # the driver has no context in a thread, as autograd's, before torch works there
            torch.zeros(1, dtype=torch.float32, device=device)
            cards.add(device)
        yield torch.cuda.current_stream().cuda_stream


_THREAD = threading.local()


def _driver() -> ctypes.CDLL:
    found = load()
    if found is None:
        raise KernelError(f"the driver's library {LIBRARY} was not found; install NVIDIA's driver")
    return found


def _check(status: int, what: str) -> None:
    if status:
        words, advice = c_char_p(), _ADVICE.get(status)
        _driver().cuGetErrorString(c_int(status), byref(words))
        reason = (words.value or b"unknown error").decode()
        raise KernelError(f"{what}: {reason} (CUDA error {status})" + (f"; {advice}" if advice else ""))


_MOST_DYNAMIC_SHARED = 8  # CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
_MOST_SHARED = 97  # CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
_NEWER_DRIVER = "the driver is older than the compiler; install a newer one"
_EARLIER = "an earlier kernel failed, and the process has to be started anew"
_ADVICE = {
    1: "take a smaller memory, fewer registers or fewer examples",
    2: "the card's memory is full; take fewer members or examples",
    200: _NEWER_DRIVER,
    209: _NEWER_DRIVER,
    222: _NEWER_DRIVER,
    701: "the card does not have that many registers or threads; take fewer examples",
    700: _EARLIER,
    716: _EARLIER,
    719: _EARLIER,
}
