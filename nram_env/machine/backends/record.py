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

    def room(self, sizes: Sizes) -> Tensor:
        """A tensor like this, not filled."""
        return torch.empty(self._shape(sizes), dtype=self.dtype, device=_CPU)

    @cached_property
    def _shape(self) -> Callable[[Sizes], tuple[int, ...]]:
        letter = self.shape[0]
        return itemgetter(*self.shape) if len(self.shape) > 1 else lambda sizes: (sizes[letter],)

    def fits(self, tensor: Tensor | None, sizes: Sizes) -> bool:
        """Whether native code can work on a tensor."""
        if tensor is None:
            return self.optional
        return (
            tensor.dtype is self.dtype
            and tensor.is_cpu
            and tensor.shape == self._shape(sizes)
            and tensor.layout is torch.strided
            and tensor.is_contiguous()
            and _has_memory(tensor)
        )

    def obstacle(self, name: str, tensor: Tensor | None, sizes: Sizes) -> str:
        """Say why a tensor of that name does not fit."""
        if tensor is None:
            return f"{name} is missing"
        if tensor.dtype is not self.dtype:
            return f"{name} must be {self.dtype}, got {tensor.dtype}"
        if not tensor.is_cpu:
            return f"{name} must be on the CPU, got {tensor.device}"
        shape, letters = self._shape(sizes), ", ".join(self.shape)
        if tensor.shape != shape:
            return f"{name} must have shape ({letters}) = {shape}, got {tuple(tensor.shape)}"
        if tensor.layout is not torch.strided:
            return f"{name} must be contiguous, got layout {tensor.layout}"
        if not tensor.is_contiguous():
            return f"{name} must be contiguous, got strides {tensor.stride()} for shape {shape}"
        return f"{name} must be a tensor with numbers in memory, got one that only stands for such"


_PLAIN = (Tensor, torch.nn.Parameter)
_CPU = torch.device("cpu")


def _has_memory(tensor: Tensor) -> bool:
    """Whether its numbers lie in memory; under torch.func and behind most subclasses there are none."""
    if type(tensor) not in _PLAIN or tensor.is_neg() or under_transform(tensor):
        return False
    return tensor.data_ptr() != 0 or tensor.numel() == 0


def under_transform(tensor: Tensor) -> bool:
    """Whether a tensor stands for others, inside a function that torch.func transforms.

    Example:
        >>> torch.func.vmap(lambda row: row + under_transform(row))(torch.zeros(2)).tolist()
        [1.0, 1.0]
    """
    if torch.compiler.is_compiling() or tensor.layout is not torch.strided:
        return False
    try:
        tensor.data_ptr()
    except RuntimeError:
        return True
    return False


class Record(ctypes.Structure):
    """A record of a native call, some of whose fields are addresses of arrays.

    Attributes:
        arrays: What lies at each address.
    """

    arrays: ClassVar[Mapping[str, Array]]

    @classmethod
    def room(cls, sizes: Sizes, names: Iterable[str]) -> dict[str, Tensor]:
        """Tensors, not filled, for the arrays of these names."""
        return {name: cls.arrays[name].room(sizes) for name in names}

    @classmethod
    def obstacle(cls, sizes: Sizes, tensors: Mapping[str, Tensor | None]) -> str | None:
        """Say which of the tensors, by the names of the arrays, does not fit and why, or None if all do."""
        if torch.compiler.is_compiling():
            return "torch.compile cannot look into native code"
        for name, tensor in tensors.items():
            if not cls.arrays[name].fits(tensor, sizes):
                return cls.arrays[name].obstacle(name, tensor, sizes)
        return None

    def point(self, sizes: Sizes, tensors: Mapping[str, Tensor | None]) -> Self:
        """Write down the addresses of tensors, which live as long as the record; nothing else does that.

        Args:
            sizes: What the letters in the arrays' shapes stand for.
            tensors: By the names of the arrays; what is None or not there has no address.

        Raises:
            ValueError: A tensor does not fit, or is missing.
        """
        reason = self.obstacle(sizes, {**dict.fromkeys(self.arrays), **tensors})
        if reason is not None:
            raise ValueError(reason)
        self.tensors = tensors
        for name, tensor in tensors.items():
            setattr(self, name, None if tensor is None else tensor.data_ptr())
        return self


def addresses(arrays: Mapping[str, Array]) -> tuple[tuple[str, Any], ...]:
    """Fields of a record for the addresses of arrays."""
    return tuple((name, c_void_p) for name in arrays)
