import multiprocessing
import os
import random
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest
import work
from work import Job, lives, until

from stratagem.evaluation.workers import JobError, run_jobs


def run(play, jobs, workers, **hooks):
    """Return what was found by number; nothing may be left running."""
    found = {}
    run_jobs(
        play,
        deque(jobs),
        workers,
        **{
            "done": lambda job, value: found.__setitem__(job.number, value),
            "tick": lambda job, share: None,
            "say": lambda message: None,
            **hooks,
        },
    )
    assert multiprocessing.active_children() == []
    return found


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_same_is_found_by_any_number_of_workers_in_any_order(workers):
    jobs = [Job(i) for i in range(9)]
    random.Random(workers).shuffle(jobs)
    assert run(work.square, jobs, workers) == {i: i * i for i in range(9)}


def test_workers_are_other_processes_which_compute_in_one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    found = run(work.square_and_tell, [Job(i) for i in range(4)], 2)
    assert {k: v[0] for k, v in found.items()} == {i: i * i for i in range(4)}
    assert len({pid for _, pid, _ in found.values()} - {os.getpid()}) == 2
    assert {threads for _, _, threads in found.values()} == {"1"}
    assert os.environ["OMP_NUM_THREADS"] == "5"


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_done_may_add_jobs(workers):
    queue, found = deque([Job(1), Job(2)]), []

    def done(job, value):
        found.append(value)
        if job.number < 4:
            queue.append(Job(job.number + 2))

    run_jobs(
        work.square, queue, workers, done=done, tick=lambda job, share: None, say=lambda m: None
    )
    assert sorted(found) == [1, 4, 9, 16, 25]


def test_progress_is_told_in_shares():
    shares = []
    run(work.square, [Job(1)], 1, tick=lambda job, share: shares.append((job.number, share)))
    assert shares == [(1, 0.25), (1, 0.5), (1, 1.0)]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("play", "message"),
    [
        (work.refuse, r"^job 2: two is not allowed$"),
        (work.crash, r"^job 2: ZeroDivisionError: integer .* by zero \(.*work.py, line \d+\)$"),
        (work.leave, r"^job 2: SystemExit: enough \(.*work.py, line \d+\)$"),
    ],
)
def test_a_job_that_fails_ends_the_run_in_one_line_with_its_name(play, message, workers):
    with pytest.raises(JobError, match=message):
        run(play, [Job(i) for i in range(4)], workers)
    assert multiprocessing.active_children() == []


def test_a_job_whose_worker_dies_is_begun_again(tmp_path):
    told = []
    found = run(work.die_twice, [Job(i, str(tmp_path)) for i in range(1, 4)], 2, say=told.append)
    assert found == {1: 1, 2: 4, 3: 9}
    assert told == ["a worker process died by exit code 7 at job 2, which is begun again"] * 2


def test_a_job_whose_worker_dies_each_time_is_reported_with_its_name():
    told = []
    with pytest.raises(JobError, match=r"^job 2: its worker process died 3 times, last by SIGKILL"):
        run(work.be_killed, [Job(i) for i in range(1, 4)], 2, say=told.append)
    assert len(told) == 2
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_the_process_that_started_them_however_that_ends(tmp_path, number):
    code = "import sys, work\nwork.sleep_in_workers(sys.argv[1])"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    until(lambda: len(list(tmp_path.glob("pid-*"))) == 2)
    workers = [int(path.name[4:]) for path in tmp_path.glob("pid-*")]
    assert all(map(lives, workers))
    parent.send_signal(number)
    assert parent.wait() == -number
    until(lambda: not any(map(lives, workers)))
