"""The honest fall-back: what was done at each timestep, told apart by decision trees. No finite program."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.extraction.automaton import MAX_STATES
from analysis.program.block import Guard

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

_LEAF = -1


def unroll(runs: Sequence[Sequence[tuple[int, int]]], num_registers: int) -> Iterator[dict[int, Guard]]:
    """For every timestep the guards that tell its labels apart as well as zero-bits can.

    Args:
        runs: (zero-pattern, label) for every timestep of every run.
        num_registers: R.

    Yields:
        label -> guard, for at most `MAX_STATES` timesteps. Where the same pattern had several labels
        the commonest wins, and the program differs from the controller there.
    """
    for time in range(min(MAX_STATES, max(map(len, runs), default=0))):
        seen = Counter(run[time] for run in runs if time < len(run))
        commonest = {pattern: label for (pattern, label), _ in reversed(seen.most_common())}
        patterns = sorted(commonest)
        bits = np.array([[pattern >> r & 1 for r in range(num_registers)] for pattern in patterns])
        yield _guards(_fitted(bits, [commonest[pattern] for pattern in patterns]))


def _fitted(bits: np.ndarray, labels: list[int]) -> DecisionTreeClassifier:
    from sklearn.tree import DecisionTreeClassifier  # takes seconds, and few programs need it

    with warnings.catch_warnings():  # as many labels as patterns are nothing to be warned of here
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return DecisionTreeClassifier(random_state=0).fit(bits, labels)


def _guards(tree: DecisionTreeClassifier) -> dict[int, Guard]:
    cubes: dict[int, list[tuple[int, int]]] = {}
    nodes = tree.tree_
    waiting = [(0, 0, 0)]
    while waiting:
        node, mask, value = waiting.pop()
        if nodes.children_left[node] == _LEAF:
            label = int(tree.classes_[np.argmax(nodes.value[node])])
            cubes.setdefault(label, []).append((mask, value))
            continue
        bit = 1 << int(nodes.feature[node])
        waiting.append((int(nodes.children_left[node]), mask | bit, value))
        waiting.append((int(nodes.children_right[node]), mask | bit, value | bit))
    return {label: Guard(tuple(sorted(parts))) for label, parts in sorted(cubes.items())}
