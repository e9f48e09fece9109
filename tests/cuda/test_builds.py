"""What takes long to make is made once, whoever asks for it and when, and not for ever if it fails."""

import signal
import threading
import time
from itertools import count

import pytest

from nram_env.machine.backends.cuda.builds import Builds


class Slow:
    """Makes what is asked for as soon as it is let, and writes down what it makes."""

    def __init__(self):
        self.begun, self.let, self.most, self._now = [], threading.Event(), 0, 0
        self._lock = threading.Lock()

    def __call__(self, key):
        with self._lock:
            self.begun.append(key)
            self._now += 1
            self.most = max(self.most, self._now)
        self.let.wait(10)
        with self._lock:
            self._now -= 1
        return f"made {key}"


def until(condition):
    """Wait for other threads."""
    while not condition():
        time.sleep(0.001)


def test_what_is_asked_for_again_is_the_same():
    number = count()
    builds = Builds(lambda key: next(number), threads=1)
    assert [builds.get("a"), builds.get("b"), builds.get("a")] == [0, 1, 0]


def test_asking_ahead_returns_at_once_and_asking_then_waits():
    slow = Slow()
    builds = Builds(slow, threads=2)
    builds.ahead(range(5))
    builds.ahead(range(3, 7))
    threading.Timer(0.05, slow.let.set).start()
    assert [builds.get(key) for key in range(7)] == [f"made {key}" for key in range(7)]
    assert sorted(slow.begun) == list(range(7))


def test_as_many_threads_as_were_allowed_work_ahead():
    slow = Slow()
    builds = Builds(slow, threads=2)
    builds.ahead(range(4))
    builds.ahead(range(4, 8))
    threading.Timer(0.05, slow.let.set).start()
    builds.get(0)
    until(lambda: len(slow.begun) == 8)
    builds.close()
    assert slow.most == 2


def test_what_is_wanted_now_does_not_wait_for_what_was_asked_for_ahead():
    slow = Slow()
    builds = Builds(slow, threads=1)
    builds.ahead(range(9))
    waiting = threading.Thread(target=builds.get, args=(8,))
    waiting.start()
    until(lambda: 8 in slow.begun)
    assert len(slow.begun) <= 2
    slow.let.set()
    waiting.join()


def test_what_fails_says_so_to_all_and_is_made_anew():
    number = count()

    def make(key):
        if next(number) == 0:
            raise ValueError(f"no {key}")
        return key

    builds = Builds(make, threads=1)
    with pytest.raises(ValueError, match="no a"):
        builds.get("a")
    assert builds.get("a") == "a"


def test_a_failure_ahead_does_not_end_the_work():
    failed = []

    def make(key):
        if key == "a" and not failed:
            failed.append(key)
            raise ValueError("no a")
        return key

    builds = Builds(make, threads=1)
    builds.ahead("ab")
    until(lambda: failed)
    assert builds.get("b") == "b"
    assert builds.get("a") == "a"


def test_who_waits_can_be_interrupted():
    slow = Slow()
    builds = Builds(slow, threads=1)
    threading.Timer(0.05, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        builds.get("a")
    slow.let.set()
    assert builds.get("a") == "made a"
    assert slow.begun == ["a"]


def test_closing_waits_for_what_was_begun_and_forgets_the_rest():
    slow = Slow()
    builds = Builds(slow, threads=1)
    builds.ahead(range(9))
    until(lambda: slow.begun)
    threading.Timer(0.05, slow.let.set).start()
    builds.close()
    assert slow.begun == [0]
