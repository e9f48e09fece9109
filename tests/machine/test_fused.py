"""The fused backend equals the reference, whatever the machine, the sizes and the instruction set."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nram_env.machine import PAPER_GATES, Gate, MachineConfig, MachineState, initial_state, timestep
from nram_env.machine.backends import library

built = pytest.mark.skipif(not library.LIBRARY_FILE.exists(), reason="the native library was not built here")
INSTRUCTION_SETS = range(library.best_instruction_set() + 1 if library.LIBRARY_FILE.exists() else 1)
OUTPUTS = ("registers", "memory", "survival", "entropy", "halting_entropy", "log_likelihood")
GRADIENTS = ("d registers", "d memory", "d survival", "d logits")


@pytest.fixture(params=INSTRUCTION_SETS, ids=lambda index: library.INSTRUCTION_SETS[index])
def instruction_set(request, monkeypatch):
    """Every instruction set that this processor has, in turn."""
    monkeypatch.setattr(library, "best_instruction_set", lambda: request.param)


class Problem:
    """Random inputs of one timestep and random gradients of its outputs."""

    def __init__(
        self, config: MachineConfig, batch: int, size: int, seed: int = 0, scale: float = 1.0
    ) -> None:
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=generator)

        registers, memory = (batch, config.num_registers, size), (batch, size, size)
        self.config = config
        self.inputs = (
            torch.softmax(2 * normal(*registers), -1),
            torch.softmax(2 * normal(*memory), -1),
            torch.rand(batch, generator=generator),
            scale * normal(batch, config.layout.size),
        )
        self.target = torch.randint(size, (batch, size), generator=generator)
        self.mask = torch.rand(batch, size, generator=generator) < 0.5
        self.upstream = (normal(*registers), normal(*memory), *(normal(batch) for _ in range(4)))

    def solve(
        self,
        backend: str,
        clip: float | None = None,
        rows: slice = slice(None),
        rescale: bool = False,
        dtype: torch.dtype = torch.float32,
    ):
        """Outputs and gradients by name."""
        inputs = [tensor[rows].to(dtype, copy=True).requires_grad_() for tensor in self.inputs]
        result = timestep(
            self.config,
            MachineState(*inputs[:3]),
            inputs[3],
            target=self.target[rows],
            mask=self.mask[rows],
            activation_clip=clip,
            rescale=rescale,
            backend=backend,
        )
        state = result.state
        scores = (result.entropy, result.halting_entropy, result.log_likelihood)
        outputs = (state.registers, state.memory, state.survival, *scores)
        gradients = torch.autograd.grad(outputs, inputs, [upper[rows].to(dtype) for upper in self.upstream])
        return dict(zip(OUTPUTS, outputs, strict=True)), dict(zip(GRADIENTS, gradients, strict=True))


def assert_equal_to_reference(problem: Problem, clip: float | None = None, rescale: bool = False) -> None:
    """Each output and gradient within 1e-5 of the largest number in it.

    The reference computes in float64: where terms cancel, in float32 it is itself further off than that.
    """
    fused = problem.solve("fused", clip, rescale=rescale)
    reference = problem.solve("reference", clip, rescale=rescale, dtype=torch.float64)
    for found, wanted in zip(fused, reference, strict=True):
        for name, values in wanted.items():
            tolerance = 1e-5 * values.abs().max().item() + 1e-30
            assert (found[name] - values).abs().max() <= tolerance, name


@built
@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize(
    ("registers", "gates", "size", "batch"),
    [
        (4, PAPER_GATES, 16, 33),
        (2, PAPER_GATES * 2, 3, 7),
        (1, PAPER_GATES, 2, 1),
        (8, PAPER_GATES, 9, 20),
        (5, PAPER_GATES, 11, 16),
        (3, ["WRITE", "READ", "WRITE", "ADD", "EQUALITY-TEST", "TWO"], 5, 17),
        (2, PAPER_GATES, 64, 3),
        (2, ["ZERO"], 4, 3),
    ],
)
def test_values_and_gradients_equal_the_reference(instruction_set, registers, gates, size, batch, clip):
    assert_equal_to_reference(Problem(MachineConfig(registers, gates), batch, size), clip)


@built
@pytest.mark.parametrize("gate", list(Gate), ids=lambda gate: gate.label)
def test_a_gate_alone_equals_the_reference(instruction_set, gate):
    for size in (2, 5, 8):
        assert_equal_to_reference(Problem(MachineConfig(2, [gate, gate]), batch=6, size=size))


@built
def test_where_terms_cancel_the_reference_is_the_one_that_errs():
    assert_equal_to_reference(Problem(MachineConfig(1, [Gate.READ]), batch=1, size=8, seed=17), clip=1e-3)


@built
@settings(max_examples=60, deadline=None)
@given(
    gates=st.lists(st.sampled_from(Gate), min_size=1, max_size=20),
    registers=st.integers(1, 9),
    size=st.integers(2, 20),
    batch=st.integers(1, 40),
    clip=st.sampled_from([None, 1e-3, 0.1, 1.0]),
    seed=st.integers(0, 1000),
)
def test_any_machine_equals_the_reference(gates, registers, size, batch, clip, seed):
    assert_equal_to_reference(Problem(MachineConfig(registers, gates), batch, size, seed), clip)


@built
def test_sharp_selectors_equal_the_reference(instruction_set):
    assert_equal_to_reference(Problem(MachineConfig(3), batch=9, size=6, scale=100.0))


@built
def test_rescaling_equals_that_of_the_reference(instruction_set):
    problem = Problem(MachineConfig(3), batch=19, size=7)
    problem.inputs[0].mul_(torch.linspace(0.5, 2, 19)[:, None, None])  # sums that rescaling must mend
    problem.inputs[1].mul_(torch.linspace(2, 0.5, 19)[:, None, None])
    assert_equal_to_reference(problem, rescale=True)
    outputs, _ = problem.solve("fused", rescale=True)
    for name in ("registers", "memory"):
        torch.testing.assert_close(outputs[name].sum(-1), torch.ones(outputs[name].shape[:-1]))


@built
def test_an_unroll_equals_the_reference_from_the_first_action_on():
    config, gradients = MachineConfig(4), {}
    for backend in ("reference", "fused"):
        actions = torch.randn(6, 5, config.layout.size, generator=torch.Generator().manual_seed(3))
        actions.requires_grad_()
        state = initial_state(config, torch.arange(35).reshape(5, 7) % 7)
        loss = torch.zeros(())
        for logits in actions:
            moved = timestep(config, state, logits, activation_clip=0.5, backend=backend)
            state, loss = moved.state, loss + moved.entropy.mean() * moved.state.survival.sum()
        (loss + state.memory.square().sum()).backward()
        gradients[backend] = actions.grad
    tolerance = 1e-5 * gradients["reference"].abs().max().item()
    assert gradients["reference"][0].abs().max() > 1e-3
    assert (gradients["fused"] - gradients["reference"]).abs().max() < tolerance


@built
@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_no_bit(threads):
    problem, before = Problem(MachineConfig(4), batch=400, size=16), torch.get_num_threads()
    single = problem.solve("fused")
    try:
        torch.set_num_threads(threads)
        several = problem.solve("fused")
    finally:
        torch.set_num_threads(before)
    for one, other in zip(single, several, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


@built
def test_an_example_depends_on_no_other_in_its_batch(instruction_set):
    problem = Problem(MachineConfig(4), batch=37, size=6)
    whole, alone = problem.solve("fused"), problem.solve("fused", rows=slice(21, 22))
    for together, single in zip(whole, alone, strict=True):
        assert all(torch.equal(together[name][21:22], single[name]) for name in single)


@built
def test_a_number_that_is_not_one_stays_in_its_own_example():
    problem = Problem(MachineConfig(2), batch=5, size=4)
    problem.inputs[3][2, 7] = float("nan")
    outputs, gradients = problem.solve("fused")
    for name, values in (outputs | gradients).items():
        finite = torch.isfinite(values).flatten(1).all(1) if values.ndim > 1 else torch.isfinite(values)
        assert finite[[0, 1, 3, 4]].all(), name
    assert outputs["registers"][2].isnan().any()
    assert gradients["d logits"][2].isnan().any()


@built
def test_a_probability_below_the_log_floor_has_no_gradient():
    config = MachineConfig(1, ["ZERO"])
    state = initial_state(config, torch.tensor([[1, 0]]))
    memory = state.memory.requires_grad_()
    likelihood = timestep(
        config,
        state,
        torch.zeros(1, config.layout.size),
        target=torch.tensor([[0, 0]]),
        mask=torch.tensor([[True, True]]),
        log_floor=1e-3,
        backend="fused",
    ).log_likelihood
    assert likelihood.item() == pytest.approx(torch.tensor(1e-3).log().item())
    likelihood.backward()
    assert memory.grad.tolist() == [[[0, 0], [1, 0]]]


@built
def test_only_gradients_that_are_needed_are_given():
    config = MachineConfig(2)
    state = initial_state(config, torch.tensor([[1, 0, 2]]))
    logits = torch.zeros(1, config.layout.size, requires_grad=True)
    timestep(config, state, logits, backend="fused").entropy.sum().backward()
    assert logits.grad.abs().max() < 1e-6  # equal logits: the entropy is at its maximum
    assert state.memory.grad is None


@built
def test_no_graph_is_built_without_a_gradient_to_give():
    config = MachineConfig(2)
    state = initial_state(config, torch.tensor([[1, 0, 2]]))
    assert not timestep(config, state, torch.zeros(1, config.layout.size)).entropy.requires_grad


@built
def test_gradients_that_lie_apart_in_memory_are_taken():
    problem = Problem(MachineConfig(2), batch=3, size=4)
    logits = problem.inputs[3].requires_grad_()
    memory = timestep(problem.config, MachineState(*problem.inputs[:3]), logits, backend="fused").state.memory
    upper = torch.randn(4, 4, 3).permute(2, 1, 0)
    (found,) = torch.autograd.grad(memory, logits, upper, retain_graph=True)
    (wanted,) = torch.autograd.grad(memory, logits, upper.contiguous())
    assert torch.equal(found, wanted)
