"""Learn a finite machine from recorded runs: a prefix tree whose equal parts are merged.

Red-blue state merging for Mealy machines (Lang, Pearlmutter and Price 1998), the merge with the most
evidence first. What was never seen stays undefined.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_STATES = 64
"""A machine with more states than this is not looked for: it would not be a program."""

Word = tuple[tuple[int, int], ...]
"""A run: (symbol seen, label of what was done) for every timestep."""

Entry = tuple[int, int, int]
"""A state, and the state and the symbol that lead there."""


@dataclass(frozen=True)
class Mealy:
    """A finite machine; state 0 is the start.

    Attributes:
        transitions: For every state, symbol -> (label, next state). A state without transitions is
            where nothing was ever seen.
    """

    transitions: tuple[dict[int, tuple[int, int]], ...]

    @property
    def num_states(self) -> int:
        """How many states it has."""
        return len(self.transitions)


def learn_machine(words: Iterable[Word], max_states: int = MAX_STATES) -> Mealy | None:
    """The machine that red-blue merging finds.

    Args:
        words: Runs.
        max_states: Give up beyond this many.

    Returns:
        A machine that does what every run did, or None if the same past led to different labels, or
        if more than `max_states` states are needed.

    Example:
        >>> learn_machine([((0, 7), (0, 8), (0, 8), (0, 8))]).transitions
        ({0: (7, 1)}, {0: (8, 1)})
    """
    tree = prefix_tree(sorted(set(words)))
    return None if tree is None else _Merger(tree).run(max_states)


def prefix_tree(words: Sequence[Word]) -> list[dict[int, tuple[int, int]]] | None:
    """All runs as one tree; None if equal pasts led to different labels."""
    tree: list[dict[int, tuple[int, int]]] = [{}]
    for word in words:
        node = 0
        for symbol, label in word:
            if symbol not in tree[node]:
                tree[node][symbol] = (label, len(tree))
                tree.append({})
            known, child = tree[node][symbol]
            if known != label:
                return None
            node = child
    return tree


class _Merger:
    """Red states are settled; blue ones are their children that are not."""

    def __init__(self, tree: list[dict[int, tuple[int, int]]]) -> None:
        self.moves = tree
        self.red = [0]

    def run(self, max_states: int) -> Mealy | None:
        while blue := self._blue():
            candidates = [
                (score, -position, -number)
                for position, entry in enumerate(blue)
                for number, red in enumerate(self.red)
                if (score := self._score(red, entry)) is not None
            ]
            settled = {-position for _, position, _ in candidates}
            new = [state for position, (state, _, _) in enumerate(blue) if position not in settled]
            if new:
                self.red.append(new[0])
            else:
                _, position, number = max(candidates)
                self._fold(self.red[-number], blue[-position])
            if len(self.red) > max_states:
                return None
        return self._machine()

    def _blue(self) -> list[Entry]:
        """Blue states with the red state and the symbol that lead there; nothing known about leaves."""
        red = set(self.red)
        return [
            (child, state, symbol)
            for state in self.red
            for symbol, (_, child) in sorted(self.moves[state].items())
            if child not in red and self.moves[child]
        ]

    def _score(self, red: int, entry: Entry) -> int | None:
        """How many transitions two states share once they are one, None if they disagree somewhere."""
        score, log = self._fold(red, entry)
        self._undo(log)
        return score

    def _fold(
        self, red: int, entry: Entry
    ) -> tuple[int | None, list[tuple[int, int, tuple[int, int] | None]]]:
        """Make a blue state the red one, and all that follows it; returns the score and the log.

        What led to the blue state leads to the red one from the first, so that a state which becomes its own
        successor is compared with itself all the way down.
        """
        blue, parent, entered = entry
        before = self.moves[parent][entered]
        log: list[tuple[int, int, tuple[int, int] | None]] = [(parent, entered, before)]
        self.moves[parent][entered] = (before[0], red)
        waiting, score = deque([(red, blue)]), 0
        while waiting:
            into, out_of = waiting.popleft()
            for symbol, (label, child) in self.moves[out_of].items():
                there = self.moves[into].get(symbol)
                if there is None or (not self.moves[there[1]] and there[1] not in self.red):
                    if there is not None and there[0] != label:
                        return None, log
                    log.append((into, symbol, there))
                    self.moves[into][symbol] = (label, child)
                elif there[0] != label:
                    return None, log
                else:
                    waiting.append((there[1], child))
                score += there is not None
        return score, log

    def _undo(self, log: list[tuple[int, int, tuple[int, int] | None]]) -> None:
        for state, symbol, before in reversed(log):
            if before is None:
                del self.moves[state][symbol]
            else:
                self.moves[state][symbol] = before

    def _machine(self) -> Mealy:
        """The red states, with one state more for where nothing was seen, if there is such a place."""
        place = {state: number for number, state in enumerate(self.red)}
        nowhere = len(place)
        moves = [
            {s: (label, place.get(child, nowhere)) for s, (label, child) in sorted(self.moves[state].items())}
            for state in self.red
        ]
        undefined = any(child == nowhere for move in moves for _, child in move.values())
        return Mealy((*moves, {})) if undefined else Mealy(tuple(moves))
