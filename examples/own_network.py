"""A network of your own: train a torch.nn.LSTMCell on Access, then read, print and check its program.

python examples/own_network.py          # half a minute
python examples/own_network.py 3        # another seed
"""

import sys

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

import nram_env
from analysis import ModuleNetwork, check_sizes, extract, listing
from nram_env import MachineConfig, get_task

gym.register_envs(nram_env)

MACHINE, ROWS, HIDDEN, UPDATES, LARGEST = MachineConfig(4), 64, 32, 500, 8

State = tuple[Tensor, Tensor]


class Controller(nn.Module):
    """A cell of torch's and a layer: which registers are 0 in, the logits of all selectors out."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(MACHINE.num_registers, HIDDEN)
        self.head = nn.Linear(HIDDEN, MACHINE.layout.size)

    def forward(self, zeros: Tensor, state: State) -> tuple[Tensor, State]:
        """One timestep."""
        state = self.cell(zeros, state)
        return self.head(state[0]), state


def initial_state(rows: int) -> State:
    return torch.zeros(rows, HIDDEN), torch.zeros(rows, HIDDEN)


def train(controller: Controller, seed: int) -> None:
    """Plain Adam through the machine, on arrays of up to eight numbers."""
    envs = gym.make_vec("NRAM/Access-v0", num_envs=ROWS, differentiable=True, num_registers=4).unwrapped
    optimiser, rng = torch.optim.Adam(controller.parameters(), lr=0.02), np.random.default_rng(seed)
    for update in range(UPDATES):
        n = int(rng.integers(1, LARGEST + 1))
        options = {"difficulty": n, "memory_size": n + 2 + int(rng.integers(4))}
        observations, _ = envs.reset(seed=None if update else seed, options=options)
        state, loss = initial_state(ROWS), torch.zeros(())
        while not envs.finished.all():
            logits, state = controller(observations, state)
            observations, rewards, *_ = envs.step(logits / envs.logit_scale)
            loss = loss - rewards.mean() - 0.02 * max(0, 1 - 2 * update / UPDATES) * envs.entropy.mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(controller.parameters(), 1.0)
        optimiser.step()
        if update % 100 == 99:
            print(f"update {update + 1:>4}   loss {loss.item():.4f}")


def main() -> int:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    controller = Controller()
    train(controller, seed)
    program = extract(ModuleNetwork(controller, MACHINE, initial_state), "access", size=LARGEST)
    print(listing(program))
    found = check_sizes(program, get_task("access"), [LARGEST, 100, 1_000], examples=200, seed=seed)
    for sizes in found:
        low, high = sizes["memory_sizes"]
        print(f"n = {sizes['n']:>5,}, M = {low:,} to {high:,}: exact error {sizes['exact_error']:.2%}")
    return 1 if any(sizes["exact_error"] for sizes in found) else 0


if __name__ == "__main__":
    sys.exit(main())
