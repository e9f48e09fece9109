"""One timestep: values, gradients, and what happens in which order."""

import numpy as np
import pytest
import torch

from nram_env.machine import (
    PAPER_GATES,
    Gate,
    MachineConfig,
    MachineState,
    initial_state,
    step,
    timestep,
    transition,
)
from tests.cases import integer_step, wire


def _random_state(config: MachineConfig, batch: int, size: int, dtype=torch.float64) -> MachineState:
    generator = torch.Generator().manual_seed(1)

    def distributions(*shape: int) -> torch.Tensor:
        return torch.softmax(torch.randn(*shape, generator=generator, dtype=dtype), dim=-1)

    registers = distributions(batch, config.num_registers, size)
    return MachineState(registers, distributions(batch, size, size), torch.ones(batch, dtype=dtype))


def _random_logits(config: MachineConfig, batch: int, seed: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, config.layout.size, generator=generator, dtype=torch.float64)


def _run(config: MachineConfig, circuit: dict[str, str], memory: list[int], registers: list[int]):
    """One circuit in the soft machine, from and to integers."""
    state = initial_state(config, torch.tensor([memory]), dtype=torch.float64)
    one_hot = torch.nn.functional.one_hot(torch.tensor([registers]), len(memory)).double()
    state = MachineState(one_hot, state.memory, state.survival)
    choices = list(wire(config.layout, circuit))
    after = step(config, state, torch.tensor(config.layout.one_hot([choices])))
    return after.registers[0].argmax(-1).tolist(), after.memory[0].argmax(-1).tolist()


@pytest.mark.parametrize("gates", [PAPER_GATES, PAPER_GATES * 2], ids=["14 gates", "28 gates"])
@pytest.mark.parametrize("size", [2, 3, 8])
def test_one_hot_circuits_equal_the_integer_machine(gates, size):
    config, rng, batch = MachineConfig(3, gates), np.random.default_rng(size), 20
    memories = rng.integers(size, size=(batch, size))
    state = initial_state(config, memories, dtype=torch.float64)
    expected = [([0] * 3, memory.tolist()) for memory in memories]
    for _ in range(4):
        choices = rng.integers(config.layout.choice_counts, size=(batch, len(config.layout.selectors)))
        state = step(config, state, torch.tensor(config.layout.one_hot(choices)))
        expected = [integer_step(config, *row)[:2] for row in _with(choices.tolist(), expected)]
    for values, probs in zip(zip(*expected, strict=True), (state.registers, state.memory), strict=True):
        wanted = torch.nn.functional.one_hot(torch.tensor(values), size)
        assert (probs - wanted).abs().max() < 1e-12


def _with(choices, states):
    return [(chosen, *state) for chosen, state in zip(choices, states, strict=True)]


def test_all_registers_are_updated_at_once():
    config = MachineConfig(2, ["ZERO"])
    assert _run(config, {"r0": "r1", "r1": "r0"}, [0, 0, 0], registers=[1, 2])[0] == [2, 1]


def test_a_read_after_a_write_in_one_timestep_sees_the_new_memory():
    config = MachineConfig(2, ["WRITE", "READ"])
    circuit = {"WRITE": "r0 r1", "READ": "r0", "r0": "READ"}
    assert _run(config, circuit, [0, 0, 0, 0], registers=[2, 3]) == ([3, 3], [0, 0, 3, 0])


def test_a_read_before_a_write_sees_the_old_memory():
    config = MachineConfig(2, ["READ", "WRITE"])
    circuit = {"READ": "r0", "WRITE": "r0 r1", "r0": "READ"}
    assert _run(config, circuit, [0, 0, 1, 0], registers=[2, 3]) == ([1, 3], [0, 0, 3, 0])


def test_a_gate_may_take_the_output_of_an_earlier_gate_of_its_kind():
    config = MachineConfig(1, ["INC", "INC", "INC"])
    circuit = {"INC2": "INC", "INC3": "INC2", "r0": "INC3"}
    assert _run(config, circuit, [0] * 5, registers=[0])[0] == [3]


@pytest.mark.parametrize("gates", [PAPER_GATES, ["WRITE", "READ", "ADD", "WRITE", "SUB"]])
def test_gradients_of_a_whole_timestep_equal_finite_differences(gates):
    config = MachineConfig(2, gates)
    state = _random_state(config, batch=1, size=3)
    target, mask = torch.tensor([[2, 0, 1]]), torch.tensor([[True, False, True]])

    def outputs(registers, memory, logits):
        before = MachineState(registers, memory, state.survival)
        result = timestep(config, before, logits, target=target, mask=mask, backend="reference")
        after = result.state
        scores = (result.entropy, result.halting_entropy, result.log_likelihood)
        return after.registers, after.memory, after.survival, *scores

    inputs = [state.registers, state.memory, _random_logits(config, batch=1)]
    assert torch.autograd.gradcheck(outputs, [values.requires_grad_() for values in inputs])


def test_gradients_reach_the_first_timestep_of_an_unroll():
    config = MachineConfig(3)
    state = initial_state(config, torch.tensor([[1, 2, 3, 4, 0]]), dtype=torch.float64)
    actions = [_random_logits(config, batch=1, seed=t).requires_grad_() for t in range(6)]
    for logits in actions:
        state = transition(config, state, logits)
    (state.survival.sum() + state.memory[:, 0, 3].sum()).backward()
    for logits in actions:
        gradient = logits.grad[0]
        assert torch.isfinite(gradient).all()
        assert gradient[config.layout["gate13.WRITE.p"].slice].abs().max() > 1e-8
        assert gradient[config.layout.halt] != 0


def test_activation_gradients_are_clipped_but_values_are_not():
    config = MachineConfig(2, ["INC", "WRITE"])
    results = {}
    for limit in (None, 1e-3):
        logits = _random_logits(config, batch=4).requires_grad_()
        state = _random_state(config, batch=4, size=5)
        after = transition(config, state, logits, activation_clip=limit)
        (after.memory[:, 0, 0] + after.registers[:, 0, 1]).sum().backward()
        results[limit] = after.memory.detach(), logits.grad
    torch.testing.assert_close(results[None][0], results[1e-3][0])
    assert results[1e-3][1].abs().max() < 0.1 * results[None][1].abs().max()


def test_a_huge_clip_leaves_gradients_as_they_are():
    config = MachineConfig(2)
    gradients = []
    for limit in (None, 1e9):
        logits = _random_logits(config, batch=2).requires_grad_()
        after = transition(config, _random_state(config, 2, 4), logits, activation_clip=limit)
        after.memory.square().sum().backward()
        gradients.append(logits.grad)
    assert torch.equal(*gradients)


def test_selector_entropy_is_that_of_each_softmax():
    config = MachineConfig(2)
    logits = _random_logits(config, batch=3)
    result = timestep(config, _random_state(config, 3, 4), logits, backend="reference")
    wanted = sum(
        torch.distributions.Categorical(logits=logits[:, selector.slice]).entropy()
        for selector in config.layout.selectors
    )
    torch.testing.assert_close(result.entropy, wanted)


def test_halting_entropy_is_that_of_finishing_now_or_not():
    config = MachineConfig(2)
    logits = _random_logits(config, batch=3)
    result = timestep(config, _random_state(config, 3, 4), logits, backend="reference")
    wanted = torch.distributions.Bernoulli(logits=logits[:, config.layout.halt]).entropy()
    torch.testing.assert_close(result.halting_entropy, wanted)


def test_a_transition_is_a_step_with_softmaxed_selectors_and_a_halting_chance():
    config, batch = MachineConfig(2), 3
    logits, state = _random_logits(config, batch), _random_state(config, batch, 5)
    selectors = torch.cat(
        [torch.softmax(logits[:, selector.slice], -1) for selector in config.layout.selectors], -1
    )
    by_step, by_transition = step(config, state, selectors), transition(config, state, logits)
    torch.testing.assert_close(by_transition.memory, by_step.memory)
    torch.testing.assert_close(by_transition.registers, by_step.registers)
    torch.testing.assert_close(by_transition.survival, 1 - torch.sigmoid(logits[:, -1]))


def test_one_controller_action_runs_at_any_memory_size():
    config = MachineConfig(2)
    logits = _random_logits(config, batch=1)
    for size in (2, 7, 40):
        after = transition(config, _random_state(config, 1, size), logits)
        torch.testing.assert_close(after.memory.sum(-1), torch.ones(1, size, dtype=torch.float64))


def test_gates_before_a_gate_are_its_only_choices():
    layout = MachineConfig(2, [Gate.INC, Gate.ADD]).layout
    assert [selector.size for selector in layout.selectors] == [2, 3, 3, 4, 4]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_the_reference_on_a_gpu_equals_the_reference_on_the_cpu():
    config = MachineConfig(4)
    gradients = []
    for device in ("cpu", "cuda"):
        logits = _random_logits(config, batch=8).to(device).requires_grad_()
        state = _random_state(config, 8, 9)
        state = MachineState(*(part.to(device) for part in (state.registers, state.memory, state.survival)))
        transition(config, state, logits).memory.square().sum().backward()
        gradients.append(logits.grad.cpu())
    torch.testing.assert_close(*gradients)
