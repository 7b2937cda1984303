"""Play jobs in worker processes, or here; what is found does not depend on which.

Workers are spawned, so each imports everything anew. They end with the process that
started them, however that ends.
"""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

Tick = Callable[[float], None]

TRIES = 3
"""How often a job is begun whose worker dies, as for want of memory."""

EVERY = 0.1
"""Least seconds between two messages about a job's progress."""

FAILURES = (Exception, SystemExit)
"""What ends a job but not the run: a user's code may well call `sys.exit`."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Job(Protocol):
    """What a worker is given: it can be pickled, and has a name for messages."""

    @property
    def name(self) -> str:
        """What messages call it."""


class JobError(ValueError):
    """A job that failed, or whose worker died again and again."""


def run_jobs(
    play: Callable[[Any, Tick], Any],
    queue: deque[Any],
    workers: int,
    *,
    done: Callable[[Any, Any], None],
    tick: Callable[[Any, float], None],
    say: Callable[[str], None],
) -> None:
    """Play jobs until none is left.

    Args:
        play: from a job and a function that is told its progress, to what was found; a
            function of a module, so that workers find it.
        queue: the jobs, taken from the left; `done` may add more.
        workers: how many processes, at least 1; one means this process.
        done: called here with each job and what was found, in any order.
        tick: called here with a job and the share of it that is done.
        say: told what the user should know.

    Raises:
        JobError: If a job raised an exception, or its worker died `TRIES` times.
    """
    if workers > 1 and len(queue) > 1:
        _run_apart(play, queue, workers, done, tick, say)
        return
    while queue:
        job = queue.popleft()
        try:
            found = play(job, lambda share, job=job: tick(job, share))  # type: ignore[misc]
        except FAILURES as error:
            raise JobError(f"{job.name}: {_told(error)}") from error
        done(job, found)


@dataclass
class Worker:
    """A process, this end of its pipe, and what it is at."""

    process: BaseProcess
    link: Connection
    job: Any = None


def _run_apart(
    play: Callable[[Any, Tick], Any],
    queue: deque[Any],
    count: int,
    done: Callable[[Any, Any], None],
    tick: Callable[[Any, float], None],
    say: Callable[[str], None],
) -> None:
    crew: list[Worker] = []
    deaths: Counter[str] = Counter()
    try:
        while queue or any(worker.job is not None for worker in crew):
            idle = [worker for worker in crew if worker.job is None]
            while queue and (idle or len(crew) < count):
                if not idle:
                    crew.append(_hire(play))
                    idle.append(crew[-1])
                worker = idle.pop()
                worker.job = queue.popleft()
                _send(worker)
            busy = {worker.link: worker for worker in crew if worker.job is not None}
            for link in wait(list(busy)):
                worker = busy[link]  # type: ignore[index]
                job = worker.job
                try:
                    kind, value = worker.link.recv()
                except (EOFError, OSError):
                    crew.remove(worker)
                    why = _dismiss(worker)
                    deaths[job.name] += 1
                    if deaths[job.name] == TRIES:
                        raise JobError(
                            f"{job.name}: its worker process died {TRIES} times, last by {why}"
                        ) from None
                    say(f"a worker process died by {why} at {job.name}, which is begun again")
                    queue.appendleft(job)
                    continue
                if kind == "tick":
                    tick(job, value)
                elif kind == "failed":
                    raise JobError(f"{job.name}: {value}")
                else:
                    worker.job = None
                    done(job, value)
    finally:
        for worker in crew:
            _dismiss(worker)


def _send(worker: Worker) -> None:
    try:
        worker.link.send(worker.job)
    except OSError:
        return  # it has died, which the next look at its pipe tells


def _hire(play: Callable[[Any, Tick], Any]) -> Worker:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(play, there), daemon=True)
    with _inherited():
        process.start()
    there.close()
    return Worker(process, here)


@contextmanager
def _inherited() -> Iterator[None]:
    """What is started within computes in one thread, and leaves Ctrl-C to this process."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    masked = hasattr(signal, "pthread_sigmask")
    if masked:
        resource_tracker.ensure_running()  # as it starts it would let the signal through again
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masked else set()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if masked:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _dismiss(worker: Worker) -> str:
    """End a worker at once and return how it ended."""
    worker.process.kill()
    worker.process.join()
    worker.link.close()
    code = worker.process.exitcode or 0
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _serve(play: Callable[[Any, Tick], Any], link: Connection) -> None:
    """Play what comes through the pipe until it is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = link.recv()
        except EOFError:
            return
        last = time.monotonic()

        def tick(share: float) -> None:
            nonlocal last
            if time.monotonic() - last >= EVERY:
                last = time.monotonic()
                link.send(("tick", share))

        try:
            found = ("done", play(job, tick))
        except FAILURES as error:
            found = ("failed", _told(error))
        link.send(found)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _told(error: BaseException) -> str:
    """Return an exception in one line; one that is no `ValueError` with where it arose."""
    text = " ".join(f"{error}".split()) or "no message"
    if isinstance(error, ValueError):
        return text
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {text} ({last.filename}, line {last.lineno})"
