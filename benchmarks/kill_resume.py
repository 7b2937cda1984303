"""Kill a bench again and again, resume it, and compare its rows with those of an undisturbed run.

    python benchmarks/kill_resume.py [--suite quick] [--workers 2] [--kills 20] [--seed 0]

Each time the whole process group is killed with SIGKILL: at a random moment, or, every other
time, when the next file appears after a random moment, so that writing is interrupted too. At the
end only the parent is killed, and its workers must end by themselves. Runs on Linux.

What must hold, or an `AssertionError` says what does not:

- a unit that is stored whole stays, and none of its files is ever written again;
- at most one unit is stored in part, and at most one file is torn, under a name of its own;
- the content hash of the finished results, and every table, are those of the undisturbed run.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stratagem.evaluation import read_manifest
from stratagem.evaluation.plans import planned
from stratagem.scenarios import suite

SEEDS = 10
"""Sessions per line-up."""


class Stored(NamedTuple):
    """What a folder holds."""

    whole: dict[str, tuple[int, int]]  # files of units that are stored whole: inode and time
    units: int  # how many units that is
    partial: int  # units of which only some files are there
    torn: int  # temporary files


def stored(folder: Path, units: list[tuple[str, ...]]) -> Stored:
    """Return what a folder holds of these units, each given as the paths of its files."""
    there: dict[str, tuple[int, int]] = {}
    for files in units:
        for file in files:
            if (folder / file).is_file():
                facts = (folder / file).stat()
                there[file] = (facts.st_ino, facts.st_mtime_ns)
    count = [sum(file in there for file in files) for files in units]
    whole = [files for files, k in zip(units, count, strict=True) if k == len(files)]
    return Stored(
        {file: there[file] for files in whole for file in files},
        len(whole),
        sum(0 < k < len(files) for files, k in zip(units, count, strict=True)),
        len(list(folder.rglob(".*.part"))),
    )


def start(options: argparse.Namespace, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a bench in a process group of its own."""
    command = [
        *(sys.executable, "-c", "import sys; from stratagem.cli import main; sys.exit(main())"),
        *("bench", "--suite", options.suite, "--workers", str(options.workers)),
        *("--seeds", str(SEEDS), "--out", str(folder)),
    ]
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)


def finish(options: argparse.Namespace, folder: Path, log: Path) -> None:
    """Run a bench to its end."""
    process = start(options, folder, log)
    if process.wait() != 0:
        raise AssertionError(f"the bench ended with {process.returncode}: {log.read_text()[-500:]}")


def wait_for_file(folder: Path, process: subprocess.Popen[bytes], limit: float) -> None:
    """Return when a file appears anywhere in a folder, or the process ends, or after a limit."""
    names = set(folder.rglob("*"))
    end = time.monotonic() + limit
    while process.poll() is None and time.monotonic() < end:
        if set(folder.rglob("*")) - names:
            return


def children(pid: int) -> list[int]:
    """Return the processes that a process started and that still live."""
    return [
        int(k) for f in Path(f"/proc/{pid}/task").glob("*/children") for k in f.read_text().split()
    ]


def alive(pid: int) -> bool:
    """Return whether a process lives and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def tables(folder: Path) -> dict[str, pa.Table]:
    """Return every stored table by its path within the folder."""
    return {
        str(path.relative_to(folder)): pq.read_table(path)
        for path in sorted(folder.rglob("*.parquet"))
    }


def same(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> bool:
    """Return whether tables are equal, cell by cell, where NaN equals NaN."""
    return list(one) == list(other) and all(
        a.schema.equals(b.schema)
        and all(
            np.array_equal(x.to_numpy(), y.to_numpy(), equal_nan=x.type == "double")
            for x, y in zip(a.columns, b.columns, strict=True)
        )
        for a, b in zip(one.values(), other.values(), strict=True)
    )


def same_as(calm: Path, killed: Path, units: list[tuple[str, ...]], before: Stored) -> None:
    """Check that a run that was killed and then finished holds what the undisturbed one holds."""
    end = stored(killed, units)
    assert before.whole.items() <= end.whole.items(), "a stored unit was lost or rewritten"
    assert (end.units, end.partial, end.torn) == (len(units), 0, 0)
    hashes = [read_manifest(folder)["rows_hash"] for folder in (calm, killed)]
    print(f"rows hash: {hashes[0]} undisturbed, {hashes[1]} after kills")
    assert hashes[0] == hashes[1], "the rows differ"
    assert same(tables(calm), tables(killed)), "the tables differ"


def main() -> None:
    """Run it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default="quick")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    plan, _ = planned(suite(options.suite), (), SEEDS)
    units = [unit.files for unit in plan]
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as name:
        calm, killed, log = Path(name) / "calm", Path(name) / "killed", Path(name) / "log"
        calm.mkdir()
        killed.mkdir()
        began = time.monotonic()
        first = start(options, calm, log)
        while not list(calm.rglob("*.parquet")) and first.poll() is None:
            time.sleep(0.05)
        before_first = time.monotonic() - began
        if first.wait() != 0:
            raise AssertionError(f"the undisturbed run failed: {log.read_text()[-500:]}")
        took = time.monotonic() - began
        print(
            f"undisturbed: {len(units)} units in {took:.1f} s, the first after {before_first:.1f} s"
        )

        longest = before_first + 2.5 * (took - before_first) / options.kills
        kill, finished = 0, 0
        before = stored(killed, units)
        while kill < options.kills:
            process = start(options, killed, log)
            delay = float(rng.uniform(0, longest))
            time.sleep(delay)
            if kill % 2:
                wait_for_file(killed, process, limit=longest)
            if process.poll() is not None:  # it was faster than its killer
                same_as(calm, killed, units, before)
                finished += 1
                killed = Path(name) / f"killed-{finished}"
                killed.mkdir()
                before = stored(killed, units)
                continue
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kill += 1
            time.sleep(0.2)
            after = stored(killed, units)
            print(
                f"kill {kill:2} after {delay:4.1f} s{'' if kill % 2 else ' and a file':11}: "
                f"{before.units:3} -> {after.units:3} units whole, {after.partial} in part, "
                f"{after.torn} torn files"
            )
            assert before.whole.items() <= after.whole.items(), (
                "a stored unit was lost or rewritten"
            )
            assert after.partial <= 1, "more than one unit is stored in part"
            assert after.torn <= 1, "more than one file is torn"
            before = after
        finish(options, killed, log)
        same_as(calm, killed, units, before)
        print(f"{finished + 1} runs were finished between and after {kill} kills")
        orphaned(options, Path(name) / "orphaned", log, before_first)


def orphaned(options: argparse.Namespace, folder: Path, log: Path, delay: float) -> None:
    """Kill the parent alone while its workers work, and time how long they outlive it."""
    process = start(options, folder, log)
    time.sleep(delay)
    while len(started := children(process.pid)) <= options.workers:  # they and a resource tracker
        time.sleep(0.05)
    process.kill()
    process.wait()
    killed = time.monotonic()
    while any(map(alive, started)):
        if time.monotonic() - killed > 60:
            raise AssertionError("a worker outlived its parent by a minute")
        time.sleep(0.01)
    print(f"{len(started)} processes ended {time.monotonic() - killed:.2f} s after their parent")


if __name__ == "__main__":
    main()
