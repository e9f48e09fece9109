"""The environment's hard machine, the soft machine with one-hot choices and the program are one machine."""

import gymnasium as gym
import numpy as np
import torch

import nram_env
from analysis.extraction.circuits import circuit_block
from analysis.extraction.record import Inputs, circuit_steps
from analysis.machine.vm import execute
from nram_env.machine import PAPER_GATES, MachineConfig, MachineState, step
from nram_env.tasks import get_task
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of, random_choices

gym.register_envs(nram_env)


def test_the_soft_machine_with_one_hot_values_takes_the_integer_machine_s_step():
    rng = np.random.default_rng(4)
    for _ in range(60):
        config = MachineConfig(int(rng.integers(1, 5)), PAPER_GATES * int(rng.integers(1, 3)))
        size, count = int(rng.integers(3, 8)), config.num_registers
        choices = np.array([random_choices(config, rng) for _ in range(16)])
        registers, memory = rng.integers(size, size=(16, count)), rng.integers(size, size=(16, size))
        eye = torch.eye(size, dtype=torch.float64)
        state = MachineState(eye[registers], eye[memory], torch.ones(16, dtype=torch.float64))
        after = step(config, state, torch.from_numpy(config.layout.one_hot(choices)))
        for row in range(16):
            cells = memory[row].tolist()
            new = execute(circuit_block(config, choices[row]), registers[row].tolist(), cells)
            assert (after.registers[row] - eye[list(new)]).abs().max() < 1e-12
            assert (after.memory[row] - eye[cells]).abs().max() < 1e-12


def test_the_hard_environment_and_the_recorder_run_the_same_circuits():
    case, task = CASES["reverse"], get_task("reverse")
    batch = task.sample(np.random.default_rng(0), np.arange(1, 9), 20)
    envs = gym.make_vec(
        "NRAM/Reverse-v0", num_envs=8, differentiable=True, num_registers=4, hard=True, memory_size=20
    )
    envs.reset(seed=0, options={"instance": batch, "horizon": 12})
    program = program_of(case)
    runs = circuit_steps(PlantedNetwork(program), Inputs(batch.memory, np.full(8, 12)))
    for time, (machine, output, _, _) in enumerate(runs):
        packed = case.config.layout.one_hot(output.choices)
        logits = np.concatenate([packed, -np.ones((8, 1))], axis=1)
        envs.step(torch.from_numpy(logits).float())
        state = envs.unwrapped.state
        assert torch.equal(state.registers.argmax(-1), torch.from_numpy(machine.registers)), time
        assert torch.equal(state.memory.argmax(-1), torch.from_numpy(machine.memory)), time
    assert time == 11
    envs.close()
