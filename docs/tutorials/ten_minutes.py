# %% [markdown]
# # From attention to a program in ten minutes
#
# In ten minutes you will have trained a population of small networks from
# input-output examples, seen their attention turn from a blur into choices, and
# read a program out of the best of them: one that works on memories of any size, as
# plain Python if you like.

# %%
# %matplotlib inline
import gymnasium as gym
import numpy as np
from IPython.display import SVG
from PIL import Image

import nram_env
from agents import TrainConfig, Trainer
from analysis import export, extract, find_program, pictures, run, save_program
from nram_env import get_task

gym.register_envs(nram_env)

# %% [markdown]
# ## A small computer
#
# Eight memory cells and four registers. Each holds an integer of 0..7, so that
# every value can be an address. The task, *Access*, is the smallest there is: cell
# 0 holds an address, and at the end it shall hold what stands at that address.

# %%
env = gym.make(
    "NRAM/Access-v0", difficulty=5, memory_size=8, render_mode="rgb_array"
).unwrapped
env.reset(seed=4)
env

# %% [markdown]
# ## The blur
#
# To be trainable, it holds *probabilities*. A controller chooses, by attention,
# what each gate works on and what each register becomes: a little of this, a little
# of that. After one timestep of random choices a cell holds many integers at once.
# In the picture a column is a cell or a register, a row an integer, and the darker,
# the more probable. The strips on top show where READ and WRITE pointed; the green
# frame is what is wanted.

# %%
env.action_space.seed(0)
env.step(env.action_space.sample() / 4)
Image.fromarray(env.render())

# %% [markdown]
# Blurs have derivatives: attend a little more to the right thing, and the output
# gets a little better. So examples are enough to learn from.
#
# ## Train
#
# Twelve networks at once, small LSTMs. Each sees nothing but whether each register
# is 0, and answers with attention. The population is done once one of them, with
# every attention replaced by its largest choice, makes no error on memories larger
# than any that it was trained on, and stops by itself.

# %%
trainer = Trainer(TrainConfig(task="access", population=12, seed=0))
newborn = trainer.agents()[0]
history = []
while not (history and history[-1]["solved"]):
    history.append(vars(trainer.advance()))
agent = trainer.agents()[0]
pictures.learning_curves(history)

# %% [markdown]
# The error falls whenever the population has time to learn; each time the level,
# the size of the examples, rises, it is counted anew, from 1. At the end some
# members have no error left.
#
# ## Attention, before and after
#
# A row is a selector, a column a timestep. The text is the choice with the largest
# probability, the shade is that probability. This is a network before training:

# %%
pictures.selectors_over_time(pictures.observe_run(newborn, n=5, seed=7))

# %% [markdown]
# and this is the best one after it: the choices have become sure. Most of them do
# not matter, as nothing depends on those gates; which do, is found out below.

# %%
watched = pictures.observe_run(agent, n=5, seed=7)
pictures.selectors_over_time(watched)

# %% [markdown]
# The memory of the same run: on the left soft, and watched for a timestep after it
# has stopped; on the right with every attention replaced by its largest choice. The
# framed cell is the output.

# %%
pictures.memory_over_time(watched)

# %% [markdown]
# ## The program
#
# With hard choices the network is a machine that does the same few things whenever
# it is in the same state. `extract` finds the states, keeps the gates that matter,
# and compares the result with the network, step by step, on runs that it was not
# read from.

# %%
program = extract(agent)
program

# %% [markdown]
# That is all that the network does. Nobody wrote it; and because it is a program,
# it does not care how large the memory is:

# %%
task, n = get_task("access"), 1_000
instance = task.sample(np.random.default_rng(0), n, task.smallest_memory_size(n))
memory = instance.memory[0].tolist()
after = run(program, memory).memory
print(f"M = {len(memory):,}; at address {memory[0]} stands {memory[memory[0]]}")
print(f"cell 0 now holds {after[0]}")
assert after[0] == memory[memory[0]]

# %% [markdown]
# Three forms of one thing: the soft network, the network with hard choices, and the
# program. The further beyond the sizes of the training, the more a soft run may
# blur; the two hard ones do not.

# %%
points = pictures.errors_by_size(
    agent, program, sizes=[1, 2, 4, 8, 16, 32, 64], examples=50, seed=0
)
pictures.error_by_size(points, trained_to=8)

# %%
save_program(program, "access.json")

# %% [markdown]
# ## And one with a loop
#
# Access needs no loop. *Copy*, copying an array behind itself, does; learning it
# takes a minute or two, and `nram demo` does that. Here is one that comes with the
# package, read out of a network in the same way. Circles are states, arrows are
# blocks, and each block is drawn as what is left of the gates:

# %%
copying = find_program("zoo:copy")
SVG(export(copying, "svg"))

# %% [markdown]
# The same as Python, which imports nothing. `len(memory)` is M, and its `run` may
# be called with any legal memory:

# %%
code = export(copying, "python")
print(code[code.index("def run") :])

# %%
names = {}
exec(code, names)
names["run"]([4, 7, 5, 6, 0, 0, 0, 0])

# %% [markdown]
# ## Where to go next
#
# - `nram demo` on the command line trains Copy and prints everything that is known
#   of the program.
# - *Write a task*, the next tutorial: a task of your own, learned, read and proved.
# - *Bring your own network*: your module, your training loop. *Prove it*: from
#   "tested" to "for every memory".
# - [The machine](../machine.md) in pictures, [how networks become
#   programs](../programs.md), [all results](../results.md).
