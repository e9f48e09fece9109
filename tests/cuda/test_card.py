"""Small kernels on a card, where one is at hand: they do what they do in the emulation."""

import pytest
import torch

from nram_env.machine.backends.cuda import kernels
from nram_env.machine.backends.cuda.error import KernelError
from tests.cuda import jobs
from tests.cuda.emulator import COMPILER, emulated

CARD, CPU = torch.device("cuda", 0), torch.device("cpu")
OBSTACLE = kernels.obstacle(CARD)

pytestmark = pytest.mark.skipif(OBSTACLE is not None, reason=str(OBSTACLE))


@pytest.fixture(scope="module")
def built():
    """The kernels on the card."""
    return kernels.build(jobs.SOURCE, jobs.DEFINES, CARD)


@pytest.mark.skipif(COMPILER is None, reason="the emulation needs a C++ compiler")
@pytest.mark.parametrize(
    ("kernel", "how"),
    [
        ("reverse", {"blocks": 3, "out": 192}),
        ("reverse_by_warp", {"threads": 32}),
        ("some_return_before_the_barrier", {"at": 10}),
        ("half_a_warp_shuffles_alone", {}),
        ("warps_go_their_own_way", {}),
        *(("shuffles", {"at": width, "out": 6 * 64}) for width in (8, 16, 32)),
        ("votes", {"at": 33}),
        ("load_pair", {"at": 2}),
        ("load_four", {"at": 4}),
        ("store_four", {"at": 8}),
    ],
)
def test_a_card_does_what_the_emulation_does(built, kernel, how):
    assert jobs.run(built, CARD, kernel, **how) == jobs.run(
        emulated(jobs.SOURCE, jobs.DEFINES), CPU, kernel, **how
    )


def test_a_block_may_have_all_shared_memory_of_the_card_but_no_more(built):
    most = kernels.shared_memory(CARD)
    assert jobs.run(built, CARD, "reverse", shared_bytes=most)[0] == 64
    with pytest.raises(
        KernelError, match=f"reverse wants {most + 4} bytes of shared memory, more than cuda:0 has"
    ):
        jobs.run(built, CARD, "reverse", shared_bytes=most + 4)
    assert jobs.run(built, CARD, "reverse")[0] == 64


def test_what_the_card_refuses_is_an_error(built):
    with pytest.raises(KernelError, match="there is no kernel nothing"):
        jobs.run(built, CARD, "nothing")
    with pytest.raises(KernelError, match="cuda:0 does not start reverse in 1 blocks of 2000 threads"):
        jobs.run(built, CARD, "reverse", threads=2000)


class Reversed(torch.autograd.Function):
    """Its gradient is reversed by a kernel, which autograd starts from a thread of its own."""

    @staticmethod
    def forward(ctx, built, given):
        ctx.built = built
        return given.flip(0)

    @staticmethod
    def backward(ctx, gradient):
        gradient, result = gradient.contiguous(), torch.empty_like(gradient)
        ctx.built.launch("reverse", 1, 64, 256, jobs.Job(gradient.data_ptr(), result.data_ptr()))
        return None, result


def test_kernels_start_in_a_backward_pass():
    given = torch.arange(64, dtype=torch.float32, device=CARD).requires_grad_()
    weights = torch.arange(64, dtype=torch.float32, device=CARD)
    (Reversed.apply(kernels.build(jobs.SOURCE, jobs.DEFINES, CARD), given) * weights).sum().backward()
    assert given.grad.tolist() == weights.flip(0).tolist()


def test_kernels_start_on_the_current_stream_and_can_be_captured(built):
    given = torch.zeros(64, dtype=torch.float32, device=CARD)
    result = torch.zeros_like(given)
    record = jobs.Job(given.data_ptr(), result.data_ptr())
    built.launch("reverse", 1, 64, 256, record)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        given.add_(torch.arange(64, dtype=torch.float32, device=CARD))
        built.launch("reverse", 1, 64, 256, record)
    for times in (1, 2):
        graph.replay()
        assert result.tolist() == [times * x for x in range(63, -1, -1)]
