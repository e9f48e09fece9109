"""Where memory runs out, or threads do, in the midst of native code, that is one error and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agents import library

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(
    not library.LIBRARY_FILE.exists() or not sys.platform.startswith("linux") or not shutil.which("cc"),
    reason="needs the native library, a C compiler and the C library of Linux",
)

SHORTAGE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_memalign(size_t, size_t);
typedef int Create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int no_memory;   /* in any thread but the first */
int no_threads;

static int refused(void) {
    const int yes = no_memory && syscall(SYS_gettid) != getpid();
    if (yes) errno = ENOMEM;
    return yes;
}

void *malloc(size_t size) { return refused() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return refused() ? NULL : __libc_calloc(count, size); }
void *aligned_alloc(size_t step, size_t size) { return refused() ? NULL : __libc_memalign(step, size); }

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with) {
    return no_threads ? EAGAIN : ((Create *)dlsym(RTLD_NEXT, "pthread_create"))(thread, how, run, with);
}
"""

PROGRAM = """
import ctypes, sys
import numpy as np, torch
from agents import library, optimiser
from agents.config import TrainConfig
from agents.controllers import Controller, ControllerSpec
from agents.population import start
from agents.rollout import make_envs, unroll
from nram_env.machine import MachineConfig, initial_state, timestep
from nram_env.tasks import get_task

torch.set_num_threads(4)
lack = ctypes.c_int.in_dll(ctypes.CDLL(None), sys.argv[1])
config, task = MachineConfig(4), get_task("copy")
spec = ControllerSpec("lstm", config, 32)
weights = spec.initialise(torch.Generator().manual_seed(0), torch.ones(64)).requires_grad_()
batch, horizon = task.sample(np.random.default_rng(0), 5, 12, 64 * 8), np.full(64 * 8, 6)
envs = make_envs(task, config, 64 * 8)

def forward():
    return unroll(Controller(spec, weights, "fused"), envs, instance=batch, horizon=horizon).returns.sum()

def backward(lacking):
    score = forward()
    lack.value = lacking
    return torch.autograd.grad(score, weights)[0]

def step():
    state = initial_state(config, np.zeros((400, 16), dtype=np.int64))
    logits = torch.zeros(400, config.layout.size)
    return timestep(config, state, logits, backend="fused").state.memory

def update():
    population = start(TrainConfig(), 64, torch.Generator().manual_seed(0))
    optimiser.step(population, torch.ones_like(population.parameters), 1.0, (0, 0), "fused")
    return population.parameters

parts = {
    "forward": lambda _: forward(),
    "backward": backward,
    "step": lambda _: step(),
    "update": lambda _: update(),
}
for name, part in parts.items():
    wanted = part(0)
    lack.value = name != "backward"
    try:
        found = torch.equal(part(1), wanted)
    except MemoryError as error:
        found = error
    lack.value = 0
    print(name, found, torch.equal(part(0), wanted))
"""


@pytest.fixture(scope="module")
def shortage(tmp_path_factory) -> Path:
    """A library that refuses memory or threads when it is told to."""
    folder = tmp_path_factory.mktemp("shortage")
    (folder / "shortage.c").write_text(SHORTAGE)
    made = folder / "shortage.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", made, folder / "shortage.c", "-ldl"], check=True)
    return made


def lacking(shortage: Path, what: str) -> list[str]:
    """What a process says that lacks memory or threads in one part of the work after the other.

    An error, or whether the numbers are the usual ones; then whether they are when nothing lacks any more.
    """
    command = ["env", f"LD_PRELOAD={shortage}", sys.executable, "-c", PROGRAM, what]
    result = subprocess.run(command, cwd=HERE.parent.parent, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_a_worker_without_memory_is_one_error_and_the_next_call_works(shortage):
    error = "there is not enough memory for the workspace of the native library"
    assert lacking(shortage, "no_memory") == [
        f"forward {error} True",
        f"backward {error} True",
        "step True True",  # whose workers need none of their own
        "update True True",
    ]


def test_without_further_threads_one_computes_the_same(shortage):
    parts = ("forward", "backward", "step", "update")
    assert lacking(shortage, "no_threads") == [f"{part} True True" for part in parts]
