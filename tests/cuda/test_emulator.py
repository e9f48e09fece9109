"""The emulation of a card: right kernels give what they should, and each fault of a wrong one is seen."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.cuda import jobs
from tests.cuda.emulator import COMPILER, SANITIZED, EmulationError, emulated

MAPS = Path("/proc/self/maps")

pytestmark = pytest.mark.skipif(COMPILER is None, reason="the emulation needs a C++ compiler")


def run(kernel, at=0, seed=0, **how):
    """What a kernel writes; see `jobs.run`."""
    return jobs.run(emulated(jobs.SOURCE, jobs.DEFINES, seed), torch.device("cpu"), kernel, at, **how)


def mappings():
    return MAPS.read_text().count("\n")


def results(kernel, **how):
    """How many different results there are over some seeds."""
    return len({str(run(kernel, seed=seed, **how)) for seed in range(8)})


def test_blocks_of_threads_with_shared_memory():
    expected = [*range(64, 0, -1), *range(128, 64, -1)]
    assert run("reverse", blocks=2, out=128) == expected
    assert results("reverse", blocks=2, out=128) == 1


@pytest.mark.parametrize("kernel", ["reverse_without_barrier", "last_to_write", "reverse_by_warp"])
def test_a_race_gives_other_results_for_other_seeds(kernel):
    assert results(kernel) > 1
    assert len({str(run(kernel, seed=3)) for _ in range(3)}) == 1


@pytest.mark.skipif(not MAPS.exists(), reason="lists mappings as Linux does")
def test_a_launch_leaves_no_stacks_behind():
    """Each is two mappings, of which a process may have 65,530: of 1,024 threads in 32 libraries too many."""
    kernels = emulated(jobs.SOURCE, {**jobs.DEFINES, "FRESH": 1})
    before = mappings()
    jobs.run(kernels, torch.device("cpu"), "reverse")
    with pytest.raises(EmulationError):
        jobs.run(kernels, torch.device("cpu"), "load_four", at=1)
    assert mappings() < before + 64


def test_a_race_between_blocks_gives_other_results_for_other_seeds():
    assert results("last_block_to_write", blocks=8) > 1


def test_a_warp_s_own_barrier_is_enough_for_a_warp():
    assert results("reverse_by_warp", threads=32) == 1


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_misaligned_vector_is_an_error(at):
    for kernel in ("load_four", "store_four"):
        with pytest.raises(EmulationError, match=rf"{kernel}: block 0, thread .*faulty.cu:\d+: a misaligned"):
            run(kernel, at)
    if at != 2:
        with pytest.raises(EmulationError, match="misaligned"):
            run("load_pair", at)


def test_an_aligned_vector_is_none():
    assert run("load_four", 4)[0] == 5 + 6 + 7 + 8
    assert run("store_four", 8)[8:12] == [1, 2, 3, 4]
    assert run("load_pair", 2)[0] == 3 + 4


@pytest.mark.parametrize("size", [4, 100, 256])
@pytest.mark.parametrize("beyond", [0, 1, 5000, 10**6])
def test_a_write_behind_the_shared_memory_is_an_error(size, beyond):
    with pytest.raises(EmulationError, match=f"of its {size} bytes of shared memory"):
        run("write_shared", size // 4 + beyond, shared_bytes=size)
    run("write_shared", size // 4 - 1, shared_bytes=size)


@pytest.mark.parametrize("at", [-1, -30, -4000])
def test_a_write_before_the_shared_memory_is_an_error(at):
    with pytest.raises(EmulationError, match=f"wrote {-4 * at} bytes before its shared memory"):
        run("write_shared", at)


def test_shared_memory_that_was_not_written_is_not_a_number():
    assert run("read_shared", 7)[0] != run("read_shared", 7)[0]


def test_the_next_block_does_not_see_the_last_one_s_shared_memory():
    run("write_shared", 7)
    assert run("read_shared", 7)[0] != run("read_shared", 7)[0]


def test_an_index_outside_an_array_is_an_error():
    assert run("index_own_array", 3, threads=1)[0] == 11
    with pytest.raises(EmulationError, match=r"faulty.cu:\d+: index 4 is not in its array"):
        run("index_own_array", 4, threads=1)


def test_threads_that_differ_in_their_barriers_are_an_error():
    with pytest.raises(EmulationError, match=r"waits at .*__syncthreads.*, thread \d+ at a shuffle"):
        run("some_skip_the_barrier", 10)
    with pytest.raises(EmulationError, match=r"threads differ .* at (a shuffle|__syncwarp) .* at"):
        run("half_a_warp_shuffles_for_all")
    with pytest.raises(EmulationError, match="under mask 0000ffff, which lacks it"):
        run("shuffles_for_others")


def test_threads_that_have_returned_are_not_waited_for():
    assert run("some_return_before_the_barrier", 10)[:10] == list(range(10, 0, -1))
    swapped = [2, 1, 4, 3]
    assert run("half_a_warp_shuffles")[:4] == swapped
    assert run("half_a_warp_shuffles_alone")[:4] == swapped


def test_warps_may_shuffle_differently_often():
    assert run("warps_go_their_own_way")[30:34] == [31, 32, 33 + 34, 34 + 35]


def test_shuffles_stay_within_their_width():
    found = torch.tensor(run("shuffles", 8, out=6 * 64), device="cpu").view(6, 64)[:, 8:16].tolist()
    assert found[0] == [12, 11, 10, 9, 16, 15, 14, 13]
    assert found[1] == [9, 10, 9, 10, 11, 12, 13, 14]
    assert found[2] == [11, 12, 13, 14, 15, 16, 15, 16]
    assert found[3] == [14] * 8
    assert found[4] == [1] * 8
    assert found[5] == list(range(7, 15))


def test_a_width_that_is_no_power_of_two_is_an_error():
    with pytest.raises(EmulationError, match="shuffles by a width of 12"):
        run("shuffles", 12, out=6 * 64)


def test_votes_and_atomic_operations():
    ballot, any_of, all_of, some, every, count, bits, added = run("votes", 33)
    assert (ballot, any_of, all_of, some, every, count) == (2, 1, 0, 1, 1, 33)
    assert (bits, added) == (2**31 - 1, 64)


def test_faults_of_the_processor_are_errors():
    with pytest.raises(EmulationError, match="divides a whole number by zero"):
        run("divide", 0)
    with pytest.raises(EmulationError, match=r"touches address 0x\w+, where no memory is"):
        run("touch", 2**31 - 1)


@pytest.mark.skipif(
    not SANITIZED, reason="only the sanitizers' allocator knows where tensors end: make sanitize"
)
def test_a_write_outside_a_tensor_ends_the_process():
    code = "from tests.cuda.test_emulator import run; run('touch', {}, out=64)"
    for at, wrong in ((63, False), (64, True), (-1, True)):
        ran = subprocess.run([sys.executable, "-c", code.format(at)], capture_output=True, text=True)
        assert ("heap-buffer-overflow" in ran.stderr, ran.returncode != 0) == (wrong, wrong)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"threads": 65}, "a block of 65 threads; this kernel's have 1 to 64"),
        ({"threads": 0}, "a block of 0 threads"),
        ({"blocks": 0}, "0 blocks"),
        ({"shared_bytes": 227 * 1024 + 1}, "232449 bytes of shared memory; a block has at most 232448"),
    ],
)
def test_a_launch_that_a_card_refuses_is_an_error(how, message):
    with pytest.raises(EmulationError, match=message):
        run("last_to_write", **how)


def test_fibers_are_the_same_on_any_processor():
    plain = emulated(jobs.SOURCE, {**jobs.DEFINES, "ANY_PROCESSOR": 1}, seed=5)
    cpu = torch.device("cpu")
    assert str(jobs.run(plain, cpu, "reverse_without_barrier")) == str(run("reverse_without_barrier", seed=5))
    with pytest.raises(EmulationError, match="__syncthreads"):
        jobs.run(plain, cpu, "some_skip_the_barrier", 10)


def test_the_emulation_goes_on_after_an_error():
    with pytest.raises(EmulationError):
        run("write_shared", 10**6)
    assert run("reverse")[0] == 64
