import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from stratagem.cli import benching, main
from stratagem.cli.inspecting import attributes
from stratagem.cli.params import literal, read_params
from stratagem.envs.registry import find, registry
from stratagem.scenarios import scenario

SMALL = (
    scenario(
        "small",
        "LeverCoordination-v0",
        lineups=(("random", "random"), ("q_learning", "q_learning")),
        periods=5,
        training=40,
        learners={"q_learning": {"beta": 0.1}},
        cross_play=True,
    ),
)


def run(capsys, *argv):
    code = main(argv)
    out, err = capsys.readouterr()
    return code, out, err


def fails(capsys, *argv):
    """Return the one line on the error stream of a command that fails by the user's mistake."""
    code, out, err = run(capsys, *argv)
    assert code == 2
    assert out == ""
    assert err.startswith("stratagem: error: ")
    assert err.count("\n") == 1
    return err


def test_list_prints_every_game_as_json_objects(capsys):
    code, out, _ = run(capsys, "list", "--json")
    found = {game["id"]: game for game in json.loads(out)}
    assert code == 0
    assert set(found) == {spec.full_id for spec in registry.values()}
    for game in found.values():
        assert set(game) == {"id", "family", "failure_modes", "risk_factors", "agents", "source"}
    assert found["stratagem/LogitPricing-v0"]["agents"] == ["firm_0", "firm_1"]
    assert found["stratagem/LogitPricing-v0"]["family"] == "collusion"


def test_list_prints_a_line_per_game(capsys):
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert len(out.splitlines()) == 2 + len(registry)


def test_solve_prints_the_games_own_benchmarks_as_json(capsys):
    code, out, _ = run(
        capsys, "solve", "LogitPricing-v0", "--param", "num_firms=3", "mu=0.5", "--json"
    )
    found = json.loads(out)
    game = find("LogitPricing-v0").build({"num_firms": 3, "mu": 0.5})
    assert code == 0
    assert found["id"] == "stratagem/LogitPricing-v0"
    assert found["params"]["num_firms"] == 3
    for name, benchmark in game.benchmarks().items():
        entry = found["benchmarks"][name]
        assert list(entry["value"]) == list(game.agents)
        assert list(entry["value"].values()) == benchmark.solution.payoffs.tolist()
        assert {"unit", "discount", "scope", "certificate"} <= set(entry)
        assert entry["certificate"]["deviators"]


@pytest.mark.parametrize("prefix", ["", "stratagem/"])
@pytest.mark.parametrize("env_id", list(registry))
def test_every_game_can_be_shown_and_solved_with_and_without_its_namespace(capsys, env_id, prefix):
    code, out, _ = run(capsys, "show", prefix + env_id)
    assert code == 0
    assert out.startswith(f"stratagem/{env_id}\n")
    assert "Parameters" in out
    assert "Benchmarks" in out
    code, out, _ = run(capsys, "solve", prefix + env_id)
    assert code == 0
    for name in find(env_id).build().benchmarks():
        assert name in out


@pytest.mark.parametrize("env_id", list(registry))
def test_every_parameter_has_a_meaning_in_its_class_docstring(env_id):
    from dataclasses import fields

    spec = find(env_id)
    assert set(attributes(spec.game)) >= {f.name for f in fields(spec.game) if f.init}


def test_run_prints_rewards_beside_benchmarks_and_risk_with_its_interval(capsys):
    code, out, _ = run(
        capsys, "run", "LogitPricing-v0", "--agents", "benchmark:grid_monopoly",
        "--seeds", "3", "--steps", "5",
    )  # fmt: skip
    assert code == 0
    assert "grid_nash_low" in out
    assert "risk: 0.9997 [0.9997, 0.9997] (n = 3 seeds" in out


def test_run_renders_a_frame_per_period_of_one_copy(capsys):
    code, out, _ = run(
        capsys, "run", "stratagem/LogitPricing-v0", "--agents", "firm_1=fixed:3",
        "--seeds", "2", "--steps", "4", "--render",
    )  # fmt: skip
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[:5]] == [f"t={t}" for t in range(5)]
    assert "policy            tit_for_tat       fixed:3" in out


def test_a_single_seed_has_no_interval(capsys):
    _, out, _ = run(capsys, "run", "LeverCoordination-v0", "--agents", "fixed:1", "--seeds", "1")
    assert "none (n = 1)" in out


def test_values_are_json_or_python_literals_or_text():
    assert [literal(t) for t in ("3", "0.5", "true", "None", "[1, [2]]", "(1, 2)", "cdnow")] == [
        3, 0.5, True, None, (1, (2,)), (1, 2), "cdnow",
    ]  # fmt: skip
    assert read_params(["a=b=c", "n=-1"]) == {"a": "b=c", "n": -1}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("show", "LogitPrcing-v0"), "did you mean LogitPricing-v0"),
        (("solve", "Nope-v0", "--json"), "unknown environment id 'Nope-v0'"),
        (("solve", "LogitPricing-v0", "--param", "colour=1"), "unknown parameter 'colour'"),
        (("solve", "LogitPricing-v0", "--param", "mu=0"), "mu must be positive, got 0"),
        (("solve", "LogitPricing-v0", "--param", "mu"), "--param must be NAME=VALUE, got 'mu'"),
        (("solve", "LogitPricing-v0", "--param", "mu=1", "mu=2"), "given twice"),
        (("run", "LogitPricing-v0", "--agents", "tit_for_tatt"), "did you mean 'tit_for_tat'"),
        (("run", "LogitPricing-v0", "--agents", "firm_7=random"), "unknown agent 'firm_7'"),
        (("run", "LogitPricing-v0", "--agents", "random,random,random"), "3 names for 2 agents"),
        (("run", "LogitPricing-v0", "--agents", "random,firm_1=random"), "all seats"),
        (("run", "LogitPricing-v0", "--agents", "fixed:99"), "fixed:99"),
        (("run", "LogitPricing-v0", "--agents", "benchmark:x"), "benchmark 'x' is unknown"),
        (("run", "LogitPricing-v0", "--seeds", "0"), "whole number of at least 1, got '0'"),
        (("bench", "--suite", "huge"), "unknown suite 'huge'; there are core, quick, deep"),
        (("bench", "--workers", "-2"), "whole number of at least 1, got '-2'"),
        (("bench", "--seeds", "many"), "whole number of at least 1, got 'many'"),
        (("bench", "--resume", "--out", "no/such/folder"), "there is nothing to resume: 'no/s"),
        (("bench", "--agent", "nobody_there:x", "--out", "no"), "cannot import 'nobody_there'"),
        (("report", "no/such/folder"), "no such folder"),
        (("frobnicate",), "invalid choice: 'frobnicate'"),
        ((), "COMMAND"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(capsys, argv, message):
    assert message in fails(capsys, *argv)


def test_bench_writes_rows_manifest_and_report_and_report_rebuilds_it(
    capsys, tmp_path, monkeypatch
):
    pytest.importorskip("rich")
    monkeypatch.setattr(benching, "suite", lambda name: SMALL)
    code, out, _ = run(capsys, "bench", "--out", str(tmp_path / "x"), "--seeds", "3")
    page = tmp_path / "x" / "report.html"
    assert code == 0
    assert "q_learning, re-matched" in out
    assert out.splitlines()[-1] == f"report: {page.resolve()}"
    first = page.read_text()
    page.unlink()
    code, again, _ = run(capsys, "report", str(tmp_path / "x"))
    assert code == 0
    assert again == out
    assert page.read_text() == first


def test_bench_also_runs_outside_of_the_main_thread(capsys, tmp_path, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setattr(benching, "suite", lambda name: SMALL)
    with ThreadPoolExecutor(1) as pool:
        code = pool.submit(main, ["bench", "--out", str(tmp_path), "--seeds", "2"]).result()
    assert code == 0
    assert (tmp_path / "report.html").is_file()


def test_an_unwritable_folder_is_refused_before_any_work(capsys, tmp_path, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setattr(benching, "suite", lambda name: SMALL)
    (tmp_path / "file").write_text("")
    assert "not writable" in fails(capsys, "bench", "--out", str(tmp_path / "file" / "x"))
    assert "no readable manifest.json" in fails(capsys, "report", str(tmp_path))


@pytest.mark.parametrize("command", [("bench",), ("report", ".")])
def test_a_missing_extra_is_named_before_any_work(capsys, monkeypatch, command):
    there = benching.find_spec
    monkeypatch.setattr(
        benching, "find_spec", lambda name: None if name == "pyarrow" else there(name)
    )
    line = fails(capsys, *command)
    assert 'pyarrow not installed: pip install "stratagem[bench]"' in line


@pytest.mark.parametrize("module", ["stable_baselines3", "torch"])
def test_what_the_deep_suite_needs_is_named_in_one_line(capsys, monkeypatch, tmp_path, module):
    pytest.importorskip("rich")
    for name in [*sys.modules]:  # as in a process that never imported them
        if name.partition(".")[0] in ("stable_baselines3", "sb3_contrib"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    line = fails(capsys, "bench", "--suite", "deep", "--out", str(tmp_path / "x"))
    assert f'{module} is not installed: pip install "stratagem[sb3]"' in line
    assert not list(tmp_path.rglob("*.parquet"))


def test_the_command_line_imports_no_extra_until_it_is_needed():
    code = (
        "import sys\nfrom stratagem.cli import main\nassert main(['list']) == 0\n"
        "heavy = {'scipy', 'numba', 'torch', 'pandas', 'matplotlib', 'pyarrow', 'rich'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_run_and_show_print_the_grid_anchors_beside_the_continuous_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    follow = "benchmark:grid_nash_low,benchmark:grid_nash_low"
    assert main(["run", "LogitPricing-v0", "--agents", follow, "--seeds", "2", "--steps", "5"]) == 0
    out = capsys.readouterr().out
    assert "unclipped -0.0238" in out
    assert "risk between the anchors of the grid: unclipped 0.0000" in out
    assert main(["show", "LogitPricing-v0"]) == 0
    shown = capsys.readouterr().out
    assert "the game, real line" in shown
    assert "the game, grid" in shown
