"""A machine that is learned from runs does what each of them did."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.extraction.automaton import Mealy, Word, learn_machine


def follows(machine: Mealy, word: Word) -> bool:
    """Whether the machine does at every timestep of a run what was done there."""
    state = 0
    for symbol, label in word:
        done, state = machine.transitions[state].get(symbol, (None, state))
        if done != label:
            return False
    return True


def test_a_loop_that_ends_in_another_label_is_not_taken_for_the_start():
    """Load under 4, move under 0 any number of times, stop under 4: no state does two things under 4."""
    load, move, stop = (4, 0), (0, 1), (4, 2)
    words = [(load, *[move] * count, stop) for count in (2, 3, 4, 6, 9)]
    machine = learn_machine(words)
    assert all(follows(machine, word) for word in words)
    assert follows(machine, (load, *[move] * 30, stop))


@pytest.mark.parametrize("seed", range(40))
def test_the_learned_machine_does_what_every_run_did(seed):
    rng = np.random.default_rng(seed)
    states, symbols, labels = (int(rng.integers(1, high)) for high in (6, 4, 4))
    label = rng.integers(labels, size=(states, symbols))
    target = rng.integers(states, size=(states, symbols))
    words = []
    for _ in range(30):
        state, word = 0, []
        for symbol in rng.integers(symbols, size=rng.integers(1, 20)).tolist():
            word.append((symbol, int(label[state, symbol])))
            state = target[state, symbol]
        words.append(tuple(word))
    machine = learn_machine(words)
    assert all(follows(machine, word) for word in words)
