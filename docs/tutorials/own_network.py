# %% [markdown]
# # Bring your own network
#
# In ten minutes you will have trained a GRU from PyTorch, with a training loop that
# you wrote, through a differentiable computer; seen what it attends to, before and
# after; and read a program out of it that runs without PyTorch, on memories of any
# size. Nothing of this project's own training is used.

# %%
# %matplotlib inline
from dataclasses import replace

import gymnasium as gym
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from analysis import (
    ModuleNetwork,
    check_network,
    check_sizes,
    export,
    extract,
    run,
    save_program,
)
from nram_env import MachineConfig, get_task

torch.set_num_threads(1)  # small tensors

# %% [markdown]
# ## What a network gets, and what it gives
#
# The machine has registers and memory cells. The task is *Access*: cell 0 holds an
# address, and at the end it shall hold what stood at that address. Here are 32
# machines with an instance each, as a batch for gradients.

# %%
ROWS, LARGEST = 32, 8
envs = gym.make_vec(
    "NRAM/Access-v0",
    num_envs=ROWS,
    differentiable=True,
    step_cost=0.1,
    unfinished_cost=3.0,
).unwrapped
observations, _ = envs.reset(seed=0, options={"difficulty": 5, "memory_size": 8})
envs

# %% [markdown]
# At every timestep a network sees, for each of four registers, the probability that
# it is 0: that is all. It answers with logits. For each argument of each gate, and
# for each register, they are a *selector*: a softmax over what may be chosen there.
# One logit more is the willingness to stop.

# %%
machine = MachineConfig(num_registers=4)
print("sees", tuple(observations.shape), "   gives", (ROWS, machine.layout.size))
for selector in machine.layout.selectors[:4]:
    print(f"{selector.name:<14} chooses among {selector.size} sources")
print(f"... {len(machine.layout.selectors)} selectors in all")

# %% [markdown]
# Two costs make it worth while to stop: `step_cost` for every timestep, and
# `unfinished_cost` for running out of time.
#
# ## The network
#
# Any module will do that maps zeros, and a state of its own, to logits.


# %%
class Brain(nn.Module):
    """A GRU and a layer."""

    def __init__(self, hidden=24):
        super().__init__()
        self.cell = nn.GRUCell(machine.num_registers, hidden)
        self.head = nn.Linear(hidden, machine.layout.size)

    def forward(self, zeros, state):
        state = self.cell(zeros, state)
        return self.head(state), state

    def initial_state(self, rows):
        return torch.zeros(rows, self.cell.hidden_size)


# %% [markdown]
# What does it attend to? This draws three selectors over time: where READ reads,
# where WRITE writes, and what it writes. Fresh from initialisation everything is
# equally likely, and the machine does a little of everything.

# %%
WATCHED = {
    "READ: address": "gate0.READ.p",
    "WRITE: address": "gate13.WRITE.p",
    "WRITE: value": "gate13.WRITE.a",
}


def attention(brain, steps=2):
    """Draw the probabilities of three selectors at the first timesteps."""
    options = {"difficulty": 5, "memory_size": 8, "horizon": steps}
    observations, _ = envs.reset(options=options)
    state, emitted = brain.initial_state(ROWS), []
    with torch.no_grad():
        for _ in range(steps):
            logits, state = brain(observations, state)
            emitted.append(logits[0])
            if not envs.finished.all():
                observations, *_ = envs.step(logits / envs.logit_scale)
    figure = Figure(figsize=(9, 4), layout="constrained")
    panels = figure.subplots(1, len(WATCHED))
    for panel, title in zip(panels, WATCHED, strict=True):
        selector = machine.layout[WATCHED[title]]
        shares = torch.stack(emitted)[:, selector.slice].softmax(-1).T
        image = panel.imshow(shares, vmin=0, vmax=1, cmap="Blues", aspect="auto")
        names = map(machine.layout.choice_name, range(selector.size))
        sources = [name.rpartition(".")[2] for name in names]
        panel.set_yticks(range(selector.size), sources, fontsize=8)
        panel.set_xticks(range(steps), range(1, steps + 1))
        panel.set(title=title, xlabel="timestep")
    figure.colorbar(image, ax=figure.axes, label="probability")
    return figure


# %%
torch.manual_seed(0)
attention(Brain())

# %% [markdown]
# ## Train it
#
# A plain loop: play episodes, add up the rewards, go downhill. The gradient runs
# back from the reward through every gate, memory cell and register of every
# timestep. Two things help, as the paper found: sizes that differ from batch to
# batch, so that the network cannot learn one of them by heart, and a bonus for
# undecided selectors in the first half. In the second half it is given time that it
# does not need, and learns to stop.


# %%
def train(brain, seed, updates=300):
    """Train on arrays of up to eight elements; the cost after every update."""
    optimiser, costs = torch.optim.Adam(brain.parameters(), lr=0.02), []
    rng = np.random.default_rng(seed)
    envs.reset(seed=seed)
    for update in range(updates):
        n, horizon = (
            int(rng.integers(1, LARGEST + 1)),
            4 if update < updates / 2 else 8,
        )
        size = n + 2 + int(rng.integers(3))
        options = {"difficulty": n, "memory_size": size, "horizon": horizon}
        observations, _ = envs.reset(options=options)
        state, cost, entropy = brain.initial_state(ROWS), 0.0, 0.0
        bonus = 0.02 * max(0, 1 - 2 * update / updates)
        while not envs.finished.all():
            logits, state = brain(observations, state)
            observations, rewards, *_ = envs.step(logits / envs.logit_scale)
            cost = cost - rewards.mean()
            entropy = entropy + envs.entropy.mean()
        optimiser.zero_grad()
        (cost - bonus * entropy).backward()
        nn.utils.clip_grad_norm_(brain.parameters(), 1.0)
        optimiser.step()
        costs.append(cost.item())
    return costs


# %% [markdown]
# Some seeds get stuck; then try another one. Two timesteps that cost 0.1 each are
# the best that can be had, so a cost near 0.2 means: right, and done after two.

# %%
curves = []
for seed in range(5):
    torch.manual_seed(seed)
    brain = Brain()
    curves.append(train(brain, seed))
    if max(curves[-1][-20:]) < 0.3:
        break

figure = Figure(figsize=(7, 3), layout="constrained")
panel = figure.subplots()
for seed, costs in enumerate(curves):
    panel.plot(costs, linewidth=1, label=f"seed {seed}")
panel.axhline(0.2, color="#777777", linestyle=":", label="two timesteps, all right")
panel.set(xlabel="updates", ylabel="cost: minus rewards", ylim=(0, None))
panel.legend()
figure

# %% [markdown]
# The same three selectors now: where it matters, the blur has become choices.

# %%
attention(brain)

# %% [markdown]
# ## Read it
#
# `ModuleNetwork` makes a module readable: a copy of it, in evaluation mode, in
# float64. What it has to promise is that the same inputs give the same logits, that
# rows do not look at each other, and that its state comes in and goes out.
# `check_network` tries. See what it says of a network that draws dice.


# %%
class Dice(nn.Module):
    """A network that is not deterministic."""

    def forward(self, zeros):
        return torch.randn(len(zeros), machine.layout.size, dtype=zeros.dtype)


network = ModuleNetwork(brain, machine, brain.initial_state)
print("dice: ", *check_network(ModuleNetwork(Dice(), machine)))
print("brain:", *check_network(network) or ["nothing was found"])

# %%
program = extract(network, "access", size=LARGEST)
program

# %% [markdown]
# These are the network's hard choices, with everything left out that cannot matter.
# The findings say how far that was compared: step by step, on runs that the program
# was not read from.
#
# ## Is it right?
#
# It was trained on at most eight elements, and memories of at most twelve cells.

# %%
for sizes in check_sizes(
    program, get_task("access"), [LARGEST, 100, 1_000], examples=100, seed=0
):
    low, high = sizes["memory_sizes"]
    error = f"exact error {sizes['exact_error']:.2%}"
    print(f"n = {sizes['n']:>5,}, M = {low:,} to {high:,}: {error}")

# %% [markdown]
# ## Take it with you
#
# As Python that imports nothing, or as C (`export(program, "c")`), or run by the
# integer machine.

# %%
print(export(replace(program, certificates=()), "python"))
save_program(program, "own.json")
run(program, [3, 10, 20, 30, 40, *[0] * 45]).memory[0]

# %% [markdown]
# ## Where to go next
#
# - [A network of your own](../own-network.md) has the whole protocol: any object
#   with two methods can be read, torch or not; a network *without* state is
#   evaluated at every zero-pattern, and its program is then equal to it by
#   construction.
# - [What autograd can do](../autograd.md): which derivatives there are, and through
#   what.
# - *Prove it*, another of these tutorials: from "no error was found" to "there is
#   none".
# - Harder tasks want more than a plain loop. [Training](../training.md) says what,
#   and `nram train` does it.
