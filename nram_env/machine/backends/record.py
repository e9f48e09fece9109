"""What native code is handed: records with the addresses of tensors, each of which is looked at before."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Mapping
from ctypes import c_void_p
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

FLOAT, INTEGER, BOOLEAN = torch.float32, torch.int64, torch.bool
CPU = torch.device("cpu")

Sizes = Mapping[str, int]
"""What the letters in the shapes of arrays stand for."""


@dataclass(frozen=True)
class Array:
    """What native code takes the memory at an address for.

    Attributes:
        dtype: Type of its numbers.
        shape: A letter for each dimension, as in "BRM".
        optional: Whether the address may be missing.
    """

    dtype: torch.dtype
    shape: str
    optional: bool = False

    def room(self, sizes: Sizes, device: torch.device = CPU) -> Tensor:
        """A tensor like this on a device, not filled."""
        return torch.empty(*self._shape(sizes), dtype=self.dtype, device=device)

    @cached_property
    def _shape(self) -> Callable[[Sizes], tuple[int, ...]]:
        letter = self.shape[0]
        return itemgetter(*self.shape) if len(self.shape) > 1 else lambda sizes: (sizes[letter],)

    def address(
        self, name: str, tensor: Tensor | None, sizes: Sizes, device: torch.device = CPU
    ) -> int | None:
        """Where in a device's memory the numbers of a tensor of that name lie, or None if there is no tensor.

        Raises:
            ValueError: Native code cannot work on it, or it is missing.
        """
        if tensor is None and self.optional:
            return None
        if (
            tensor is not None
            and tensor.dtype is self.dtype
            and tensor.device == device
            and tensor.shape == self._shape(sizes)
            and tensor.layout is torch.strided
            and tensor.is_contiguous()
            and is_plain(tensor)
            and not tensor.is_neg()
        ):
            address = _address(tensor)
            if address or (address == 0 and tensor.numel() == 0):
                return address
        raise ValueError(self._obstacle(name, tensor, sizes, device))

    def _obstacle(self, name: str, tensor: Tensor | None, sizes: Sizes, device: torch.device) -> str:
        """Say why a tensor of that name does not fit."""
        if tensor is None:
            return f"{name} is missing"
        if tensor.dtype is not self.dtype:
            return f"{name} must be {self.dtype}, got {tensor.dtype}"
        if tensor.device != device:
            return f"{name} must be on {'the CPU' if device == CPU else device}, got {tensor.device}"
        shape, letters = self._shape(sizes), ", ".join(self.shape)
        if tensor.shape != shape:
            return f"{name} must have shape ({letters}) = {shape}, got {tuple(tensor.shape)}"
        if tensor.layout is not torch.strided:
            return f"{name} must be contiguous, got layout {tensor.layout}"
        if not tensor.is_contiguous():
            return f"{name} must be contiguous, got strides {tensor.stride()} for shape {shape}"
        return f"{name} must be a tensor with numbers in memory, got one that only stands for such"


def is_plain(tensor: Tensor) -> bool:
    """Whether a tensor is of no subclass that may change what is done with it."""
    return type(tensor) in (Tensor, torch.nn.Parameter)


def _address(tensor: Tensor) -> int | None:
    """What a tensor says of where its numbers lie: 0 for nowhere, nothing under torch.func."""
    try:
        return tensor.data_ptr()
    except RuntimeError:
        return None


def under_transform(tensor: Tensor) -> bool:
    """Whether a tensor stands for others, inside a function that torch.func transforms.

    Example:
        >>> torch.func.vmap(lambda row: row + under_transform(row))(torch.zeros(2)).tolist()
        [1.0, 1.0]
    """
    if torch.compiler.is_compiling() or tensor.layout is not torch.strided:
        return False
    return _address(tensor) is None


def compiler_obstacle() -> str | None:
    """Say that the code that runs is being traced, or None if it is not.

    Nothing is raised: torch.compile would take that for a reason to run the code as it is.
    """
    return "torch.compile cannot look into native code" if torch.compiler.is_compiling() else None


class Record(ctypes.Structure):
    """A record of a native call, some of whose fields are addresses of arrays, all on one device.

    Attributes:
        arrays: What lies at each address.
        sizes: As in `point`.
        tensors: As in `point`.
    """

    arrays: ClassVar[Mapping[str, Array]]
    sizes: Sizes
    tensors: Mapping[str, Tensor | None]

    @classmethod
    def room(cls, sizes: Sizes, names: Iterable[str], device: torch.device = CPU) -> dict[str, Tensor]:
        """Tensors, not filled, for the arrays of these names."""
        return {name: cls.arrays[name].room(sizes, device) for name in names}

    @classmethod
    def obstacle(
        cls, sizes: Sizes, tensors: Mapping[str, Tensor | None], device: torch.device = CPU
    ) -> str | None:
        """Say which of the tensors, by the names of the arrays, does not fit and why, or None if all do."""
        reason = compiler_obstacle()
        if reason is None:
            try:
                cls._addresses(sizes, tensors, device)
            except ValueError as error:
                reason = str(error)
        return reason

    def point(self, sizes: Sizes, tensors: Mapping[str, Tensor | None], device: torch.device = CPU) -> Self:
        """Write down the addresses of tensors, which live as long as the record; nothing else does that.

        Args:
            sizes: What the letters in the arrays' shapes stand for.
            tensors: By the names of the arrays; what is None or not there has no address.
            device: Where all of them are.

        Raises:
            ValueError: A tensor does not fit, or is missing.
        """
        reason = compiler_obstacle()
        if reason is not None:
            raise ValueError(reason)
        found = self._addresses(sizes, {**dict.fromkeys(self.arrays), **tensors}, device)
        self.sizes, self.tensors = sizes, tensors
        for name, address in found.items():
            setattr(self, name, address)
        return self

    @classmethod
    def _addresses(
        cls, sizes: Sizes, tensors: Mapping[str, Tensor | None], device: torch.device
    ) -> dict[str, int | None]:
        found = tensors.items()
        return {name: cls.arrays[name].address(name, tensor, sizes, device) for name, tensor in found}


def addresses(arrays: Mapping[str, Array]) -> tuple[tuple[str, Any], ...]:
    """Fields of a record for the addresses of arrays."""
    return tuple((name, c_void_p) for name in arrays)
