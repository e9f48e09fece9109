# %% [markdown]
# # Write a task
#
# In ten minutes you will have a task that no paper has: a class of your own,
# checked against itself; a network that learned it from examples; the program that
# it became; and a proof that this program is right on every memory of every size.
#
# The task is called *Store*: put a value where a pointer says. In another language
# it would be `memory[p] = v`.

# %%
# %matplotlib inline
import numpy as np

from agents import TrainConfig, Trainer
from analysis import extract, pictures, prove, save_program, shorten, verify
from nram_env import Task, TaskBatch, TaskSpec, check_task, get_task, register_task

# %% [markdown]
# ## Draw the memory first
#
# A task says what the memory holds before a run, and what its *output cells* shall
# hold at the end. Everything else follows from a picture, so begin with one. *n* is
# how hard an instance is, here the length of an array; *M* is the number of cells,
# and also the number of integers: every cell holds one of 0..M-1, so that each
# value can be an address.
#
# | cell | 0 | 1 | 2 ... n + 1 | n + 2 ... |
# | --- | --- | --- | --- | --- |
# | before | p | v | the array, no element 0 | 0, which marks its end |
# | wanted | | | the same array, but v in cell p | |
#
# ## The class
#
# Four methods. `draw` makes examples, many at once, and all chance comes from
# `rng`. `oracle` solves one instance in plain Python, *without* looking at how it
# was drawn: two descriptions of the same thing, to be compared.


# %%
class Store(Task):
    """Put a value where a pointer says."""

    name, title, num_registers = "store", "Store", 4

    def smallest_memory_size(self, difficulty):
        return difficulty + 3  # p, v, the array, and a 0

    def horizon(self, difficulty):
        return 4  # timesteps that a run is given

    def draw(self, rng, difficulty, memory_size):
        cells = np.arange(memory_size)
        array = (cells >= 2) & (cells < 2 + difficulty[:, None])
        memory = np.where(array, rng.integers(1, memory_size, array.shape), 0)
        memory[:, 0] = rng.integers(2, 2 + difficulty)  # p
        memory[:, 1] = rng.integers(0, memory_size, len(memory))  # v
        target = np.where(array & (cells == memory[:, :1]), memory[:, 1:2], memory)
        return TaskBatch(memory, target, array, difficulty)

    def oracle(self, memory):
        end = list(memory).index(0, 2)
        wanted = {cell: memory[cell] for cell in range(2, end)}
        wanted[memory[0]] = memory[1]
        return wanted


# %% [markdown]
# See what it draws. In a notebook, examples show themselves; what is wanted of the
# output cells stands below each.

# %%
Store().sample(np.random.default_rng(0), difficulty=[3, 4, 5], memory_size=9)

# %% [markdown]
# ## Let it be checked
#
# `check_task` compares the methods with each other on many small instances. So that
# you have seen it complain, here is a slip that is easy to make: an oracle that
# takes the pointer for an index into the array.


# %%
class Slip(Store):
    """Store, but the oracle counts from the start of the array."""

    name, title = "slip", "Slip"

    def oracle(self, memory):
        end = list(memory).index(0, 2)
        wanted = {cell: memory[cell] for cell in range(2, end)}
        wanted[2 + memory[0]] = memory[1]
        return wanted


for finding in check_task(Slip()):
    print(finding)

# %% [markdown]
# It says which methods disagree, and on which memory; all of it is the one slip.
# The real task passes, and may be registered: from now on this process knows it by
# its name, `gym.make("NRAM/Store-v0")` included.

# %%
assert check_task(Store()) == []
register_task(Store())

# %% [markdown]
# ## Train
#
# A population of twelve small LSTM networks, each with hyper-parameters of its own,
# trained by gradient descent on examples of up to eight elements. They see nothing
# of the memory but whether each register is 0. Training is over once a network,
# with every soft choice replaced by its largest, makes no error on memories larger
# than any that it was trained on, and stops by itself.

# %%
trainer = Trainer(TrainConfig(task="store", population=12, seed=0))
history = []
while not (history and history[-1]["solved"]):
    history.append(vars(trainer.advance()))
pictures.learning_curves(history)

# %% [markdown]
# ## Read the program
#
# `extract` replaces every choice by its largest, runs the network on many memories,
# and writes down what it does. What is left is a program on plain integers.

# %%
program = extract(trainer.agents()[0])
program

# %% [markdown]
# Networks are not tidy: what they do besides, and what does no harm, is in the
# program too, because the program is what the network *does*. `shorten` looks for a
# smaller program with the same output; it is another program, so it has no
# certificates of its own yet.

# %%
short = shorten(program, get_task("store"))
short

# %% [markdown]
# ## Test it
#
# `verify` runs a program on thousands of random instances of many sizes, far larger
# than in training. What was tested says so, with the error rate that it excludes.

# %%
for certificate in verify(short):
    print(f"{certificate.claim}\n    {certificate}\n")

# %% [markdown]
# One check says UNKNOWN: it wants *all* small instances, and nobody told it how to
# enumerate them. You may, by overriding `enumerate_instances`. But there is
# something better.
#
# ## Say what is wanted, in terms
#
# A specification says once more what is legal and what is wanted, as terms that can
# be computed, printed, and given to a solver. `before(i)` is what cell i held at
# the start. The difficulty n has no formula here; the `witness` finds it in a
# memory.

# %%
from nram_env.tasks.spec import M, before, cells, i, n, zeros
from nram_env.tasks.terms import Number, between, choose

Store.spec = TaskSpec(
    params={"n": None},
    pre=(
        n >= 1,
        n + 3 <= M,
        between(2, before(0), n + 1),
        cells(2, n + 2, before(i) >= 1),
        zeros(n + 2),
    ),
    output=(Number(2), n + 2),
    want=choose(i.equals(before(0)), before(1), before(i)),
    horizon=Number(4),
    witness=lambda memory: {"n": memory.index(0, 2) - 2},
)
assert (
    check_task(Store()) == []
)  # the oracle, the examples and the specification agree
print(Store.spec.text())

# %% [markdown]
# ## Prove it
#
# The prover needs nothing else. It looks for facts that hold at every point of
# every run, and two solvers have to agree that they do, for every M, every n and
# every legal memory. Unfold the two parts to see the statement and the facts.

# %%
proof = prove(short)
proof

# %%
save_program(short, "store.json")
proof.save("store.proof.zip")

# %% [markdown]
# ## Where to go next
#
# - Put the class into a file, `store.py`, that ends with `register_task(Store())`.
#   Every verb of the command line knows it then: `nram train store --import
#   store.py`.
# - [A task of your own](../tasks.md) has every method and attribute, and what
#   `check_task` checks.
# - *Prove it*, another of these tutorials, shows what a proof consists of, and a
#   program that tests find nothing wrong with.
# - The ten tasks of the paper lie in `nram_env/tasks`; Merge and WalkBST show what
#   larger specifications look like.
