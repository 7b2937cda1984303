"""The framework of reproductions, and each experiment in short; the whole ones are slow."""

import argparse
import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from math import inf, log, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stratagem.cli.main import UsageError, parser
from stratagem.cli.reproducing import as_json, band, reproduce_named
from stratagem.envs.games.information.information_game import InformationGame
from stratagem.envs.games.recommendation.calibration import load_customers
from stratagem.envs.games.stackelberg.matrix_presets import preset
from stratagem.envs.planning import payoffs
from stratagem.envs.solvers.channel import divergence
from stratagem.envs.solvers.commitment import memory_one_totals
from stratagem.envs.tabular import strategy_of
from stratagem.players import player
from stratagem.reproductions import (
    REPRODUCTIONS,
    Check,
    at_least,
    at_most,
    channel,
    customers,
    disengagement,
    disengagement_plans,
    exploitation,
    following,
    knowledge,
    near,
    reproduce,
    reproduction,
    screens,
    serving,
)
from stratagem.reproductions.play import expected_payoffs
from stratagem.reproductions.registry import Note

NAMES = (
    "informed-player-wins",
    "uninformed-cannot-win",
    "learns-without-gain",
    "information-reversal",
    "exploit-mean-based-learner",
    "swap-regret-caps-exploitation",
    "selling-to-no-regret-buyer",
    "oracles-and-followers",
    "commitment-learning-from-queries",
    "jec-cartel-screens",
    "secret-channel-capacity",
    "private-codes-do-not-transfer",
    "commitment-doubles-crash-risk",
    "lewis-private-languages",
    "risk-dominance-selects-hare",
    "minimum-effort-collapse",
    "friction-paradox",
    "no-reversal-control",
    "plan-enumeration-is-optimal",
    "modified-elasticity",
    "cdnow-bgnbd",
    "hedge-half-competitive",
    "govsim-collapse",
    "crisis-war-probability",
    "trust-unravels",
    "zero-shot-coordination",
    "incompatible-conventions",
    "extortion-ratio",
    "axelrod-tournament",
)
TARGETS = (
    near("height", 2.0, 0.5, "published", "a book"),
    at_most("noise", 1.0, "derived", "a bound", control=True),
)


def quiet(message: str) -> None:
    del message


@pytest.fixture
def toy() -> Iterator[dict[str, float]]:
    """An experiment that measures what the test puts in."""
    measured = {"height": 2.25, "noise": 1.0}

    @reproduction("toy", *TARGETS)
    def measure(note: Note) -> Mapping[str, float]:
        """A toy."""
        note("half way")
        return measured

    yield measured
    del REPRODUCTIONS["toy"]


def asked(*argv: str) -> argparse.Namespace:
    return parser().parse_args(["reproduce", *argv])


def test_every_experiment_that_was_promised_is_there_with_a_control() -> None:
    assert set(NAMES) <= set(REPRODUCTIONS)
    for one in REPRODUCTIONS.values():
        assert one.about.endswith(".")
        assert any(target.control for target in one.targets)
        assert all(
            target.source and target.low <= target.value <= target.high for target in one.targets
        )


def test_bands_include_their_ends_and_nothing_else() -> None:
    close, least, most = (
        near("x", 1.0, 0.25, "derived", "-"), at_least("x", 1.0, "derived", "-"),
        at_most("x", 1.0, "derived", "-"),
    )  # fmt: skip
    for target, inside, outside in (
        (close, (0.75, 1.25), (0.7499, 1.2501)),
        (least, (1.0, 9.0), (0.9999, inf)),
        (most, (1.0, -9.0), (1.0001, -inf)),
    ):
        assert all(Check(target, value).passed for value in inside)
        assert not any(Check(target, value).passed for value in (*outside, nan))


def test_a_reproduction_in_its_bands_exits_with_0(toy: Any, capsys: Any) -> None:
    assert reproduce_named(asked("toy")) == 0
    out, err = capsys.readouterr()
    assert "ok   height" in out
    assert "measured 2.25, target 2, band 1.5 to 2.5; published: a book" in out
    assert "noise (control)" in out
    assert "2 of 2 in their bands" in out
    assert "half way" in err
    assert "half way" not in out


@pytest.mark.parametrize("height", [2.6, nan, inf])
def test_a_miss_exits_with_1_and_says_so(toy: Any, capsys: Any, height: float) -> None:
    toy["height"] = height
    assert reproduce_named(asked("toy", "--json")) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["passed"] is False
    assert [check["passed"] for check in found["checks"]] == [False, True]
    assert found["checks"][0]["measured"] == (2.6 if height == 2.6 else None)
    assert reproduce_named(asked("toy")) == 1
    assert "MISS height" in capsys.readouterr().out


def test_a_control_that_misses_is_a_miss(toy: Any) -> None:
    toy["noise"] = 1.5
    assert reproduce_named(asked("toy")) == 1


def test_json_has_the_same_fields_for_every_check(toy: Any) -> None:
    found = as_json(reproduce("toy"))
    assert set(found) == {"name", "about", "passed", "seconds", "checks"}
    assert found["about"] == "A toy."
    for check, target in zip(found["checks"], TARGETS, strict=True):
        assert set(check) == {
            "name", "measured", "target", "low", "high", "kind", "source", "control", "passed",
        }  # fmt: skip
        assert (check["name"], check["kind"], check["control"]) == (
            target.name, target.kind, target.control,
        )  # fmt: skip
    assert found["checks"][1]["low"] is None
    assert (band(-inf, 1), band(0.5, inf), band(0, 1)) == ("at most 1", "at least 0.5", "0 to 1")


def test_the_list_names_every_experiment(capsys: Any) -> None:
    assert reproduce_named(asked("--list")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(REPRODUCTIONS)
    assert reproduce_named(asked("--list", "--json")) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found] == list(REPRODUCTIONS)


def test_all_runs_every_experiment(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for name in list(REPRODUCTIONS):
        monkeypatch.delitem(REPRODUCTIONS, name)
    for name in ("one", "two"):
        reproduction(name, *TARGETS)(lambda note: {"height": 2, "noise": 0})
    assert reproduce_named(asked("all", "--json")) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["one", "two"]
    for name in ("one", "two"):
        del REPRODUCTIONS[name]


def test_mistakes_are_refused_before_any_work(toy: Any) -> None:
    with pytest.raises(ValueError, match="unknown reproduction 'informed-players-win'; did you me"):
        reproduce_named(asked("toy", "informed-players-win"))
    with pytest.raises(UsageError, match="--list takes no names, got toy"):
        reproduce_named(asked("toy", "--list"))
    with pytest.raises(UsageError, match="name what to reproduce"):
        reproduce_named(asked())


def test_the_command_line_exits_with_1_on_a_miss_and_2_on_a_mistake(toy: Any, capsys: Any) -> None:
    from stratagem.cli import main

    toy["height"] = 9.0
    assert main(["reproduce", "toy"]) == 1
    capsys.readouterr()
    assert main(["reproduce", "toyy"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "did you mean toy?" in err
    toy["height"] = 2.0
    assert main(["reproduce", "toy"]) == 0


@pytest.mark.parametrize(
    ("name", "targets", "message"),
    [
        ("informed-player-wins", TARGETS, "already a reproduction"),
        ("new", (TARGETS[0],), "must have a negative control"),
        ("new", (TARGETS[1], TARGETS[1]), "names of their own"),
        ("new", (TARGETS[1], TARGETS[0]._replace(low=3.0)), "must hold its value"),
    ],
)
def test_an_experiment_that_is_none_is_not_registered(
    name: str, targets: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        reproduction(name, *targets)
    assert "new" not in REPRODUCTIONS


def test_measuring_something_else_than_the_targets_is_an_error(toy: Any) -> None:
    toy["width"] = 1.0
    with pytest.raises(RuntimeError, match="other things than its targets: \\['width'\\]"):
        reproduce("toy")


def test_expected_payoffs_are_exact_over_natures_draw() -> None:
    game = InformationGame(precision=(0.5, 0.25), prior=(0.3, 0.7), horizon=3)
    names = ("stackelberg", "concede")
    seats = [player(name, game, seat) for seat, name in enumerate(names)]
    found = expected_payoffs(game, seats, periods=3, copies=1, name="here")
    strategies = []
    for seat, policy in enumerate(seats):
        strategies.append(strategy_of(policy, game, seat))  # type: ignore[arg-type]
    np.testing.assert_allclose(found, payoffs(game, strategies) / 3)


def test_equilibria_of_a_table_by_hand() -> None:
    dilemma = np.array([[[3.0, 1], [4, 2]], [[3, 4], [1, 2]]])
    assert knowledge.equilibria(dilemma, 0.5).tolist() == [[False, False], [False, True]]
    assert knowledge.equilibria(dilemma, 1.0).tolist() == [[True, True], [True, True]]
    assert knowledge.gains(dilemma).tolist() == [[[1, 1], [0, 0]], [[1, 0], [1, 0]]]


def test_what_a_move_tells_by_hand() -> None:
    game = InformationGame(precision=(1.0, 0.0), horizon=2)
    seats = [player("concede", game, 0), player("fixed:0", game, 1)]
    assert knowledge.posterior(game, 1, seats) == pytest.approx(1)  # T in one game, B in the other
    seats[0] = player("fixed:1", game, 0)
    assert knowledge.posterior(game, 1, seats) == pytest.approx(0.5)
    assert knowledge.posterior(game, 0, seats) == pytest.approx(1)


def test_knowledge_in_short() -> None:
    found = knowledge.uninformed_cannot_win(quiet, periods=300, copies=2)
    assert found["bound of the linear program, player_1"] == pytest.approx(5 / 6)
    assert found["commit / stubborn, player_0"] == pytest.approx(0.5)
    assert found["commit / commit by signal, player_1"] == pytest.approx(0.4)
    assert found["concede / commit by signal, player_1"] == pytest.approx(0.675)
    assert found["gain of player_0 from committing where it conceded"] > 0.15
    told = knowledge.learns_without_gain(quiet, periods=100, copies=2)
    assert told["chance player_1 gives the true game after one round"] == pytest.approx(1)
    assert told["chance player_1 gives the true game where both commitments are alike"] < 0.7


def test_who_leads_in_short() -> None:
    turned = knowledge.information_reversal(quiet, periods=150, copies=1)
    for pair, told in (("pair", 1), ("mirrored pair", 0)):
        assert turned[f"{pair}: player_{told}, whose payoffs vary"] > 0.9  # 1.005 in the long run
        assert turned[f"{pair}: player_{1 - told}"] < 0.8
    game = InformationGame(horizon=150)
    paid = knowledge.table(
        game, ("commit", "concede"), ("hedge",), copies=2, name="here", note=quiet
    )
    assert paid[0, 0, 0] > 0.95 > 0.8 > paid[0, 1, 0]


def test_exploitation_in_short() -> None:
    found = exploitation.exploit_mean_based_learner(quiet, periods=600, short=200, copies=2)
    assert found["fictitious play, T = 20000"] == pytest.approx(0.9, abs=0.02)
    assert found["fictitious play without Right, above its Stackelberg value"] < 0.05
    assert found["fictitious play, the same frequencies mixed"] < 0.05
    held = exploitation.swap_regret_caps_exploitation(quiet, periods=600, copies=1, games=3)
    assert held["most under no external regret"] == pytest.approx(22 / 21)
    assert held["blum_mansour against the schedule"] < 0.05


def test_sales_in_short_and_by_enumeration_of_fixed_prices() -> None:
    found = exploitation.selling_to_no_regret_buyer(quiet, periods=240, copies=1)
    assert found["falling reserve, fictitious play"] == pytest.approx(7 / 24, abs=0.01)
    assert found["revenue of the best fixed price"] == 0.25
    for value in exploitation.VALUES:
        game = exploitation.sale(float(value))
        for row, reserve in enumerate(exploitation.RESERVES):
            own = game.tensor[1][row]
            likes = exploitation.BIDS[own.argmax()]  # the higher of equally good bids
            pays = game.tensor[0][row, own.argmax()]
            assert pays == (reserve if reserve <= value else 0)
            assert pays in (likes, 0)


def test_following_in_short() -> None:
    found = following.commitment_learning_from_queries(quiet)
    assert found["value of the learned commitment"] == pytest.approx(3.5)
    totals = memory_one_totals(*preset("ordinal_prisoners_dilemma"), 10)
    best = totals[0][np.arange(32), following.answers(totals)]
    assert best.max() == 31
    assert best[[0, -1]].tolist() == [10, 20]  # always cooperate, always defect
    policies = np.array([int(best.argmax()), 31])
    assert following.reached(totals, policies).tolist() == [True, False]


def test_the_cartels_screens_have_their_controls_in_short() -> None:
    found = screens.jec_cartel_screens(quiet, series=4, resamples=100)
    for name in screens.CLAIMS:
        assert found[f"{name}, lower end of the area's interval"] > 0.5
        assert found[f"{name}, mean area over shifts of the state"] == pytest.approx(0.5, abs=0.01)
        assert 0.2 < found[f"{name}, mean area on competitive prices"] < 0.8


def test_competitive_prices_are_like_the_cartels_but_know_nothing_of_it() -> None:
    like = screens.joint_executive_committee().prices
    prices = screens.competitive_prices(like, 400)
    assert prices.shape == (400, 328)
    assert prices.mean() == pytest.approx(like.mean(), abs=0.005)
    assert prices.std() == pytest.approx(like.std(), rel=0.07)
    centred = prices - like.mean()
    memory = (centred[:, 1:] * centred[:, :-1]).sum() / (centred**2).sum()
    own = like - like.mean()
    assert memory == pytest.approx((own[1:] @ own[:-1]) / (own @ own), abs=0.06)
    assert len({tuple(one) for one in prices}) == 400
    assert (prices == screens.competitive_prices(like, 400)).all()


def test_channels_in_short() -> None:
    found = channel.secret_channel_capacity(quiet, copies=50)
    assert found["capacity at error 0.25"] == pytest.approx(0.7925, abs=5e-5)
    assert found["half paraphrased, secure code: gain per round"] == pytest.approx(0.5, abs=0.1)
    assert found["saved from the naive code, cost .7"] > 0.1
    assert found["saved from the naive code, cost .7, messages unseen"] == pytest.approx(0)
    learnt = channel.private_codes_do_not_transfer(quiet, runs=4, periods=1500)
    assert learnt["gain per round of pairs that learnt together"] > 0.8
    assert learnt["gap between the two"] > 0.3
    agreed = learnt["gain per round with a stranger who has the secure code"]
    assert agreed == pytest.approx(1)


def test_disengagement_in_short() -> None:
    found = disengagement.friction_paradox(quiet, copies=300, periods=200)
    assert found["engaged share gained from friction, 0 to 0.2"] == pytest.approx(0.3751, abs=1e-4)
    assert found["simulated value of the optimum, friction 0.2"] == pytest.approx(17.87, abs=0.5)
    rare = "engaged share gained from friction by a platform that goes on burning"
    assert found[rare] == pytest.approx(0.48 / 0.88 - 0.6)  # .8 .6 / (.4 + .8 .6)
    turned = disengagement.no_reversal_control(quiet, count=12)
    assert turned["frictions of 100 at which the optimum burns"] == 0
    assert turned["two thresholds, largest rise of the engaged share"] > 0.3
    planned = disengagement_plans.plan_enumeration_is_optimal(quiet, count=40)
    assert planned["largest shortfall over 300 users"] < 1e-9
    assert planned["shortfall where holding pays nothing, friction 0.9"] > 0.5
    held = disengagement_plans.modified_elasticity_decides(quiet, levels=13)
    assert held["satisfaction held, friction 0.5"] == pytest.approx(6.016, abs=1e-3)
    assert held["difference of the two conditions where nobody returns"] < 1e-6


def test_serving_in_short() -> None:
    found = serving.hedge_half_competitive(quiet, users=300, copies=5, draws=5)
    assert found["regret of hedge, adversarial"] < (300 * log(6) / 2) ** 0.5
    assert found["regret of following the leader, adversarial"] > 25
    for name in ("iid", "shifting", "adversarial"):
        assert found[f"hedge's share of the per-user optimum, {name}"] > 0.6
    assert found["the myopic target's share, users who must be satisfied first"] < 0.5


def test_regret_and_share_of_what_was_served_by_hand() -> None:
    game = serving.DisengagementPopulation(**serving.NEEDY, horizon=3)
    targets = np.array([[0], [2], [2]])
    found = serving.Served(np.zeros((3, 1), np.int64), targets)
    burn, climb = game.payoffs[0, [0, 2]]
    width = climb - game.payoffs.min()
    assert serving.regret(game, found) == pytest.approx((climb - burn) / width)
    assert serving.share(game, found) == pytest.approx((burn + 2 * climb) / (3 * climb))


def test_spread_of_pairs_of_messages_by_enumeration() -> None:
    cover = np.array(channel.unwatched(1).cover)
    pairs = [np.isin(range(4), pair) / 2 for pair in combinations(range(4), 2)]
    found = [divergence(own, cover) for own in pairs]
    assert np.mean(found) == pytest.approx(channel.PAIR_DIVERGENCE, abs=5e-5)
    assert np.std(found) == pytest.approx(channel.PAIR_SPREAD, abs=5e-5)


def test_customers_in_short() -> None:
    found = customers.cdnow_bgnbd(quiet, draws=2, controls=1)
    assert found["log-likelihood"] == pytest.approx(-9582.4, abs=0.05)
    assert found["log-likelihood gained by drop-out"] > 100
    none = "log-likelihood gained by drop-out where there is none, most of 10 cohorts"
    assert found[none] < customers.CLEAR
    left = "share of the gain left where last purchases come as without drop-out, most of 10 times"
    assert found[left] < 0.5
    for name in customers.NAMES:
        off = found[f"a drawn cohort fitted anew: {name}, standard errors from the truth"]
        assert abs(off) < 3


def test_last_purchases_that_come_as_without_drop_out_by_their_mean() -> None:
    data = load_customers()
    drawn = customers.stayed(data, 0)
    assert (drawn.frequency == data.frequency).all()
    for x in (1, 2, 4):
        share = (drawn.recency / drawn.observed)[data.frequency == x]
        error = share.std() / len(share) ** 0.5
        assert share.mean() == pytest.approx(x / (x + 1), abs=4 * error)
    assert (drawn.recency[data.frequency == 0] == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_finds_what_it_should(name: str) -> None:
    outcome = reproduce(name)
    missed = [(c.target.name, c.measured, c.target.value) for c in outcome.checks if not c.passed]
    assert not missed


def test_the_page_shows_every_target_with_a_measurement_in_its_band() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reproductions.md").read_text(encoding="utf-8")
    for one in REPRODUCTIONS.values():
        section = page.split(f"\n## {one.name}\n")[1].split("\n## ")[0]
        assert one.about in section
        rows = [line.strip("| ").split(" | ") for line in section.splitlines() if " | " in line][1:]
        assert len(rows) == len(one.targets)
        for row, target in zip(rows, one.targets, strict=True):
            assert row[0] == target.name + (" (control)" if target.control else "")
            assert float(row[2]) == pytest.approx(target.value, rel=1e-4)
            assert row[3] == band(target.low, target.high)
            slack = 1e-4 * max(1, abs(target.value))
            assert target.low - slack <= float(row[1]) <= target.high + slack
            assert row[4] == f"{target.kind}: {target.source}"
