import sys
from dataclasses import replace

import pytest

pytest.importorskip("pyarrow")

from stratagem.cli import main
from stratagem.evaluation import bench
from stratagem.evaluation.bench import JobError
from stratagem.evaluation.entrants import agent_hash, entered, lineups_of
from stratagem.evaluation.storage import read_manifest, read_tables
from stratagem.scenarios import scenario

LEVER = scenario(
    "lever-test",
    "LeverCoordination-v0",
    lineups=(("random", "random"), ("fixed:1", "fixed:1")),
    periods=5,
)
PRICING = scenario(
    "pricing-test",
    "LogitPricing-v0",
    {"num_prices": 4},
    lineups=(("random", "random"),),
    focal=(0,),
    test_backgrounds=(("tit_for_tat",), ("grim",)),
    periods=6,
)
CONTENT = scenario(
    "content-test", "ContentDisengagement-v0", lineups=(("random",),), periods=6, training=5
)

AGENTS = """
import os

from stratagem.agents.scripted.fixed import fixed

always_two = fixed(2)


def by_seat(game, seat):
    return fixed(seat)


def two_seats_only(game, seat):
    if len(game.agents) != 2:
        raise ValueError(f"two seats only, got {len(game.agents)}")
    return fixed(0)


class Crashing:
    def init(self, num_copies, rng):
        return (rng.integers(1),)

    def act(self, observation, memory, rng, mask=None):
        if len(observation) > 1:
            raise ZeroDivisionError("no more\\n than one")
        return memory[0], memory


class Dying(Crashing):
    def act(self, observation, memory, rng, mask=None):
        if len(observation) > 1:
            os._exit(9)
        return memory[0], memory


crashing, dying, nothing = Crashing(), Dying(), 3
"""


@pytest.fixture
def agents(tmp_path, monkeypatch):
    """Return a module of the user's own, which is forgotten afterwards."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "entrants_own.py").write_text(AGENTS)
    monkeypatch.syspath_prepend(str(folder))
    yield folder / "entrants_own.py"
    sys.modules.pop("entrants_own", None)


def play(folder, *agents, scenarios=(LEVER, PRICING), seeds=3, **options):
    return bench(scenarios, folder, suite="test", seeds=seeds, agents=agents, **options)


def test_an_agent_sits_in_all_seats_and_in_the_focal_ones_before_backgrounds():
    assert lineups_of("me", LEVER) == [("me", "me")]
    assert lineups_of("me", PRICING) == [("me", "me"), ("me", "background")]
    assert lineups_of("me", replace(PRICING, focal=(1,))) == [("me", "me"), ("background", "me")]
    assert lineups_of("me", CONTENT) == [("me",)]


def test_an_agent_of_the_users_own_is_scored_beside_the_baselines(agents, tmp_path):
    manifest = play(tmp_path, "entrants_own:always_two", "entrants_own:by_seat")
    assert manifest["complete"]
    assert list(manifest["configuration"]["agents"]) == [
        "entrants_own:always_two", "entrants_own:by_seat",
    ]  # fmt: skip
    parts = [f"rows/{part}" for entry in manifest["scenarios"] for part in entry["parts"]]
    rows = read_tables(tmp_path, parts)
    mine = (rows["policy"] == "entrants_own:always_two") & (rows["scenario"] == "lever-test")
    assert mine.sum() == 3 * 5 * 2
    assert (rows["reward"][mine] == 1).all()  # both pull lever 2
    theirs = (rows["policy"] == "entrants_own:by_seat") & (rows["scenario"] == "lever-test")
    assert (rows["reward"][theirs] == 0).all()  # levers 0 and 1
    before = rows["split"] == "test"
    assert set(rows["lineup"][before]) == {
        f"entrants_own:{me} + background:{other}"
        for me in ("always_two", "by_seat")
        for other in ("tit_for_tat", "grim")
    }


def test_the_rows_of_the_baselines_do_not_depend_on_who_else_is_entered(agents, tmp_path):
    play(tmp_path / "with", "entrants_own:always_two")
    play(tmp_path / "without")
    for path in (tmp_path / "without" / "rows").iterdir():
        ours, theirs = (
            read_tables(tmp_path / folder, [f"rows/{path.name}"]) for folder in ("with", "without")
        )
        assert all((ours[k] == theirs[k]).all() for k in ours if ours[k].dtype.kind != "f")
        assert ours["reward"].tolist() == theirs["reward"].tolist()


def test_what_an_agent_cannot_play_is_put_down_and_the_rest_is_played(agents, tmp_path):
    manifest = play(tmp_path, "entrants_own:two_seats_only", scenarios=(LEVER, CONTENT))
    (refusal,) = manifest["cannot_play"]
    assert refusal["scenario"] == "content-test"
    assert refusal["reason"] == "two seats only, got 1"
    parts = {entry["name"]: entry["parts"] for entry in manifest["scenarios"]}
    assert len(parts["lever-test"]) == 3
    assert len(parts["content-test"]) == 1


def test_an_agent_that_can_play_nothing_is_an_error_with_the_reason(agents, tmp_path):
    with pytest.raises(ValueError, match="only' can play none of the scenarios; in content-test: "
                       "two seats only, got 1"):  # fmt: skip
        play(tmp_path, "entrants_own:two_seats_only", scenarios=(CONTENT,))
    found, refused = entered(["entrants_own:nothing"], LEVER)
    assert found == []
    assert "must be a policy with init and act" in refused[0].reason


@pytest.mark.parametrize("workers", [1, 2])
def test_an_agent_that_crashes_ends_the_bench_and_finished_parts_stay(agents, tmp_path, workers):
    """It is sound while one copy is played, as in the trial before anything is."""
    message = (
        r"^lever-test: entrants_own:crashing, seeds 0-2: ZeroDivisionError: no more than one "
        r"\(.*entrants_own.py, line \d+\)$"
    )
    with pytest.raises(JobError, match=message):
        play(tmp_path, "entrants_own:crashing", scenarios=(LEVER,), workers=workers)
    assert not read_manifest(tmp_path)["complete"]
    if workers == 1:
        assert len(list((tmp_path / "rows").iterdir())) == 2


def test_an_agent_that_ends_its_process_is_tried_again_and_then_named(agents, tmp_path):
    told = []
    with pytest.raises(
        JobError, match=r"entrants_own:dying, seeds 0-2: its worker process died 3 times, .* code 9"
    ):
        play(tmp_path, "entrants_own:dying", scenarios=(LEVER,), workers=2, say=told.append)
    assert sum("is begun again" in line for line in told) == 2


def test_an_agent_whose_file_changed_is_not_resumed(agents, tmp_path):
    play(tmp_path, "entrants_own:always_two", scenarios=(LEVER,))
    assert play(tmp_path, "entrants_own:always_two", scenarios=(LEVER,), resume=True)["complete"]
    agents.write_text(AGENTS + "\n# changed\n")
    with pytest.raises(
        ValueError, match=r"agents entrants_own:always_two is \w+ there and \w+ here: write elsew"
    ):
        play(tmp_path, "entrants_own:always_two", scenarios=(LEVER,), resume=True)
    with pytest.raises(ValueError, match=r"always_two is .* there and missing here"):
        play(tmp_path, scenarios=(LEVER,), resume=True)


def test_an_agent_whose_file_changes_while_it_is_played_leaves_no_finished_results(
    agents, tmp_path
):
    def tick(unit, done, total):
        agents.write_text(AGENTS + "\n# changed\n")

    with pytest.raises(ValueError, match="always_two' changed while it was played"):
        play(tmp_path, "entrants_own:always_two", scenarios=(LEVER,), tick=tick)
    assert not read_manifest(tmp_path)["complete"]


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        ("nobody_at_all:policy", "cannot import 'nobody_at_all'"),
        ("no/such/model.zip", "must be module:attribute or the path of a saved model: No such"),
        ("hedge", "must be module:attribute or the path of a saved model: No such file"),
        ("sys:path", "module 'sys', named by 'sys:path', has no file"),
    ],
)
def test_agents_that_are_nowhere_are_named(agent, message):
    with pytest.raises(ValueError, match=message):
        agent_hash(agent)


def test_the_command_line_names_a_crashing_agent_in_one_line(agents, tmp_path, capsys, monkeypatch):
    pytest.importorskip("rich")
    from stratagem.cli import benching

    monkeypatch.setattr(benching, "suite", lambda name: (LEVER,))
    out = str(tmp_path / "results")
    code = main(["bench", "--agent", "entrants_own:crashing", "--seeds", "2", "--out", out])
    err = capsys.readouterr().err
    assert code == 2
    assert err.count("\n") == 1
    assert "entrants_own:crashing, seeds 0-1: ZeroDivisionError" in err
    assert err.endswith("finished parts are kept, so `--resume` will go on from there\n")


@pytest.mark.slow
def test_a_model_of_stable_baselines3_is_scored_beside_the_baselines(tmp_path):
    sb3 = pytest.importorskip("stable_baselines3")
    import stratagem

    envs = stratagem.sb3_vec_env(PRICING.build(), 4, max_episode_steps=20)
    path = tmp_path / "model.zip"
    sb3.PPO("MlpPolicy", envs, seed=0, device="cpu", n_steps=16, n_epochs=2).learn(64).save(path)
    folder = tmp_path / "results"
    alone = play(folder, str(path), workers=2)
    assert {one["scenario"] for one in alone["cannot_play"]} == {"lever-test"}
    parts = [f"rows/{part}" for part in alone["scenarios"][1]["parts"]]
    rows = read_tables(folder, parts)
    assert (rows["policy"] == str(path)).sum() == 3 * 2 + 3 * 2
    assert play(tmp_path / "again", str(path))["rows_hash"] == alone["rows_hash"]
    sb3.PPO("MlpPolicy", envs, seed=1, device="cpu", n_steps=16, n_epochs=2).learn(64).save(path)
    with pytest.raises(ValueError, match=r"model.zip is \w+ there and \w+ here"):
        play(folder, str(path), resume=True)
