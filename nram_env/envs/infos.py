"""Infos of the environments, in the form that Gymnasium's own vector environments give them.

An entry `name` of (B,) values comes with `_name`, (B,) booleans that are true at the rows that have it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nram_env.envs.episode import EpisodeState

Values = dict[str, np.ndarray]
"""Names and (k,) values, one for each of some rows."""


def start_values(state: EpisodeState) -> Values:
    """What an info says of every row after a reset."""
    size = np.full(state.batch_size, state.memory_size)
    return {"difficulty": _array(state.difficulty), "horizon": _array(state.horizon), "memory_size": size}


def run_values(state: EpisodeState) -> Values:
    """What an info says of every row after a step."""
    return {"survival": state.survival.numpy(force=True).astype(np.float64)}


def end_values(state: EpisodeState, rows: np.ndarray) -> Values:
    """What an info also says of the k rows (B,) whose episodes ended with this step."""
    chosen = rows.nonzero()[0]
    output, target, mask = (part[chosen] for part in (state.output, state.target, state.mask))
    wrong, cells = _array((output.argmax(-1) != target) & mask).sum(1), _array(mask).sum(1)
    return {"cell_error": wrong / cells, "is_success": wrong == 0}


def start_infos(state: EpisodeState, rows: np.ndarray) -> dict[str, Any]:
    """Infos of a reset of the rows (B,)."""
    return _spread(_of(rows, start_values(state)), rows)


def step_infos(state: EpisodeState, ran: np.ndarray, ended: np.ndarray) -> dict[str, Any]:
    """Infos of a step that the rows `ran` (B,) took, with which the rows `ended` (B,) came to their end."""
    infos = _spread(_of(ran, run_values(state)), ran)
    return infos | _spread(end_values(state, ended), ended) if ended.any() else infos


def final_infos(observations: Any, state: EpisodeState, ended: np.ndarray) -> dict[str, Any]:
    """What a reset in the same step would hide: the last observation and info of the rows `ended` (B,)."""
    last = np.full(len(ended), None, dtype=object)
    for row in ended.nonzero()[0].tolist():
        last[row] = row_of(observations, row)
    mask = {"_final_obs": ended.copy(), "_final_info": ended.copy()}
    return {"final_obs": last, "final_info": step_infos(state, ended, ended), **mask}


def row_of(observations: Any, row: int) -> Any:
    """One row of a batch of observations."""
    if isinstance(observations, dict):
        return {name: part[row] for name, part in observations.items()}
    return observations[row]


def _of(rows: np.ndarray, values: Values) -> Values:
    return {name: part[rows] for name, part in values.items()}


def _spread(values: Values, rows: np.ndarray) -> dict[str, Any]:
    """(k,) values in their places among (B,), 0 elsewhere, and the rows beside them; nothing for no rows."""
    infos: dict[str, Any] = {}
    for name, part in values.items() if rows.any() else ():
        infos[name] = np.zeros(len(rows), dtype=part.dtype)
        infos[name][rows] = part
        infos[f"_{name}"] = rows.copy()
    return infos


def _array(values: Any) -> np.ndarray:
    return values.numpy(force=True).copy()
