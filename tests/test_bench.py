import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

import pyarrow.parquet as pq
from work import group, until

from stratagem.evaluation import bench, storage
from stratagem.evaluation.storage import (
    TABLES,
    TYPES,
    NotWritableError,
    joint_hash,
    read_manifest,
    read_table,
    write_table,
)
from stratagem.evaluation.units import CHUNK, units
from stratagem.evaluation.workers import run_jobs
from stratagem.scenarios import scenario

module = sys.modules["stratagem.evaluation.bench"]
"""The module, which the function of the same name hides."""

LEVER = scenario(
    "lever-test",
    "LeverCoordination-v0",
    lineups=(("random", "random"), ("q_learning", "q_learning")),
    periods=5,
    training=40,
    learners={"q_learning": {"beta": 0.1}},
    cross_play=True,
    audit=True,
)
PRICING = scenario(
    "pricing-test",
    "LogitPricing-v0",
    {"num_prices": 4},
    lineups=(("random", "tit_for_tat"), ("ucb1", "background"), ("ucb1", "tit_for_tat")),
    focal=(0,),
    train_backgrounds=(("tit_for_tat",),),
    test_backgrounds=(("grim",),),
    periods=12,
    max_episode_steps=5,
    training=30,
    audit=True,
    battery=True,
)
SUITE = (LEVER, PRICING)
SEEDS = CHUNK + 2  # so that line-ups have two units

OWN_GAME = '''
from dataclasses import dataclass

from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.envs.registry import register


@register("BenchLevers-v0", max_episode_steps=3)
@dataclass(frozen=True, kw_only=True)
class BenchLevers(LeverCoordination):
    """Levers by another name."""
'''

AGENTS = """
import os
import time

from stratagem.agents.scripted.fixed import fixed

first = fixed(0)


class Slow:
    def init(self, num_copies, rng):
        return ()

    def act(self, observation, memory, rng, mask=None):
        time.sleep(float(os.environ.get("DAWDLE", "0")))
        return rng.integers(2), memory


slow = Slow()
"""


RESUME = """
import sys
from pathlib import Path

from stratagem.cli.benching import chosen
from stratagem.evaluation import bench

folder, name = Path(sys.argv[1]), sys.argv[2]
options = {"suite": name, "seeds": 3, "agents": ["dawdlers:slow"], "resume": True, "say": print}
print(bench(chosen(name), folder, **options)["complete"])
"""


def play(folder, scenarios=SUITE, **options):
    return bench(scenarios, folder, suite="test", seeds=options.pop("seeds", SEEDS), **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calm") / "results"
    return folder, play(folder)


@pytest.fixture
def copied(finished, tmp_path):
    """Return a copy of finished results that a test may spoil, and their hash."""
    folder, manifest = finished
    shutil.copytree(folder, tmp_path / "copy")
    return tmp_path / "copy", manifest["rows_hash"]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a folder of modules of the user's own, which workers find too."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def played_again(folder, **options):
    """Return the manifest, the names of the units that were played, and what was said."""
    ticks, told = {}, []

    def tick(unit, done, total):
        ticks.setdefault(unit.part + unit.phase, []).append(done)

    manifest = play(folder, tick=tick, say=told.append, **options)
    assert all(shares[-1] == 1 for shares in ticks.values())
    kept = [line for line in told if "are finished and kept" in line]
    total = len(ticks)
    count = total - int(kept[0].split()[0]) if kept else total
    return manifest, count, [line for line in told if line not in kept]


def test_a_suite_has_a_part_per_line_up_and_chunk_of_seeds(finished):
    folder, manifest = finished
    assert manifest["complete"]
    for one in manifest["scenarios"]:
        for part in one["parts"]:
            assert (folder / "rows" / part).is_file()
            assert (folder / "episodes" / part).is_file()
    assert len(list((folder / "rows").iterdir())) == 2 * 5
    assert len(list((folder / "curves").iterdir())) == 2 * 3
    assert len(list((folder / "audits").iterdir())) == 1 + 2 + 1 + 2  # none where backgrounds play
    assert len(list((folder / "battery").iterdir())) == 2  # of who learns, likewise
    assert len(list((folder / "trained").iterdir())) == 2
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*TABLES, "trained", "manifest.json"]
    )
    rows = {
        str(path.relative_to(folder)): storage.content_hash(read_table(path))
        for path in folder.rglob("*.parquet")
    }
    assert joint_hash(rows) == manifest["rows_hash"]


def test_every_run_of_a_line_up_is_audited_and_what_does_not_learn_once(finished):
    folder, _ = finished
    runs = {}
    for path in sorted((folder / "audits").iterdir()):
        table = read_table(path)
        keys = zip(table["scenario"], table["lineup"], strict=True)
        for key, run, seat in zip(keys, table["run"], table["seat"], strict=True):
            runs.setdefault(key, []).append((int(run), int(seat)))
        assert table["exact"].all()
        assert (table["gain_low"] >= 0).all()
        assert table["best_low"] == pytest.approx(table["value"] + table["gain_low"])
    assert runs == {
        ("lever-test", "random + random"): [(0, 0), (0, 1)],
        ("lever-test", "q_learning + q_learning"): [(i, k) for i in range(SEEDS) for k in (0, 1)],
        ("pricing-test", "random + tit_for_tat"): [(0, 0), (0, 1)],
        ("pricing-test", "ucb1 + tit_for_tat"): [(i, k) for i in range(SEEDS) for k in (0, 1)],
    }


def test_all_parts_of_a_table_have_its_columns_the_same_types_and_no_nulls(finished):
    folder, _ = finished
    for table, columns in TABLES.items():
        schemas = [pq.read_schema(path) for path in (folder / table).iterdir()]
        assert schemas
        for schema in schemas:
            assert schema.names == list(columns)
            assert schema.equals(schemas[0])
            assert {str(field.type) for field in schema} <= set(TYPES.values())
            assert not any(field.nullable for field in schema)
    types = {f.name: str(f.type) for f in pq.read_schema(next((folder / "rows").iterdir()))}
    assert types["root"] == "uint64"
    assert types["lineup"] == types["agent"] == types["split"] == "string"
    assert types["seed_index"] == types["episode"] == "int64"
    assert types["focal"] == types["terminated"] == "bool"
    assert types["reward"] == types["risk"] == "double"


def test_the_documentation_has_every_column_with_its_meaning():
    page = (Path(__file__).parents[1] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    for table, columns in TABLES.items():
        section = page.partition(f"### {table}\n")[2].partition("###")[0]
        listed = re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)
        assert dict(listed) == dict(columns)


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_the_rows_do_not_depend_on_the_number_of_workers(finished, tmp_path, workers):
    folder, manifest = finished
    again = play(tmp_path / "elsewhere" / "deep", workers=workers)
    assert again["rows_hash"] == manifest["rows_hash"]
    for path in folder.rglob("*.parquet"):
        other = tmp_path / "elsewhere" / "deep" / path.relative_to(folder)
        assert other.read_bytes() == path.read_bytes()


def test_the_rows_do_not_depend_on_the_order_of_units_the_cores_the_time_or_the_folder(
    finished, tmp_path, monkeypatch
):
    def shuffled(play, queue, workers, **hooks):
        jobs = list(queue)
        random.Random(3).shuffle(jobs)
        queue.clear()
        queue.extend(jobs)
        run_jobs(play, queue, workers, **hooks)

    monkeypatch.setattr(module, "run_jobs", shuffled)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
    if cores:
        os.sched_setaffinity(0, {min(cores)})
    try:
        assert play(tmp_path / "b")["rows_hash"] == finished[1]["rows_hash"]
    finally:
        if cores:
            os.sched_setaffinity(0, cores)


def test_more_seeds_leave_the_rows_of_the_first_ones_as_they_are(finished, tmp_path):
    """Sessions that do not meet others depend on their own seed alone."""
    play(tmp_path, (PRICING,), seeds=CHUNK)
    for path in (tmp_path / "rows").iterdir():
        assert path.read_bytes()
        whole = read_table(finished[0] / "rows" / path.name)
        assert storage.content_hash(read_table(path)) == storage.content_hash(whole)


def test_a_game_of_the_users_own_is_imported_anew_in_workers(own, tmp_path, registering):
    (own / "bench_levers.py").write_text(OWN_GAME)
    mine = scenario(
        "own-test",
        "bench_levers:BenchLevers-v0",
        lineups=(("random", "random"), ("fixed:1", "fixed:1"), ("q_learning", "q_learning")),
        periods=5,
        training=20,
    )
    hashes = [
        play(tmp_path / str(workers), (mine,), seeds=3, workers=workers)["rows_hash"]
        for workers in (1, 2)
    ]
    assert hashes[0] == hashes[1]
    settings = read_manifest(tmp_path / "1")["configuration"]["scenarios"]["own-test-v0"]
    assert len(settings["source"]) == 16
    (own / "bench_levers.py").write_text(OWN_GAME + "# changed\n")
    with pytest.raises(ValueError, match=r"scenarios own-test-v0 source is .* there and .* here"):
        play(tmp_path / "1", (mine,), seeds=3)


def test_finished_parts_are_kept_and_nothing_is_played_again(copied):
    folder, rows_hash = copied
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    began = read_manifest(folder)["started"]
    manifest, count, told = played_again(folder, resume=True)
    assert (manifest["rows_hash"], count, told) == (rows_hash, 0, [])
    assert manifest["started"] == began
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")} == before


@pytest.mark.parametrize("table", [*TABLES, "trained"])
def test_what_is_missing_is_played_again_to_the_same_rows(copied, table):
    folder, rows_hash = copied
    victim = sorted((folder / table).iterdir())[0]
    victim.unlink()
    manifest, count, _ = played_again(folder, resume=True)
    assert (manifest["rows_hash"], count) == (rows_hash, 1)
    assert victim.is_file()


def truncated(whole):
    return whole[: len(whole) // 2]


def flipped_in_the_data(whole):
    return whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]


def flipped_at_the_end(whole):
    at = len(whole) - 6
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


def emptied(whole):
    return b""


@pytest.mark.parametrize("table", [*TABLES, "trained"])
@pytest.mark.parametrize("spoil", [truncated, flipped_in_the_data, flipped_at_the_end, emptied])
def test_a_damaged_part_is_told_of_and_played_again_to_the_same_rows(copied, table, spoil):
    folder, rows_hash = copied
    victim = sorted((folder / table).iterdir())[-1]
    victim.write_bytes(spoil(victim.read_bytes()))
    manifest, count, told = played_again(folder, resume=True)
    assert (manifest["rows_hash"], count) == (rows_hash, 1)
    assert len(told) == 1
    assert victim.name in told[0]
    assert "is damaged" in told[0]
    assert told[0].endswith("it is played again")


def test_a_part_with_the_columns_of_another_table_is_played_again(copied):
    folder, rows_hash = copied
    rows = sorted((folder / "rows").iterdir())[0]
    shutil.copy(folder / "episodes" / rows.name, rows)
    manifest, count, told = played_again(folder, resume=True)
    assert (manifest["rows_hash"], count) == (rows_hash, 1)
    assert "has other columns than it should" in told[0]


def test_a_missing_manifest_is_written_anew_and_finished_parts_are_kept(copied):
    folder, rows_hash = copied
    (folder / "manifest.json").unlink()
    with pytest.raises(ValueError, match=r"nothing to resume: .* holds no manifest.json; without"):
        play(folder, resume=True)
    manifest, count, _ = played_again(folder)
    assert (manifest["rows_hash"], count) == (rows_hash, 0)
    assert read_manifest(folder) == json.loads(json.dumps(manifest))


@pytest.mark.parametrize("text", ["", '{"suite": "te', "[]"])
def test_a_damaged_manifest_is_refused_and_says_what_to_do(copied, text):
    folder, _ = copied
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest.json.*if you remove manifest.json, finished"):
        play(folder, resume=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 3}, "seeds is 12 there and 3 here"),
        (
            {"scenarios": (LEVER, replace(PRICING, periods=13))},
            "scenarios pricing-test-v0 content is .* there and .* here",
        ),
        ({"scenarios": (LEVER,)}, "scenarios pricing-test-v0 content is .* there and missing here"),
    ],
)
def test_another_configuration_is_refused_with_how_it_differs(copied, options, message):
    folder, _ = copied
    with pytest.raises(ValueError, match=f"holds results of another configuration: {message}"):
        play(folder, resume=True, **options)


def test_another_version_is_refused_with_both_versions(copied, monkeypatch):
    folder, _ = copied
    manifest = read_manifest(folder)
    own = manifest["configuration"]["versions"]["numpy"]
    manifest["configuration"]["versions"]["numpy"] = "1.0"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=f"versions numpy is 1.0 there and {own} here: write els"):
        play(folder)


def test_a_part_of_another_configuration_is_refused_with_how_it_differs(copied, tmp_path):
    folder, _ = copied
    play(tmp_path / "other", (replace(PRICING, periods=13),))
    name = sorted((tmp_path / "other" / "rows").iterdir())[0].name
    shutil.copy(tmp_path / "other" / "rows" / name, folder / "rows" / name)
    message = (
        f"{name}' was made by another configuration: scenario content is .* there and .* here: "
        "write elsewhere, or remove that file"
    )
    with pytest.raises(ValueError, match=message):
        play(folder, resume=True)
    (folder / "manifest.json").unlink()
    with pytest.raises(ValueError, match="was made by another configuration"):
        play(folder)
    path = folder / "rows" / name
    write_table(path, read_table(path), "by hand")
    with pytest.raises(ValueError, match=r"was made by another configuration: .* is missing there"):
        play(folder)


def test_parts_that_are_not_of_this_run_are_refused(copied):
    folder, _ = copied
    one = sorted((folder / "rows").iterdir())[0]
    shutil.copy(one, folder / "rows" / "stray.parquet")
    with pytest.raises(ValueError, match="holds 1 parts that are not of this run, such as 'stray"):
        play(folder)


def test_a_second_run_in_a_folder_at_work_is_refused(copied):
    folder, _ = copied
    victim = sorted((folder / "rows").iterdir())[0]
    victim.unlink()
    told = []

    def tick(unit, done, total):
        if not told:
            with pytest.raises(ValueError, match=r"copy' is in use by process \d+ .* is alive"):
                play(folder)
            told.append(1)

    play(folder, tick=tick)
    assert told


@pytest.mark.parametrize("call", [1, 4, 7, 12])
def test_a_disk_that_fills_up_is_one_clear_error_and_the_run_resumes_to_the_same_rows(
    finished, tmp_path, monkeypatch, call
):
    calls = []
    real = os.fsync

    def full(handle):
        calls.append(handle)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(NotWritableError, match=r"cannot write .*: No space left on device"):
            play(tmp_path)
    assert not list(tmp_path.rglob(".*.part"))
    assert play(tmp_path)["rows_hash"] == finished[1]["rows_hash"]


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a file system of 96 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"may not mount a file system: {error}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full_leaves_whole_parts_that_are_kept(
    finished, small_disk, tmp_path
):
    with pytest.raises(NotWritableError, match=r"cannot write .*: No space left on device"):
        play(small_disk / "results")
    there = list((small_disk / "results").rglob("*.parquet"))
    assert there
    assert all(len(read_table(path)) for path in there)
    shutil.copytree(small_disk / "results", tmp_path / "larger")
    manifest, count, told = played_again(tmp_path / "larger")
    assert manifest["rows_hash"] == finished[1]["rows_hash"]
    assert count > 0
    assert told == []


def test_nothing_to_play_and_counts_below_one_are_errors(tmp_path):
    with pytest.raises(ValueError, match="seeds must be at least 1, got 0"):
        play(tmp_path, seeds=0)
    with pytest.raises(ValueError, match="workers must be at least 1, got -1"):
        play(tmp_path, workers=-1)
    with pytest.raises(ValueError, match="nothing to play: no scenario has a line-up"):
        play(tmp_path, ())
    with pytest.raises(ValueError, match="nothing to play"):
        play(tmp_path, (replace(LEVER, lineups=()),))
    with pytest.raises(ValueError, match="there is nothing to resume"):
        play(tmp_path / "nowhere", resume=True)
    assert not (tmp_path / "nowhere").exists()


def test_units_that_train_by_themselves_are_a_seed_each_and_names_tell_them_apart():
    plan = [unit for lineup in LEVER.lineups for unit in units(LEVER, lineup, SEEDS)]
    assert [unit.phase for unit in plan] == ["play"] * 2 + ["train"] * 2 + ["meet"] * 2
    assert [unit.seeds for unit in plan[:2]] == [tuple(range(10)), (10, 11)]
    assert len({unit.files for unit in plan}) == len({unit.name for unit in plan}) == 6
    assert plan[2].name == "lever-test: q_learning (training), seeds 0-9"


INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts with & ignores it
from stratagem.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("number", "whole_group"),
    [
        (signal.SIGINT, True),
        (signal.SIGTERM, False),
        pytest.param(signal.SIGINT, False, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, True, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_a_bench_in_one_line_with_no_stray_processes_and_it_resumes(
    own, tmp_path, number, whole_group
):
    (own / "dawdlers.py").write_text(AGENTS)
    (own / "stopped_levers.py").write_text(OWN_GAME.replace("BenchLevers", "StoppedLevers"))
    folder, name = tmp_path / "results", "stopped_levers:StoppedLevers-v0"
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", INTERRUPTIBLE),
            *("bench", "--suite", name, "--agent", "dawdlers:slow"),
            *("--seeds", "3", "--workers", "2", "--out", str(folder)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(own), *sys.path]), "DAWDLE": "0.05"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: list(folder.glob("rows/*.parquet")) or process.poll() is not None)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    out, err = process.communicate(timeout=60)
    how = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}[number]
    assert (process.returncode, out) == (128 + number, "")
    assert err == f"stratagem: {how}; finished parts are kept\n"
    until(lambda: not group(process.pid))
    assert not (folder / ".lock").exists()
    assert not read_manifest(folder)["complete"]
    again = subprocess.run(
        [sys.executable, "-c", RESUME, str(folder), name],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(own), *sys.path])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert again.stdout.endswith("units are finished and kept\nTrue\n")
