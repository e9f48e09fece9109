"""Many machines in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isqrt

import numpy as np

from nram_env.envs.frame import Frame
from nram_env.envs.picture import PICTURE_HEIGHT, WIDTH, draw_picture

_LINE = (110, 110, 110)


def draw_grid(frames: Sequence[Frame]) -> np.ndarray:
    """Draw machines side by side, from left to right and then down, each with its number.

    Args:
        frames: B machines.

    Returns:
        (240 rows, 320 columns, 3) uint8: as many columns as rows, or one more; what is left over is white.
    """
    columns = isqrt(len(frames) - 1) + 1
    rows = ceil(len(frames) / columns)
    grid = np.full((rows, columns, PICTURE_HEIGHT, WIDTH, 3), 255, dtype=np.uint8)
    for number, frame in enumerate(frames):
        tile = grid[divmod(number, columns)]
        tile[:] = draw_picture(frame, scale=1, caption=f"ROW {number}")
        tile[-1], tile[:, -1] = _LINE, _LINE
    return grid.swapaxes(1, 2).reshape(rows * PICTURE_HEIGHT, columns * WIDTH, 3)
