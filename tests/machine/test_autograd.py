"""What docs/autograd.md says: which derivatives there are, of what, and which are one clear error."""

from collections.abc import Callable

import gymnasium
import pytest
import torch
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint

from nram_env.machine import MachineConfig, MachineState, initial_state, timestep
from nram_env.machine.backends import library, reference

built = pytest.mark.skipif(not library.LIBRARY_FILE.exists(), reason="the native library was not built here")
CONFIG = MachineConfig(2, ["READ", "ADD", "LESS-THAN", "WRITE"])
LOGITS = torch.randn(2, CONFIG.layout.size, generator=torch.Generator().manual_seed(0))
TARGET = torch.tensor([[0, 1, 2], [2, 2, 0]])
TRAINED = {"rescale": True, "activation_clip": 0.5}
"""As where controllers are trained."""
FIRST_ONLY = r"first derivatives, backward, and no others; backend='reference' has them"

Score = Callable[[torch.Tensor], torch.Tensor]


def score(backend: str = "auto", dtype: torch.dtype = torch.float32, **options: object) -> Score:
    """The likelihood of two examples after two timesteps, as a function of the logits."""
    start = initial_state(CONFIG, torch.tensor([[2, 1, 0], [0, 0, 1]]), dtype=dtype)

    def of(logits: torch.Tensor) -> torch.Tensor:
        first = timestep(CONFIG, start, logits, backend=backend, **options)
        ask = {"target": TARGET, "mask": TARGET > 0, "backend": backend, **options}
        return timestep(CONFIG, first.state, logits, **ask).log_likelihood.sum()

    return of


def gradient(of: Score, logits: torch.Tensor = LOGITS, **options: object) -> torch.Tensor:
    given = logits.detach().requires_grad_()
    return torch.autograd.grad(of(given), given, **options)[0]


def twice(of: Score) -> torch.Tensor:
    """The gradient of the size of a gradient."""
    given = LOGITS.clone().requires_grad_()
    (first,) = torch.autograd.grad(of(given), given, create_graph=True)
    return torch.autograd.grad(first.square().sum(), given)[0]


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("options", [{}, TRAINED])
def test_a_gradient_is_the_same_again_and_through_a_checkpoint(backend, options):
    of, given = score(backend, **options), LOGITS.clone().requires_grad_()
    value, wanted = of(given), gradient(of)
    for _ in range(2):
        assert torch.equal(torch.autograd.grad(value, given, retain_graph=True)[0], wanted)
    checkpoint(of, given, use_reentrant=False).backward()
    assert torch.equal(given.grad, wanted)


def test_the_reference_has_second_derivatives():
    of = score("reference", torch.float64)
    assert torch.autograd.gradgradcheck(of, LOGITS.double().requires_grad_())
    assert twice(score("reference", **TRAINED)).isfinite().all()


@built
def test_a_second_derivative_of_native_code_is_an_error_that_names_the_backend_that_has_it():
    for backend in ("auto", "fused"):
        with pytest.raises(RuntimeError, match=FIRST_ONLY):
            twice(score(backend))
    given = LOGITS.clone().requires_grad_()
    (first,) = torch.autograd.grad(score("fused")(given), given, create_graph=True)  # which alone is no error
    with pytest.raises(RuntimeError, match=FIRST_ONLY):
        first.sum().backward()


def forward(of: Score) -> torch.Tensor:
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(of(forward_ad.make_dual(LOGITS, LOGITS.cos()))).tangent


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_the_reference_has_derivatives_in_forward_mode():
    wanted = (gradient(score("reference")) * LOGITS.cos()).sum()
    torch.testing.assert_close(forward(score("reference")), wanted)
    torch.testing.assert_close(torch.func.jvp(score(), (LOGITS,), (LOGITS.cos(),))[1], wanted)
    for options in ({"rescale": True}, {"activation_clip": 1.0}):
        with pytest.raises(NotImplementedError, match="forward mode"):
            forward(score("reference", **options))


@built
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_forward_mode_through_native_code_is_an_error_that_names_the_backend_that_has_it():
    with pytest.raises(RuntimeError, match=FIRST_ONLY):
        forward(score("fused"))


@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
@pytest.mark.parametrize("options", [{}, TRAINED])
def test_functional_transforms_take_the_reference(options, monkeypatch):
    monkeypatch.setattr(reference, "_kept", {})
    of = score(**options)
    found = torch.func.grad(of)(LOGITS)
    assert not reference._kept  # tensors that are there only within the transform
    wanted = gradient(score("reference", **options))
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(torch.func.jacrev(of)(LOGITS), wanted)
    many = torch.stack([LOGITS, -LOGITS])
    torch.testing.assert_close(torch.func.vmap(of)(many), torch.stack([of(LOGITS), of(-LOGITS)]))
    torch.testing.assert_close(torch.func.vmap(torch.func.grad(of))(many)[0], wanted)
    second = torch.func.grad(lambda logits: torch.func.grad(of)(logits).square().sum())
    torch.testing.assert_close(second(LOGITS), twice(score("reference", **options)))


@built
def test_functional_transforms_of_native_code_are_one_error():
    with pytest.raises(
        ValueError, match=r"logits must be a tensor with numbers in memory.*backend='reference' can"
    ):
        torch.func.grad(score("fused"))(LOGITS)


def test_a_subclass_of_tensor_takes_the_reference():
    class Marked(torch.Tensor):
        pass

    found = score()(LOGITS.as_subclass(Marked))
    assert type(found) is Marked
    assert torch.equal(found.as_subclass(torch.Tensor), score("reference")(LOGITS))


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # the compiler does
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_a_compiled_function_may_hold_a_timestep(backend):
    torch._dynamo.reset()
    wanted = gradient(score("reference", **TRAINED))  # and keeps what the compiler cannot look into
    compiled = torch.compile(score(backend, **TRAINED), backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(gradient(compiled), wanted)


@built
def test_native_code_in_a_compiled_function_is_an_error():
    torch._dynamo.reset()
    with pytest.raises(
        ValueError, match=r"torch.compile cannot look into native code; backend='reference' can"
    ):
        torch.compile(score("fused"), backend="eager")(LOGITS)


def episode(actions: torch.Tensor, **options: object) -> torch.Tensor:
    envs = gymnasium.make_vec(
        "NRAM/Copy-v0",
        num_envs=2,
        differentiable=True,
        memory_size=6,
        difficulty=2,
        gates=["READ", "WRITE"],
        **options,
    )
    envs.reset(seed=0)
    return torch.stack([envs.step(actions)[1] for _ in range(2)]).sum()


def actions_of(width: int) -> torch.Tensor:
    return torch.randn(2, width, generator=torch.Generator().manual_seed(0))


WIDTH = MachineConfig(4, ["READ", "WRITE"]).layout.size


@pytest.mark.parametrize("transform", [torch.func.grad, torch.func.jacrev, torch.func.vmap])
def test_functional_transforms_of_an_environment_are_one_error(transform):
    with pytest.raises(ValueError, match=r"torch.func cannot look through an environment"):
        transform(episode)(actions_of(WIDTH))


def test_episodes_of_the_reference_have_second_derivatives():
    given = actions_of(WIDTH).requires_grad_()
    (first,) = torch.autograd.grad(episode(given, backend="reference"), given, create_graph=True)
    assert torch.autograd.grad(first.square().sum(), given)[0].abs().sum() > 0


def test_what_a_network_gives_under_autocast_is_refused_as_it_is_and_taken_as_floats():
    torch.manual_seed(0)  # of some networks both rows have finished before the second timestep
    network, inputs = torch.nn.Linear(3, WIDTH), torch.ones(2, 3)
    with torch.autocast("cpu", torch.bfloat16):
        with pytest.raises(ValueError, match=r"actions must be torch.float32 .*, got torch.bfloat16"):
            episode(network(inputs))
        assert episode(network(inputs).float()) == episode(network(inputs).float().detach())


def test_a_state_of_inference_mode_serves_a_gradient_later():
    with torch.inference_mode():
        state = initial_state(CONFIG, torch.tensor([[2, 1, 0], [0, 0, 1]]))
    given = LOGITS.clone().requires_grad_()
    moved: MachineState = timestep(CONFIG, state, given).state
    moved.memory.square().sum().backward()
    assert given.grad.abs().sum() > 0
