import re
import sys
import warnings
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from toys import Prisoners

import stratagem
from stratagem.cli import playing
from stratagem.cli.main import main
from stratagem.envs.core import Game, masks
from stratagem.envs.rendering import language
from stratagem.envs.rendering.film import SHOWN, Film
from stratagem.envs.rendering.lines import MOST, Line, benchmark_lines
from stratagem.envs.scenes import Grid, Track, choices, level_tracks, payoff_grid
from stratagem.envs.wrappers.treatments.action_cap import ActionCap
from stratagem.envs.wrappers.treatments.information_delay import InformationDelay
from stratagem.testing.play import Replay, random_actions

pytest.importorskip("PIL")

every_game = pytest.mark.parametrize("env_id", sorted(stratagem.registry))
HEIGHT, WIDTH = 480, 640


def build(env_id: str, **params: Any) -> Game[Any]:
    return stratagem.registry[env_id].build(params)


def rgb(colour: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8)


def where(frame: np.ndarray, colour: str) -> np.ndarray:
    """Return which pixels have exactly a colour, (height, width)."""
    return (frame == rgb(colour)).all(axis=-1)


def played(game: Game[Any], periods: int, **options: Any) -> Any:
    """Return a parallel view after some periods of random play, over episodes."""
    env = stratagem.parallel_env(game, **options)
    env.reset(seed=0)
    generator = np.random.default_rng(0)
    for _ in range(periods):
        if not env.agents:
            env.reset()
        actions = random_actions(game, env.copy.row(), generator)
        env.step(dict(zip(env.agents, (own[0] for own in actions), strict=True)))
    return env


# A film, by hand.


def test_a_film_keeps_what_a_waiting_seat_last_did_and_numbers_its_periods():
    film = Film(build("SequentialPricing-v0"))
    assert (film.episode, film.number, film.played, film.name(0)) == (1, 0, [None, None], "-")
    film.add([6, 0], [0.1, 0.2], np.array([True, False]))
    assert (film.name(0), film.name(1), film.paid) == ("1", "-", (0.1, 0.2))
    film.add([0, 3], [0.3, 0.4], np.array([False, True]))
    assert (film.name(0), film.name(1)) == ("1", "0.5")
    film.start(seeded=False)
    assert (film.episode, film.number, film.played) == (2, 0, [None, None])
    assert [(p.number, p.rewards) for p in film.periods] == [(1, (0.1, 0.2)), (2, (0.3, 0.4))]
    film.start(seeded=True)
    assert (film.episode, len(film.periods)) == (1, 0)


def test_a_film_shows_the_mean_of_a_round_that_is_several_periods():
    game = build("MatrixGame-v0", commitment="pure")
    film = Film(game)
    for paid in (0.0, 4.0, 0.0, 2.0):
        film.add([0, 0], [paid, 1.0])
    assert [p.rewards for p in film.periods] == [(), (2.0, 1.0), (2.0, 1.0), (1.0, 1.0)]


def test_a_film_forgets_old_periods_and_keeps_no_array_of_the_caller():
    film, action = Film(build("Chicken-v0")), np.array(1)
    for _ in range(SHOWN + 5):
        film.add([action, 0], [0.0, 0.0])
    action[...] = 0
    assert len(film.periods) == SHOWN
    assert (film.periods[0].number, film.name(0)) == (6, "straight")


def test_text_is_the_games_line_and_one_for_each_seat():
    game = build("Chicken-v0", memory=1)
    env = stratagem.parallel_env(game, render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == "nothing played yet"
    env.step({"driver_0": 0, "driver_1": 1})
    assert env.render() == (
        "last played: swerve, straight\n"
        "  driver_0  swerve  reward -1\n"
        "  driver_1  straight  reward 1"
    )


def test_only_a_terminal_gets_colours(capsys, monkeypatch):
    env = played(build("Chicken-v0"), 1, render_mode="human")
    assert env.render() is None
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    env.render()
    coloured = capsys.readouterr().out
    assert "\x1b[38;2;0;114;178mdriver_0\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


# Benchmarks as lines.


def test_values_per_episode_are_divided_by_its_length_and_equal_ones_share_a_line():
    assert benchmark_lines(build("StagHunt-v0")) == (
        Line(("nash_best", "social_optimum"), pytest.approx(4.0), None),
        Line(("nash_worst", "nash_mixed"), pytest.approx(3.0), None),
    )
    lines = benchmark_lines(build("Chicken-v0"))
    best = [line for line in lines if "nash_best" in line.names]
    assert [(line.seat, line.value) for line in best] == [
        (0, pytest.approx(1.0)),
        (1, pytest.approx(-1.0)),
    ]


def test_the_length_of_an_episode_is_found_where_no_parameter_says_it():
    lever = {name: line.value for line in benchmark_lines(build("LeverCoordination-v0"))
             for name in line.names}  # fmt: skip
    exact = build("LeverCoordination-v0").benchmarks()
    for name, value in lever.items():
        assert value == pytest.approx(exact[name].solution.payoffs[0])
    lewis = benchmark_lines(build("LewisSignal-v0"))  # an episode is two periods
    assert lewis[0] == Line(("self_play_optimum",), pytest.approx(0.5), None)


def test_a_discounted_value_is_its_weighted_mean():
    game = build("SequentialPricing-v0")
    value = game.benchmarks()["markov_focal"]
    line = next(one for one in benchmark_lines(game) if "markov_focal" in one.names)
    assert line.value == pytest.approx(value.solution.payoffs[0] * (1 - value.discount))


@every_game
def test_lines_are_few_and_are_those_that_reports_draw(env_id):
    from stratagem.evaluation.anchors import benchmark_json, episode_length, per_period

    game = build(env_id)
    lines = benchmark_lines(game)
    # How long a fishery lasts hangs on play, so no value of an episode is one of a period there.
    assert int(env_id != "FisheryCommons-v0") <= len({line.names for line in lines}) <= MOST
    if (length := episode_length(game)) is None:
        return
    stored = benchmark_json(game.benchmarks(), game.agents)
    for line in lines:
        for name in line.names:
            values = per_period(stored[name], length)
            assert values[game.agents[line.seat or 0]] == pytest.approx(line.value)


def test_a_game_without_benchmarks_has_no_lines():
    assert benchmark_lines(Prisoners()) == ()
    endless = build("ContentDisengagement-v0", continuation=1.0)
    assert benchmark_lines(endless) == ()


# Scenes.


def test_payoffs_are_a_grid_with_what_was_played_framed():
    payoffs = np.array([[[3.0, 0.0], [5.0, 1.0]], [[3.0, 5.0], [0.0, 1.0]]])
    (grid,) = payoff_grid(payoffs, [("C", "D"), ("c", "d")], (1, 0))
    assert grid == Grid(
        "payoffs", ("C", "D"), ("c", "d"), (("3, 3", "0, 5"), ("5, 0", "1, 1")),
        ((1, 0, None),), (0, 1),
    )  # fmt: skip
    assert payoff_grid(payoffs, [("C", "D"), ("c", "d")], (1, None))[0].chosen == ()  # type: ignore[union-attr]
    assert payoff_grid(np.zeros((2, 7, 2)), [("x",) * 7, ("c", "d")], (0, 0)) == ()


def test_levels_are_one_track_where_seats_are_alike_and_else_one_each():
    levels = np.array([[1.0, 2.0], [1.0, 2.0]])
    (track,) = level_tracks("price", "ab", levels, (1, None), {"nash": np.array([1.5])})
    assert track == Track("price", 1.0, 2.0, ((0, 2.0),), (("nash", 1.5),))
    apart = level_tracks("price", "ab", levels, (1, 0), {"nash": np.array([1.2, 1.4])})
    assert apart == (
        Track("price of a", 1.0, 2.0, ((0, 2.0),), (("nash", 1.2),)),
        Track("price of b", 1.0, 2.0, ((1, 1.0),), (("nash", 1.4),)),
    )
    many = np.arange(8.0).reshape(4, 2)
    assert level_tracks("price", "abcd", many, (0,) * 4, {}) == (
        Track("price", 0.0, 7.0, ((0, 0.0), (1, 2.0), (2, 4.0), (3, 6.0))),
    )


def test_choices_frame_what_each_seat_chose():
    grid = choices("levers", ("x", "y"), [("a", 0, 1), ("b", 1, None)])
    assert (grid.chosen, grid.cells) == (((0, 1, 0),), (("", ""), ("", "")))


def test_a_treatment_shows_what_its_control_shows():
    control = build("PrisonersDilemma-v0", memory=1)
    state, delayed = control.initial(np.zeros(1, int)), InformationDelay(control=control, delay=2)
    late = delayed.initial(np.zeros(1, int))
    assert delayed.scene(late, (0, 1)) == control.scene(state, (0, 1)) != ()
    assert delayed.action_names(0) == ("cooperate", "defect")
    prices = build("LogitPricing-v0")
    capped = ActionCap(control=prices, cap=(5, 5))
    start = prices.initial(np.zeros(1, int))
    assert capped.scene(start, (9, 2)) == prices.scene(start, (5, 2))


# Pictures.


@every_game
def test_a_frame_has_every_seats_colour_and_the_benchmarks_in_theirs(env_id):
    game = build(env_id)
    env = played(game, 5, render_mode="rgb_array")
    frame = env.render()
    assert (frame.shape, frame.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    for seat in range(len(game.agents)):
        assert where(frame[80:230, :300], language.colour(seat)).sum() > 40, f"mark of {seat}"
    for line in benchmark_lines(game):
        ink = language.SOFT if line.seat is None else language.colour(line.seat)
        rows = where(frame[265:455, 80:460], ink).sum(axis=1)
        assert rows.max() > 50, f"no dashes of {line}"


def test_a_benchmark_is_drawn_at_its_height_and_dashed():
    game = build("StagHunt-v0")
    frame = Film(game).frame(game.initial(np.zeros(1, int)))
    rows = where(frame[:, 62:474], language.SOFT).sum(axis=1)
    drawn = np.flatnonzero(rows > 100)
    # The axis is 6% longer than from 3 to 4 at both ends, from pixel 450 up to 268.
    height = {value: 450 - (value - 2.94) / 1.12 * 182 for value in (3.0, 4.0)}
    assert drawn.tolist() == [int(height[4.0]), int(height[3.0])]
    assert rows[drawn] / 412 == pytest.approx(0.5, abs=0.05)


def test_a_reward_is_drawn_at_its_height_in_the_seats_colour():
    game = build("StagHunt-v0")
    film, state = Film(game), game.initial(np.zeros(1, int))
    for _ in range(SHOWN):
        film.add([1, 1], [3.5, 3.25])
    frame = film.frame(state)
    for seat, value in enumerate((3.5, 3.25)):
        rows = np.flatnonzero(where(frame[:, 62:474], language.colour(seat)).sum(axis=1) > 300)
        assert abs(rows.mean() + 0.5 - (450 - (value - 2.94) / 1.12 * 182)) <= 1


def test_equal_rewards_show_the_colours_of_all_seats():
    game = build("MinimumEffort-v0", num_players=3)
    film, state = Film(game), game.initial(np.zeros(1, int))
    for _ in range(30):
        film.add([6, 6, 6], [1.0] * 3)
    frame = film.frame(state)[265:455, 80:230]
    for seat in range(3):
        assert where(frame, language.colour(seat)).sum() > 100


@pytest.mark.parametrize("agents", [3, 12])
def test_long_texts_and_many_seats_stay_inside_the_picture(agents):
    game = build("PublicGoods-v0", num_players=agents)

    class Wordy(type(game)):  # type: ignore[misc]
        def action_names(self, seat):
            return tuple(f"a very long name of an action {i} " * 4 for i in range(3))

        def render(self, state):
            return "a state of many words " * 30

    frame = played(Wordy(num_players=agents), 3, render_mode="rgb_array").render()
    edges = np.concatenate([frame[:, :10].reshape(-1, 3), frame[:, -10:].reshape(-1, 3)])
    assert (edges == 255).all()


def test_a_frame_differs_with_the_state_alone():
    game = build("ContentDisengagement-v0")
    film, start = Film(game), game.initial(np.zeros(1, int))
    raised = start._replace(satisfaction=start.satisfaction + 3)
    assert not np.array_equal(film.frame(start), film.frame(raised))


# Views.


@pytest.mark.parametrize("env_id", ["LogitPricing-v0", "LewisSignal-v0", "SequentialPricing-v0"])
def test_copies_of_a_vector_view_look_like_single_environments(env_id):
    game = build(env_id)
    others = {game.agents[1]: Replay(np.arange(3))}
    options = {"co_players": others, "render_mode": "rgb_array", "max_episode_steps": 3}
    envs = stratagem.vector_env(game, 2, **options)
    singles = [stratagem.make_env(game, **options) for _ in range(2)]
    envs.reset(seed=5)
    for i, one in enumerate(singles):
        one.reset(seed=5 + i)
    for t in range(5):
        action = t % 3
        ended = [one.over for one in singles]
        envs.step(np.full(2, action))
        for one, over in zip(singles, ended, strict=True):
            if over:
                one.reset()
            else:
                one.step(action)
        frames = envs.render()
        assert len(frames) == 2
        for frame, one in zip(frames, singles, strict=True):
            assert np.array_equal(frame, one.render())


@pytest.mark.parametrize("env_id", ["LogitPricing-v0", "InformationGame-v0", "LewisSignal-v0"])
def test_rendering_changes_no_trajectory(env_id):
    game = build(env_id)
    found = []
    for mode in (None, "ansi"):
        env = stratagem.make_env(game, render_mode=mode)
        envs = stratagem.vector_env(game, 3, render_mode=mode)
        log = [env.reset(seed=3)[0], envs.reset(seed=3)[0]]
        for t in range(8):
            if env.over:
                env.reset()
            legal = masks(game, env.copy.row())
            action = t % 2 if legal is None or legal[0][0][t % 2] else int(legal[0][0].argmax())
            log += env.step(action)[:4]
            log += envs.step(np.full(3, action))[:4]
        found.append(log)
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


def test_aec_and_parallel_views_show_the_same():
    game = build("SecretChannel-v0")
    parallel = played(game, 3, render_mode="rgb_array")
    aec = stratagem.aec_env(game, render_mode="rgb_array")
    aec.reset(seed=0)
    generator = np.random.default_rng(0)
    while aec.parallel.film.number < 3:
        actions = random_actions(game, aec.parallel.copy.row(), generator)
        period = aec.parallel.film.number
        while aec.agents and aec.parallel.film.number == period:
            aec.step(int(actions[game.agents.index(aec.agent_selection)][0]))
    assert np.array_equal(aec.render(), parallel.render())


@every_game
def test_gymnasiums_checker_passes_with_its_checks_of_rendering(env_id):
    from gymnasium.utils.env_checker import check_env

    spec = stratagem.registry[env_id]
    if type(spec.build()).legal is not Game.legal:
        pytest.skip("the checker samples actions without their mask")
    env = gymnasium.make(spec.full_id)
    assert env.metadata["render_modes"] == ["ansi", "rgb_array"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*Observation numpy array is all zeros.*")
        warnings.filterwarnings("ignore", message=".*different from the unwrapped version.*")
        check_env(env.unwrapped)


def test_frames_can_be_collected():
    env = gymnasium.make("stratagem/LogitPricing-v0", render_mode="rgb_array")
    collecting = gymnasium.wrappers.RenderCollection(env)
    collecting.reset(seed=0)
    for _ in range(3):
        collecting.step(0)
    frames = collecting.render()
    assert [frame.shape for frame in frames] == [(HEIGHT, WIDTH, 3)] * 4


def test_videos_can_be_recorded(tmp_path):
    pytest.importorskip("moviepy")
    one = gymnasium.make("stratagem/LeverCoordination-v0", render_mode="rgb_array")
    many = stratagem.vector_env("LeverCoordination-v0", 4, render_mode="rgb_array")
    first = gymnasium.wrappers.RecordVideo(one, str(tmp_path / "one"))
    second = gymnasium.wrappers.vector.RecordVideo(many, str(tmp_path / "many"))
    for recording, action in ((first, 0), (second, np.zeros(4, int))):
        recording.reset(seed=0)
        recording.step(action)
        recording.close()
    assert list((tmp_path / "one").glob("*.mp4"))
    assert list((tmp_path / "many").glob("*.mp4"))


@pytest.mark.parametrize("make", [stratagem.parallel_env, stratagem.aec_env])
def test_the_modes_of_pettingzoo_give_what_they_should(make, capsys):
    from pettingzoo.test import render_test

    if make is stratagem.aec_env:
        render_test(partial(make, "LewisSignal-v0"))
        capsys.readouterr()
    env = make("LewisSignal-v0", render_mode="rgb_array")
    assert env.metadata["render_modes"] == ["ansi", "human", "rgb_array"]
    assert env.metadata["render_fps"] > 0
    env.reset(seed=0)
    assert env.render().shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize(
    ("make", "known"),
    [
        (stratagem.make_env, "'ansi', 'rgb_array'"),
        (stratagem.vector_env, "'ansi', 'rgb_array'"),
        (stratagem.parallel_env, "'ansi', 'human', 'rgb_array'"),
        (stratagem.aec_env, "'ansi', 'human', 'rgb_array'"),
    ],
)
def test_an_unknown_mode_is_refused_by_name(make, known):
    with pytest.raises(ValueError, match=f"render_mode must be {known} or None, got 'tv'"):
        make("Chicken-v0", render_mode="tv")


def test_without_pillow_text_works_and_a_picture_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name == "PIL" or name.startswith("PIL.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    env = stratagem.make_env("Chicken-v0", render_mode="ansi")
    env.reset(seed=0)
    assert env.render() == "nothing is remembered"
    env = stratagem.make_env("Chicken-v0", render_mode="rgb_array")
    env.reset(seed=0)
    with pytest.raises(ImportError, match=r'pip install "stratagem\[render\]"'):
        env.render()


# The command line.


def test_run_writes_a_picture_of_each_period_and_one_that_moves(tmp_path, capsys):
    from PIL import Image

    folder = tmp_path / "frames"
    args = ["run", "Cournot-v0", "--seeds", "2", "--steps", "3", "--frames", str(folder)]
    assert main(args) in (0, None)
    assert f"4 frames in {folder}" in capsys.readouterr().out
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["episode.gif", *(f"frame_{t:04}.png" for t in range(4))]
    with Image.open(folder / "episode.gif") as moving:
        assert moving.n_frames == 4
    with Image.open(folder / "frame_0003.png") as last:
        assert last.size == (WIDTH, HEIGHT)


def test_run_names_the_extra_before_it_plays(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(playing, "find_spec", lambda name: None)
    assert main(["run", "Cournot-v0", "--frames", str(tmp_path / "frames")]) == 2
    assert 'needs Pillow: pip install "stratagem[render]"' in capsys.readouterr().err
    assert not (tmp_path / "frames").exists()


# The gallery.


def test_the_gallery_has_a_small_picture_of_every_game():
    docs = Path(__file__).parents[1] / "docs"
    spec = spec_from_file_location("gen_gallery", docs / "gen_gallery.py")
    assert spec is not None
    assert spec.loader is not None
    gallery = module_from_spec(spec)
    spec.loader.exec_module(gallery)
    assert (docs / "gallery.md").read_text(encoding="utf-8") == gallery.page()
    pictures = list((docs / "gallery").iterdir())
    assert {path.stem for path in pictures} == set(stratagem.registry)
    assert sum(path.stat().st_size for path in pictures) < 1_500_000
