"""Loading and starting kernels by the driver, which is played by an object that writes down its calls."""

import ctypes
import threading
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from nram_env.machine.backends.cuda import driver
from nram_env.machine.backends.cuda.error import KernelError

CARD = torch.device("cuda", 1)


class Record(ctypes.Structure):
    """Any."""

    _fields_ = (("x", ctypes.c_int), ("y", ctypes.c_float))


class Driver:
    """Answers every call with success, but for those of which the status is given."""

    def __init__(self, **status):
        self.calls, self.status = [], status

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append((name, arguments))
            return self.status.get(name, 0)

        return call

    def cuGetErrorString(self, status, words):  # noqa: N802
        words._obj.value = b"the reason"
        return 0

    def cuDeviceGet(self, number, ordinal):  # noqa: N802
        number._obj.value = 10 + ordinal.value
        return 0

    def cuDeviceGetAttribute(self, value, attribute, number):  # noqa: N802
        value._obj.value = {(97, 11): 232448}[attribute.value, number.value]
        return 0

    def all(self, name):
        """What the calls of that name were given."""
        return [arguments for called, arguments in self.calls if called == name]


@pytest.fixture
def play(monkeypatch):
    """Let an object be the driver of a card on which torch's stream is number 77."""

    def install(**status):
        played = Driver(**status)
        monkeypatch.setattr(driver, "load", lambda: played)
        monkeypatch.setattr(driver, "current", lambda device: nullcontext(77))
        return played

    return install


def test_a_kernel_is_started_with_its_record_on_torch_s_stream(play):
    played = play()
    record = Record(3, 0.5)
    driver.Loaded(b"machine code", CARD).launch("kernel", 5, 64, 128, record)
    assert played.all("cuModuleLoadData")[0][1] == b"machine code"
    assert played.all("cuModuleGetFunction")[0][2] == b"kernel"
    ((_, *numbers, stream, arguments, extra),) = played.all("cuLaunchKernel")
    assert [number.value for number in numbers] == [5, 1, 1, 64, 1, 1, 128]
    assert stream.value == 77
    assert extra is None
    assert ctypes.cast(arguments[0], ctypes.POINTER(Record)).contents.y == 0.5


def test_functions_are_looked_up_once_and_allowed_more_shared_memory_when_they_want_more(play):
    played = play()
    loaded = driver.Loaded(b"", CARD)
    for shared_bytes in (100, 100, 50, 200, 200):
        loaded.launch("kernel", 1, 32, shared_bytes, Record())
    loaded.launch("other", 1, 32, 0, Record())
    assert [name for _, _, name in played.all("cuModuleGetFunction")] == [b"kernel", b"other"]
    allowed = [(what.value, most.value) for _, what, most in played.all("cuFuncSetAttribute")]
    assert allowed == [(8, 100), (8, 200)]


def test_the_shared_memory_of_a_card_is_asked_of_the_driver(play):
    play()
    assert driver.shared_memory(CARD) == 227 * 1024


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            {"cuModuleLoadData": 209},
            r"cuda:1 does not load kernels: the reason \(CUDA error 209\); the driver is older",
        ),
        ({"cuModuleGetFunction": 500}, r"there is no kernel kernel: the reason \(CUDA error 500\)$"),
        (
            {"cuFuncSetAttribute": 1},
            "kernel wants 128 bytes of shared memory, more than cuda:1 has: .*; take a",
        ),
        (
            {"cuLaunchKernel": 701},
            "cuda:1 does not start kernel in 5 blocks of 64 threads: .*; the card does",
        ),
        ({"cuLaunchKernel": 700}, "an earlier kernel failed, and the process has to be started anew"),
    ],
)
def test_what_the_driver_refuses_is_an_error_that_says_what_to_do(play, status, message):
    play(**status)
    with pytest.raises(KernelError, match=message):
        driver.Loaded(b"", CARD).launch("kernel", 5, 64, 128, Record())


def test_every_thread_lets_torch_work_on_a_card_before_the_driver_does(monkeypatch):
    made = []
    monkeypatch.setattr(torch.cuda, "device", nullcontext)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: SimpleNamespace(cuda_stream=77))
    monkeypatch.setattr(torch, "zeros", lambda *size, dtype, device: made.append(device))

    def work():
        for index in (0, 1, 0):
            with driver.current(torch.device("cuda", index)) as stream:
                assert stream == 77

    for _ in range(2):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert made == [torch.device("cuda", 0), torch.device("cuda", 1)] * 2


def test_a_missing_driver_is_an_error(monkeypatch):
    monkeypatch.setattr(driver, "load", lambda: None)
    with pytest.raises(KernelError, match=r"libcuda\.so\.1 was not found; install NVIDIA's driver"):
        driver.Loaded(b"", CARD)
