"""What a program does on every legal memory of every size: shown by induction, with a solver.

A program is read as a transition system over integers and functions. Facts that hold in many runs are
guessed at every location, those that some step does not keep are taken away, and the claim has to follow
from what is left.
"""
