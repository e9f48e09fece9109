"""Workers as processes of this computer, with nothing but the standard library."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from analysis.studies.scheduler import Ended, Job

_SPAWN = multiprocessing.get_context("spawn")
"""New interpreters: a fork of a process with threads, as torch has, may hang."""

_CLOSING_SECONDS = 5.0


class OrphanError(RuntimeError):
    """The driver is gone, and whoever drives the study next does this trial again from where it was saved."""


class Processes:
    """So many processes, each of which does one trial after the other; one that dies is replaced.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self.capacity = count
        self._idle: list[_Worker] = []
        self._busy: dict[str, _Worker] = {}
        self._is_stopping = False

    def begin(self, job: Job) -> None:
        """Hand a job to an idle worker, or to a new one."""
        worker = self._idle.pop() if self._idle else _Worker()
        self._busy[job.key] = worker
        worker.begin(job)

    def wait(self, seconds: float) -> list[Ended]:
        """The jobs that have ended."""
        signs = {sign: key for key, worker in self._busy.items() for sign in worker.signs}
        keys = dict.fromkeys(signs[sign] for sign in wait(list(signs), seconds))  # type: ignore[index]
        return [self._end(key) for key in keys]

    def _end(self, key: str) -> Ended:
        worker = self._busy.pop(key)
        answer = worker.answer()
        if answer is not None:
            self._idle.append(worker)
            return Ended.said(key, answer)
        code = worker.end()
        kind = "stopped" if self._is_stopping else "lost"
        return Ended(key, kind, {"error": f"its process died ({_death(code)})"})

    def stop(self) -> None:
        """Ask all that train to save."""
        self._is_stopping = True
        for worker in self._busy.values():
            worker.process.terminate()

    def close(self) -> None:
        """End all workers."""
        for worker in self._busy.values():
            worker.process.kill()
        for worker in (*self._busy.values(), *self._idle):
            worker.end()
        self._busy, self._idle = {}, []


class _Worker:
    """A process and the pipe to it."""

    def __init__(self) -> None:
        self._pipe, end = _SPAWN.Pipe()
        self.process: BaseProcess = _SPAWN.Process(target=_serve, args=(end,), name="nram trial")
        self.process.start()
        end.close()

    @property
    def signs(self) -> tuple[Connection, int]:
        """What becomes ready when it answers, or dies."""
        return self._pipe, self.process.sentinel

    def begin(self, job: Job) -> None:
        try:
            self._pipe.send((job.study, job.content, job.imports))
        except BrokenPipeError:  # it died while it was idle: `answer` will find that out
            return

    def answer(self) -> dict[str, Any] | None:
        """What it says; None if it died instead."""
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return None

    def end(self) -> int | None:
        """Let it end, as an idle one does once its pipe is closed; returns its exit code."""
        self._pipe.close()
        self.process.join(_CLOSING_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _serve(pipe: Connection) -> None:
    """Do trials until the driver closes the pipe, or is gone."""
    for number in (signal.SIGINT, getattr(signal, "SIGHUP", signal.SIGINT)):
        signal.signal(number, signal.SIG_IGN)  # of a whole terminal: the driver asks workers to stop
    from analysis.studies.work import work  # takes a second

    parent = multiprocessing.parent_process()
    assert parent is not None

    def look(*_: object) -> None:
        if not parent.is_alive():
            raise OrphanError("the driver is gone")

    try:
        while True:
            study, content, imports = pipe.recv()
            pipe.send(work(study, content, imports, look))
    except (EOFError, OSError):
        return
