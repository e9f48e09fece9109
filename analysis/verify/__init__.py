"""The ladder of checks that a program is put through.

    table        the program is the hardened network by construction: under every zero-pattern that can
                 occur (controllers without state)
    fidelity     the program is the hardened network, step by step, on runs held out from learning
    random       its output is right on random instances of many sizes
    exhaustive   its output is right on every instance of the smallest sizes
    time         from which T to which T the output is right; effects: which other cells change
    mutation     the checks refute every single edit of the program

Symbolic checks and proofs for all sizes belong here too.
"""

from analysis.certificate import Certificate, Counterexample
from analysis.verify.correctness import counterexample, first_wrong, wrong_cells
from analysis.verify.exhaustive import check_exhaustive
from analysis.verify.fidelity import Fidelity, Mismatch, compare
from analysis.verify.mutation import Mutant, check_mutants, mutants
from analysis.verify.random_inputs import check_random, check_sizes
from analysis.verify.table import TableComparison, compare_table
from analysis.verify.window import check_effects, check_window

__all__ = [
    "Certificate",
    "Counterexample",
    "Fidelity",
    "Mismatch",
    "Mutant",
    "TableComparison",
    "check_effects",
    "check_exhaustive",
    "check_mutants",
    "check_random",
    "check_sizes",
    "check_window",
    "compare",
    "compare_table",
    "counterexample",
    "first_wrong",
    "mutants",
    "wrong_cells",
]
