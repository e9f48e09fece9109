"""The ladder of checks that a program is put through.

    stops        it stops by itself, and after how many steps
    random       its output is right on random instances of many sizes
    exhaustive   its output is right on every instance of the smallest sizes
    time         from which T to which T the output is right; effects: which other cells change
    mutation     the checks refute every single edit of the program

None of them needs the network; whether a program is the network is for `analysis.extraction`.
"""

from analysis.program.certificate import Certificate, Counterexample
from analysis.verification.correctness import counterexample, first_wrong, wrong_cells
from analysis.verification.exhaustive import check_exhaustive
from analysis.verification.mutation import Mutant, check_mutants, mutants
from analysis.verification.random_inputs import check_random, check_sizes
from analysis.verification.steps import check_stops
from analysis.verification.stopping import stops_by_itself
from analysis.verification.window import check_effects, check_window

__all__ = [
    "Certificate",
    "Counterexample",
    "Mutant",
    "check_effects",
    "check_exhaustive",
    "check_mutants",
    "check_random",
    "check_sizes",
    "check_stops",
    "check_window",
    "counterexample",
    "first_wrong",
    "mutants",
    "stops_by_itself",
    "wrong_cells",
]
