"""A location as templates of invariants see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.proofs.rows import Rows
from analysis.proofs.setting import Setting
from nram_env.tasks.spec import M
from nram_env.tasks.terms import Number, Term, Variable

_OFFSETS = (-2, -1, 0, 1, 2)


@dataclass(frozen=True)
class View:
    """A location through the eyes of templates.

    Attributes:
        setting: Program, task and knobs.
        rows: Situations that were met there.
        bits: Registers that hold nothing but 0 and 1 anywhere.
        ends: Terms that bound t.
    """

    setting: Setting
    rows: Rows
    bits: frozenset[Variable]
    ends: tuple[Term, ...] = ()

    @property
    def numbers(self) -> tuple[Variable, ...]:
        """Registers that hold more than bits."""
        return tuple(register for register in self.setting.registers if register not in self.bits)

    @cached_property
    def bases(self) -> tuple[Term, ...]:
        """Terms that differences and indices are built from."""
        setting = self.setting
        known = (
            *setting.counters,
            *self.numbers,
            *setting.params,
            M,
            *setting.spec.cuts,
            *self.ends,
        )
        return tuple(dict.fromkeys((Number(0), *known)))

    @cached_property
    def indices(self) -> tuple[Term, ...]:
        """Terms to read functions at, one for each column of values."""
        setting, found = self.setting, dict[bytes, Term]()
        near = [base + offset for offset in _OFFSETS for base in self.bases]
        moving = [*self.numbers, *setting.counters]
        fixed = [*setting.params, *setting.spec.cuts]
        apart = [
            term + offset
            for variable in moving
            for bound in fixed
            for offset in (*_OFFSETS, 3)
            for term in (bound - variable, variable - bound)
        ]
        for term in sorted(near, key=_size) + apart:
            values = self.rows.value(term)
            if values.max() >= 0:
                found.setdefault(values.tobytes(), term)
        return tuple(found.values())

    @cached_property
    def index_values(self) -> np.ndarray:
        """(I, B) of the indices."""
        return np.stack([self.rows.value(term) for term in self.indices])


def _size(term: Term) -> int:
    return len(repr(term))
