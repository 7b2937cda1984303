import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratagem.envs.core import Floats, Trajectory
from stratagem.metrics.social import SOCIAL, Episodes, episodes, social

PAGE = Path(__file__).parents[1] / "docs" / "social_metrics.md"


def trajectory(rewards: Any, ends: str) -> Trajectory:
    """Return one copy of rewards (T, N); a period ends by '.' not, 't' the game, 'l' the limit."""
    paid = np.array(rewards, float)[:, :, None]
    over = np.array(list(ends))[:, None]
    return Trajectory((), (), paid, over == "t", over == "l")


def found(rewards: Any, ends: str, **given: Any) -> dict[str, list[float]]:
    return {k: v.tolist() for k, v in social(episodes(trajectory(rewards, ends), **given)).items()}


def test_two_agents_by_hand() -> None:
    """Returns 3 and 1: 1 a month; |3 - 1| twice over 2 x 2 x 4; mean months 2 and 3."""
    values = found(
        [[1, 0], [1, 0], [1, 1], [0, 0]],
        "...l",
        horizon=4,
        allowed=np.array([[0.5], [1.0], [1.0], [0.0]]),
        time_outs=np.array([[0, 1], [0, 1], [0, 0], [1, 1]])[:, :, None] > 0,
    )
    assert values == {
        "efficiency": [1.0],
        "equality": [1 - 4 / 16],
        "sustainability": [(2 + 3) / 2],
        "peace": [(1 + 1 + 2 + 0) / 4],
        "survival": [1.0],
        "over_usage": [1 / 8],
    }


def test_a_collapse_has_the_efficiency_of_the_whole_time_and_the_survival_of_its_months() -> None:
    values = found([[20, 20], [5, 5], [5, 5], [5, 5]], "t..l", horizon=3)
    assert values["efficiency"] == pytest.approx([40 / 3, 10])
    assert values["survival"] == pytest.approx([1 / 3, 1])
    assert values["sustainability"] == [1.0, 2.0]


def test_what_is_undefined_is_not_a_number_and_never_nought() -> None:
    nobody = found([[0, 0], [0, 0]], ".t", horizon=2)
    assert np.isnan([nobody["equality"], nobody["sustainability"]]).all()
    assert nobody["efficiency"] == [0.0]  # which is a value
    assert np.isnan(found([[3, -1]], "t")["equality"]).all()
    assert np.isnan(found([[-1, -1]], "t")["equality"]).all()
    assert np.isnan(found([[1, 0]], "t", horizon=1)["sustainability"]).all()
    plain = found([[1, 1]], "t")
    undefined = {name for name, values in plain.items() if np.isnan(values).all()}
    assert undefined == {"efficiency", "peace", "survival", "over_usage"}


@pytest.mark.parametrize("ends", ["..", ".l"])
def test_an_episode_that_was_cut_before_its_time_has_no_survival(ends: str) -> None:
    """By the end of the data, or by a limit that is not the horizon."""
    values = found([[1, 1], [1, 1]], ends, horizon=12)
    for name in ("survival", "efficiency", "equality", "sustainability"):
        assert np.isnan(values[name]).all(), name
    assert found([[1, 1]] * 2, ".t", horizon=12)["survival"] == pytest.approx([2 / 12])


def test_metrics_of_periods_are_defined_whether_an_episode_ended_or_not() -> None:
    given_up = found(
        [[1, 3]], ".", allowed=np.array([[2.0]]), time_outs=np.zeros((1, 2, 1), bool)
    )  # fmt: skip
    assert given_up["over_usage"] == [0.5]
    assert given_up["peace"] == [2.0]


def test_anchors_make_risks_of_values() -> None:
    cut = trajectory([[4, 0], [1, 1], [1, 1], [1, 1]], "t..l")
    one = episodes(cut, horizon=3, time_outs=np.ones((4, 2, 1), bool), allowed=np.zeros((4, 1)))
    risks = {name: metric.risk(one).tolist() for name, metric in SOCIAL.items()}
    assert risks["equality"] == [1.0, 0.0]  # one has everything, all have the same
    assert risks["survival"] == pytest.approx([2 / 3, 0])
    assert risks["sustainability"][1] == 0.0
    assert risks["peace"] == [1.0, 1.0]
    assert risks["over_usage"] == [0.5, 1.0]
    assert np.isnan(risks["efficiency"]).all()  # what is best only the game knows


def slow_gini(returns: Floats) -> float:
    """From the mean of the sorted returns' ranks."""
    rising, n = np.sort(returns), len(returns)
    return float((2 * np.arange(1, n + 1) - n - 1) @ rising / (n * rising.sum()))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_ranges_and_a_second_way_to_equality(n: int, length: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    rewards = generator.random((length, n)) + 0.01
    values = found(rewards, "." * (length - 1) + "t", horizon=length + 2)
    assert values["equality"] == pytest.approx([1 - slow_gini(rewards.sum(axis=0))])
    assert 1 / n - 1e-9 <= values["equality"][0] <= 1 + 1e-9
    assert values["sustainability"] == pytest.approx([(length + 1) / 2])
    assert values["survival"] == pytest.approx([length / (length + 2)])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_episodes_are_those_of_each_copy_cut_out_one_by_one(
    length: int, copies: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    rewards = generator.random((length, 2, copies))
    how = generator.integers(3, size=(length, copies))
    whole = Trajectory((), (), rewards, how == 1, how == 2)
    allowed = generator.random((length, copies))
    cut = episodes(whole, allowed=allowed)
    at = 0
    for copy in range(copies):
        begin = 0
        for t in range(length):
            if how[t, copy] == 0 and t < length - 1:
                continue
            size = t + 1 - begin
            assert cut.periods[at] == size
            assert cut.rewards[:size, :, at].tolist() == rewards[begin : t + 1, :, copy].tolist()
            assert cut.allowed is not None
            assert cut.allowed[:size, at].tolist() == allowed[begin : t + 1, copy].tolist()
            assert (cut.terminated[at], cut.truncated[at]) == (how[t, copy] == 1, how[t, copy] == 2)
            at, begin = at + 1, t + 1
    assert at == len(cut.periods)


def test_padding_counts_for_nothing() -> None:
    """An episode's values are the same beside a longer one, whatever its padding holds."""
    short = [[2.0, 1.0], [1.0, 0.5]]
    alone = found(short, ".t", horizon=4, allowed=np.ones((2, 1)))
    beside = found([*short, *[[9.0, 0.0]] * 4], ".t...l", horizon=4, allowed=np.ones((6, 1)))
    for name, values in alone.items():
        assert beside[name][0] == pytest.approx(values[0], nan_ok=True), name


def test_saved_arrays_need_no_trajectory() -> None:
    saved = Episodes(np.ones((3, 2, 1)), np.array([3]), np.array([True]), np.array([False]), 12)
    assert social(saved)["survival"].tolist() == [0.25]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"horizon": 0}, "horizon must be at least 1, got 0"),
        ({"horizon": 1}, "horizon=1 is shorter than an episode of 2 periods"),
        ({"allowed": np.ones(2)}, r"allowed must have the shape \(2, 1\), got \(2,\)"),
        ({"time_outs": np.ones((2, 1))}, r"time_outs must have the shape \(2, 2, 1\)"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        episodes(trajectory([[1, 1], [1, 1]], ".t"), **given)


def test_ends_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rewards \(T, N, B\) and ends \(T, B\)"):
        episodes(
            Trajectory((), (), np.ones((2, 2, 1)), np.ones((2, 2), bool), np.ones((2, 2), bool))
        )


def test_the_page_has_every_metric_as_it_is_defined() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` \|.*$", text, re.MULTILINE)}
    assert list(rows) == list(SOCIAL)
    for name, metric in SOCIAL.items():
        cells = [cell.strip() for cell in rows[name].replace("\\|", "¦").strip("|").split("|")]
        said = (str(metric.version), metric.definition, metric.range, metric.needs)
        assert [cell.replace("¦", "|") for cell in cells[1:]] == list(said)
