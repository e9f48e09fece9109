"""Add: two numbers of many digits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead, modulo
from nram_env.tasks.parts import array
from nram_env.tasks.spec import M, Recursive, before, i, j, n
from nram_env.tasks.terms import Number, app, choose


class Add(ArrayTask):
    """Add two numbers, digit by digit, with the carry.

    Before, with p = n + 1, and A and B the digits of two numbers to the base M, the lowest first::

        cell   0   1     ...  n        p    ...  2n       2n+1 ...
             | p | A[0] ... A[n-1] | B[0] ... B[n-1] | 0 ... 0

    So a digit is what a cell holds, and the machine's own sums are modulo the base.

    Wanted: the n digits of the sum, the lowest first, then the last carry, 0 or 1. Output cells:
    2n+1..3n+1. Smallest M: 3n + 2.
    """

    name = "x-add"
    title = "Add"
    num_registers = 8
    layout = Layout(
        (Lead("p", "the address behind A, where B begins", n + 1, n + 1),),
        arrays=(("A", "the first number"), ("B", "the second number")),
        least=0,
        room=n + 1,
    )
    spec = layout.spec(
        ghosts=(
            Recursive(
                "carry",
                first=Number(0),
                step=choose(before(j + 1) + before(j + 1 + n) + app("carry", j) >= M, 1, 0),
                last=n,
            ),
        ),
        output=(2 * n + 1, 3 * n + 2),
        want=choose(
            i <= 3 * n,
            modulo(before(i - 2 * n) + before(i - n) + app("carry", i - 2 * n - 1)),
            app("carry", n),
        ),
        horizon=4 * n + 4,
        parts=(array(2 * n + 1, 3 * n + 2, "sum", "the output"),),
    )

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """About a quarter of the digits of B let a carry through."""
        n, cells = difficulty[:, None], np.arange(memory.shape[1])
        through = (cells > n) & (cells <= 2 * n) & (rng.integers(4, size=memory.shape) == 0)
        partner = np.take_along_axis(memory, np.where(through, cells - n, 0), axis=1)
        np.copyto(memory, memory.shape[1] - 1 - partner, where=through)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """Digit by digit for all rows at once."""
        total, size, rows = memory.copy(), memory.shape[1], np.arange(len(memory))
        carry = np.zeros_like(difficulty)
        for digit in range(difficulty.max() + 1):
            real = digit < difficulty
            first, second = (
                memory[rows, np.where(real, 1 + digit + start, 0)] * real for start in (0, difficulty)
            )
            values = first + second + carry
            place = np.minimum(2 * difficulty + 1 + digit, 3 * difficulty + 1)
            total[rows, place] = np.where(digit <= difficulty, values % size, total[rows, place])
            carry = np.where(real, values // size, carry)
        return total

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's integers."""
        base, first, second = len(memory), self.layout.elements(memory, 0), self.layout.elements(memory, 1)
        rest = sum((a + b) * base**place for place, (a, b) in enumerate(zip(first, second, strict=True)))
        answer = {}
        for cell in range(2 * len(first) + 1, 3 * len(first) + 2):
            rest, answer[cell] = divmod(rest, base)
        return answer
