"""Signals that ask for an end, as a question that a loop puts between two rounds."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_STOPPING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that ask for an end; Windows has no SIGHUP."""


@contextmanager
def polite_stop() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C, termination and hang-up into a request to stop after the update.

    A Ctrl-C after such a request interrupts at once. What is ignored, as SIGHUP is under nohup, stays so.
    """
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    heard = [number for number in _STOPPING if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, ask) for number in heard}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
