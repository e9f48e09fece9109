"""Workers as tasks of Ray, on this computer or on a cluster; Ray is installed by `pip install nram[ray]`."""

from __future__ import annotations

import logging
import signal
import socket
import time
from importlib.util import find_spec
from typing import Any

from analysis.studies.scheduler import Ended, Job, error_text
from analysis.studies.table import StudyError

_KNOCK_SECONDS = 10.0

_LOOK_SECONDS = 10.0
"""Seconds between two looks at the nodes, which come and go."""


def require_ray() -> None:
    """Say what to install where Ray is missing.

    Raises:
        StudyError: It is.
    """
    if find_spec("ray") is None:
        raise StudyError("Ray is not installed: pip install 'nram[ray]', or --local N for N processes")


def _do(study: str, content: dict[str, Any], imports: tuple[str, ...]) -> dict[str, Any]:
    """A task: `work`, which is imported where it is done.

    A task is asked to stop by SIGINT, which a cluster that was started in the background ignores.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from analysis.studies.work import work

    return work(study, content, imports, lambda *_: None)


def _knock(address: str) -> None:
    """Raise OSError at once where nobody listens; Ray itself tries for many minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), _KNOCK_SECONDS).close()


class RayWorkers:
    """Tasks of Ray, each of which asks for a share of a node's processors.

    Ray itself retries nothing: the driver does, from its table. A lost worker or node is an error of its
    task, which says which of the two it was.

    Args:
        address: Of a cluster, as in "auto" or "10.0.0.1:6379"; None to start Ray on this computer.
        processors: Processors of each trial; may be a fraction.
        at_once: Most trials at once; default: as many as there are processors for.

    Raises:
        StudyError: Ray is not installed, does not answer, or has no node with so many processors; later, by
            `wait`: the cluster is gone.
    """

    def __init__(self, address: str | None, processors: float, at_once: int | None) -> None:
        require_ray()
        import ray

        try:
            _knock(address or "local")
            ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (OSError, RuntimeError, ValueError) as error:  # a ConnectionError is an OSError
            raise StudyError(f"cannot reach Ray at {address or 'this computer'}: {error}") from error
        self._ray, self._processors, self._most = ray, processors, at_once
        task = ray.remote(_do)
        self._task = task.options(num_cpus=processors, max_retries=0, name="nram trial")
        self._jobs: dict[Any, str] = {}
        self._looked, self._slots = -_LOOK_SECONDS, 0
        if not self.capacity:
            self.close()
            raise StudyError(f"no node of the cluster has {processors:g} processors for a trial")

    @property
    def capacity(self) -> int:
        """As many as the nodes that are there now have processors for."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            nodes = [node["Resources"].get("CPU", 0.0) for node in self._ray.nodes() if node["Alive"]]
            self._looked, self._slots = now, sum(int(cpus / self._processors + 1e-9) for cpus in nodes)
        return self._slots if self._most is None else min(self._slots, self._most)

    def begin(self, job: Job) -> None:
        """Hand a job to Ray."""
        self._jobs[self._task.remote(job.study, job.content, job.imports)] = job.key

    def wait(self, seconds: float) -> list[Ended]:
        """The jobs that have ended."""
        if not self._jobs:
            time.sleep(seconds)  # until there are nodes again
            return []
        if self._ready(1, seconds):  # and whatever else has ended by now
            return [self._end(reference) for reference in self._ready(len(self._jobs), 0.0)]
        return []

    def _ready(self, count: int, seconds: float) -> list[Any]:
        from ray import exceptions

        try:
            ready, _ = self._ray.wait(list(self._jobs), num_returns=count, timeout=seconds)
        except (ConnectionError, exceptions.RaySystemError) as error:
            raise StudyError(f"the cluster is gone; the same call goes on: {error_text(error)}") from error
        return ready

    def _end(self, reference: Any) -> Ended:
        from ray import exceptions

        key = self._jobs.pop(reference)
        try:
            return Ended.said(key, self._ray.get(reference))
        except exceptions.TaskCancelledError:
            return Ended(key, "stopped", {})
        except exceptions.RayTaskError as error:  # not of the trial, whose errors `work` returns
            return Ended(key, "failed", {"error": error_text(error)})
        except exceptions.RayError as error:
            self._looked = -_LOOK_SECONDS
            return Ended(key, "lost", {"error": error_text(error)})

    def stop(self) -> None:
        """Ask all that train to save; what has not begun is dropped."""
        for reference in self._jobs:
            self._ray.cancel(reference, force=False)

    def close(self) -> None:
        """Leave the cluster, or end the one that was started here."""
        self._ray.shutdown()
