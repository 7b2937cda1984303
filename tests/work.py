"""Jobs for worker processes, which import them by name."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple


def lives(pid):
    """Return whether a process lives and is no zombie; on systems with /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def group(number):
    """Return the living processes of a process group; on systems with /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, own = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(own) == number and state != "Z":
            found.append(int(path.parent.name))
    return found


def until(holds, limit=120.0):
    """Wait until something holds."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


class Job(NamedTuple):
    """A number to square, in one way or another."""

    number: int
    folder: str = ""

    @property
    def name(self):
        return f"job {self.number}"


def square(job, tick):
    for share in (0.25, 0.5, 1.0):
        tick(share)
    return job.number**2


def square_and_tell(job, tick):
    """Also say which process did it, and in how many threads NumPy would compute."""
    time.sleep(0.2)
    return job.number**2, os.getpid(), os.environ.get("OMP_NUM_THREADS")


def refuse(job, tick):
    if job.number == 2:
        raise ValueError("two is\n  not allowed")
    return square(job, tick)


def crash(job, tick):
    if job.number == 2:
        return 1 // 0
    return square(job, tick)


def leave(job, tick):
    if job.number == 2:
        sys.exit("enough")
    return square(job, tick)


def _began(job):
    """Return how often a job was begun before."""
    path = Path(job.folder) / str(job.number)
    count = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (count + 1))
    return count


def die_twice(job, tick):
    if job.number == 2 and _began(job) < 2:
        os._exit(7)
    return square(job, tick)


def be_killed(job, tick):
    if job.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(job, tick)


def sleep(job, tick):
    (Path(job.folder) / f"pid-{os.getpid()}").touch()
    time.sleep(600)


def sleep_in_workers(folder):
    """Give two workers of this process something that takes long."""
    from collections import deque

    from stratagem.evaluation.workers import run_jobs

    run_jobs(
        sleep,
        deque([Job(1, folder), Job(2, folder)]),
        2,
        done=lambda job, found: None,
        tick=lambda job, share: None,
        say=print,
    )
