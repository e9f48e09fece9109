# %% [markdown]
# # Prove it
#
# In ten minutes you will have changed a program in two ways that hundreds of tests
# find nothing wrong with. One of them is right on every memory of every size, and
# you will hold the evidence, which anybody can check again without trusting you.
# The other is wrong, at a single size, and you will see where.
#
# The proofs need two solvers: `pip install 'nram[prove]'`.

# %%
# %matplotlib inline
from dataclasses import replace
from zipfile import ZipFile

import numpy as np
from IPython.display import SVG
from matplotlib.figure import Figure

from analysis import (
    check_sizes,
    export,
    find_program,
    prove,
    recheck,
    save_program,
    trace,
)
from analysis.program.block import Block, Constant
from nram_env import get_task

# %% [markdown]
# ## The program
#
# It comes with the package, and was read out of an LSTM that had learned *Copy*
# from examples: copy an array behind itself. Cell 0 holds where the copy begins;
# `n` is the length of the array, `M` the number of cells, and arithmetic is modulo
# M.

# %%
task = get_task("copy")
program = replace(
    find_program("zoo:copy"), certificates=()
)  # forget what is known of it
program

# %%
SVG(export(program, "svg"))

# %% [markdown]
# `c` is where the copy begins, `i` goes through the array, and `p`, which is `i + c
# - 1`, through the copy. Watch a run: what a timestep reads is framed blue, what
# the one before it wrote is framed red.

# %%
memory = [5, 3, 7, 1, 4, 0, 0, 0, 0, 0, 0]
trace(program, memory, max_steps=20)

# %% [markdown]
# When `p` comes round to 0, at the end of the memory, `flag` is set, and the
# program stops. Cell 10 is not part of the output: that something was written there
# does no harm.
#
# ## Two savings
#
# First: the block that stops writes once more. Is that needed? Leave it out.

# %%
first, loop, last = program.edges
idle = replace(last, block=Block((), ()))
hasty = replace(program, name="hasty", edges=(first, loop, idle))
hasty

# %% [markdown]
# Second: `flag` says that the next `p` is 0. Could it say so one step earlier, when
# the next `p` is M - 1, which is -1 modulo M? Cell M - 1 would then be written by
# the block that stops. In the loop's block, 0 becomes -1.

# %%
steps = [
    Constant(-1) if step == Constant(0) else step
    for step in loop.block.instructions
]
early = replace(loop, block=replace(loop.block, instructions=tuple(steps)))
eager = replace(program, name="eager", edges=(first, early, last))
eager

# %% [markdown]
# ## Test them
#
# As one does: a few sizes, a hundred random memories each.

# %%
for changed in (hasty, eager):
    for sizes in check_sizes(changed, task, [8, 32, 100], examples=100, seed=0):
        error = f"exact error {sizes['exact_error']:.2%}"
        print(f"{changed.name}: n = {sizes['n']:>3}, {error}")

# %% [markdown]
# Not a single wrong cell. Ship both?
#
# ## Ask for a proof
#
# `prove` does not need to be told how. Before it looks for a proof it looks for a
# reason why there is none.

# %%
refuted = prove(eager)
refuted

# %%
trace(eager, refuted.counterexample.memory, max_steps=4)

# %% [markdown]
# With three cells and one element the copy *begins* in the last cell. `p` is M - 1
# before the loop has tested anything, goes past it, and the program comes into a
# situation that it has no block for. At every other size `p` is smaller at first.
# Random tests of large memories never come by there; `verify` would, as it takes
# all small sizes and every slack of M on purpose. But however many sizes one tries,
# there are others.
#
# ## What no number of tests can say

# %%
proved = prove(hasty)
proved

# %% [markdown]
# Unfold both. The first holds the exact statement, with what is legal, what is
# wanted, and what has to be trusted. The second holds the proof: facts for each
# *location*, a pair of the block that was taken last and the one that comes next.
# At the heart of it is the location "after edge 1, before edge 1", which is the
# loop. Of its facts the last says, with M and n and all contents left open: *every
# cell of the output below p holds what is wanted*.
#
# See it on one run. A row is a timestep; a cell is dark where it belongs to the
# output and holds what is wanted. The line is `p`: to the left of it everything is
# right, in each row. A step moves the line by one cell, and makes that cell right.

# %%
batch = task.sample(np.random.default_rng(7), difficulty=9, memory_size=24)
rows = trace(hasty, batch.memory[0].tolist(), max_steps=100).rows[1:]
right = np.array([row.memory for row in rows]) == batch.target
place = [row.registers[-1] or batch.memory_size for row in rows]  # 0 is M, modulo M

figure = Figure(figsize=(8, 4), layout="constrained")
panel = figure.subplots()
edges = range(1, len(rows) + 2)
panel.imshow(
    right & batch.mask,
    cmap="Greens",
    vmax=1.4,
    aspect="auto",
    extent=(0, batch.memory_size, edges[-1], edges[0]),
)
panel.stairs(
    place,
    edges,
    orientation="horizontal",
    baseline=None,
    color="#c44e52",
    label="p",
)
panel.axvspan(10, 19, fill=False, edgecolor="#555555", label="output")
panel.set(
    xlabel="cell",
    ylabel="timesteps done",
    title="output cells that hold what is wanted",
)
panel.legend(loc="lower left")
figure

# %% [markdown]
# A proof by induction is this picture for all sizes at once: it holds at the start,
# every step keeps it, and where the program stops, it is what was wanted. Nobody
# wrote these facts down. They were guessed from runs, and those that some step does
# not keep were thrown away; so a wrong guess can cost a proof, but never make one.
#
# ## Evidence
#
# Each "every step keeps it" is a question to a solver, an *obligation*. The
# evidence holds all of them as text.

# %%
save_program(hasty, "hasty.json")
proved.save("hasty.proof.zip")
with ZipFile("hasty.proof.zip") as evidence:
    names = evidence.namelist()
    print(len(names), "files:", *names[:5], "...")
    print(evidence.read("obligations/00000.smt2").decode()[:600], "...")

# %% [markdown]
# Whoever gets these two files needs neither this notebook nor any trust in how the
# facts were found. `recheck` makes every obligation anew from program and facts,
# compares it with the file, and asks z3 and cvc5, two solvers by different makers,
# with two seeds each.

# %%
checked = recheck("hasty.proof.zip", hasty)
print(f"{checked.obligations} obligations, problems: {checked.problems}")

# %% [markdown]
# It is evidence of this program and no other:

# %%
print(
    *recheck("hasty.proof.zip", eager, solvers=("z3",), seeds=(0,)).problems,
    sep="\n",
)

# %% [markdown]
# So the program that ships makes a write too many, and now you know that it does,
# for every memory that there is.
#
# ## Where to go next
#
# - `nram prove zoo:listk` and `nram recheck` do the same on the command line; all
#   programs that ship are proved.
# - [Proofs](../proofs.md) goes through an invariant line by line, says what has to
#   be trusted, and what is not claimed.
# - *Write a task*, another of these tutorials, ends with a proof of a program for a
#   task of your own.
# - `nram show zoo:copy --explain` puts the facts into a sentence beside each line
#   of code.
