"""The honest fall-back: what was done at each timestep, told apart by decision trees. No finite program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from analysis.automaton import MAX_STATES
from analysis.block import Guard

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
        pairs = sorted(seen)
        bits = np.array([[pattern >> r & 1 for r in range(num_registers)] for pattern, _ in pairs])
        tree = DecisionTreeClassifier(random_state=0)
        tree.fit(bits, [label for _, label in pairs], sample_weight=[seen[pair] for pair in pairs])
        yield _guards(tree)


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
