"""What takes long to make, made once in threads: while somebody waits for it, or ahead of that."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")


class Builds(Generic[Key, Result]):
    """Results by their keys.

    All are made in threads that end with the process, so that whoever waits can be interrupted. What fails
    is made anew when it is asked for again.

    Args:
        make: Makes one, in any thread.
        threads: How many at most make results ahead.
    """

    def __init__(self, make: Callable[[Key], Result], threads: int) -> None:
        self._make, self._most = make, threads
        self._lock = threading.Lock()
        self._futures: dict[Key, Future[Result]] = {}
        self._ahead: deque[Key] = deque()
        self._helpers = 0
        self._threads: list[threading.Thread] = []

    def get(self, key: Key) -> Result:
        """The result of a key, for which this waits; raises what making it raised."""
        with self._lock:
            future = self._futures.setdefault(key, Future())
            if self._claim(key):
                self._start(self._fulfil, key)
        return future.result()

    def ahead(self, keys: Iterable[Key]) -> None:
        """Begin to make results, in the order of their keys; returns at once."""
        with self._lock:
            new = [key for key in dict.fromkeys(keys) if key not in self._futures]
            self._futures.update((key, Future()) for key in new)
            self._ahead.extend(new)
            for _ in range(min(len(new), self._most - self._helpers)):
                self._helpers += 1
                self._start(self._help)

    def close(self) -> None:
        """Begin nothing more ahead, and wait for what is being made."""
        with self._lock:
            self._ahead.clear()
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _claim(self, key: Key) -> bool:
        """Whether nobody makes the result of a key yet; the caller now does."""
        future = self._futures.get(key)
        if future is None or future.running() or future.done():
            return False
        return future.set_running_or_notify_cancel()

    def _help(self) -> None:
        while (key := self._next()) is not None:
            self._fulfil(key)

    def _next(self) -> Key | None:
        with self._lock:
            while self._ahead:
                key = self._ahead.popleft()
                if self._claim(key):
                    return key
            self._helpers -= 1
            return None

    def _fulfil(self, key: Key) -> None:
        future = self._futures[key]
        try:
            result = self._make(key)
        except BaseException as error:
            with self._lock:
                del self._futures[key]
            future.set_exception(error)
        else:
            future.set_result(result)
