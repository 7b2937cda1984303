import numpy as np
import pytest

from stratagem.agents.scripted.random_play import Random
from stratagem.envs.core import Reactive, learns
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.envs.registry import registry
from stratagem.envs.simulator import rollout
from stratagem.players import PLAYERS, player

PRICING = LogitPricing(num_prices=5)
INFORMATION = registry["InformationGame-v0"].build()


def test_a_policy_is_returned_as_it_is() -> None:
    policy = Random(5)
    assert player(policy, PRICING, 0) is policy


def test_every_player_has_a_builder_and_a_line_about_it() -> None:
    assert {"random", "fixed", "tit_for_tat", "benchmark", "q_learning"} <= set(PLAYERS)
    assert all(callable(entry.build) and entry.about for entry in PLAYERS.values())


@pytest.mark.parametrize("env_id", sorted(registry))
def test_every_playable_benchmark_of_every_game_is_played(env_id) -> None:
    game = registry[env_id].build()
    for name, benchmark in game.benchmarks().items():
        if benchmark.strategies is None:
            continue
        seats = [player(f"benchmark:{name}", game, seat) for seat in range(len(game.agents))]
        played, _ = rollout(game, seats, num_copies=2, num_steps=3, seed=4)
        for own, strategy, space in zip(
            np.moveaxis(played.actions, 1, 0), benchmark.strategies, game.action_spaces, strict=True
        ):
            assert set(own.ravel().tolist()) <= set(np.nonzero(strategy)[1].tolist())
            assert all(space.contains(action) for action in own.ravel())


@pytest.mark.parametrize("name", ["tit_for_tat", "grim", "win_stay_lose_shift"])
def test_a_cooperative_player_meets_itself_and_goes_on_cooperating(name) -> None:
    conduct = PRICING.conduct(0)
    assert conduct is not None
    assert conduct.cooperate != conduct.punish
    seats = [player(name, PRICING, seat) for seat in range(2)]
    played, _ = rollout(PRICING, seats, num_copies=20, num_steps=6, seed=8)
    calm = played.actions[0] == conduct.cooperate
    together = calm.all(axis=0)
    assert together.any()
    assert (played.actions[:, :, together] == conduct.cooperate).all()


@pytest.mark.parametrize("name", ["tit_for_tat", "grim", "win_stay_lose_shift"])
def test_a_game_without_cooperation_is_refused(name) -> None:
    with pytest.raises(ValueError, match="needs a cooperative and a punishing action"):
        player(name, INFORMATION, 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fixed:5", "from 0 to 4, got fixed:5"),
        ("fixed:-1", "from 0 to 4, got fixed:-1"),
        ("fixed:x", "from 0 to 4, got fixed:x"),
        ("fixed:", "from 0 to 4"),
        ("fixed", "must be written 'fixed:K'"),
        ("benchmark", "must be written 'benchmark:NAME'"),
        ("grim:2", "takes no argument"),
        ("benchmark:nonsense", "is unknown; playable are .*grid_nash_low"),
        ("benchmark:monopoly", "is no profile of the game's own actions; playable are"),
        ("tit_for_tatt", "did you mean 'tit_for_tat'"),
        ("zzz", "there are random, fixed"),
    ],
)
def test_a_wrong_name_is_refused_with_what_is_allowed(name, message) -> None:
    with pytest.raises(ValueError, match=message):
        player(name, PRICING, 0)


def test_something_that_is_no_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="a policy must have init and act, got 3"):
        player(3, PRICING, 0)


def test_options_are_for_learners_and_must_be_known() -> None:
    with pytest.raises(ValueError, match="'random' takes no options, got \\['alpha'\\]"):
        player("random", PRICING, 0, alpha=0.1)
    with pytest.raises(ValueError, match="gamma"):
        player("q_learning", PRICING, 0, gamma=0.1)
    with pytest.raises(ValueError, match=r"alpha must be in \(0, 1\], got 2"):
        player("q_learning", PRICING, 0, alpha=2)


def test_a_learner_discounts_only_where_the_game_may_go_on_for_ever() -> None:
    ending = LogitPricing(num_prices=5, continuation=0.9)
    found = [player("q_learning", game, 0) for game in (PRICING, ending, INFORMATION)]
    assert [one.discount for one in found] == [0.95, 1.0, 1.0]
    assert player("q_learning", PRICING, 0, discount=0.5).discount == 0.5
    known_end = MatrixGame(horizon=5, continuation=1.0)
    assert player("q_learning", known_end, 0).discount == 1.0
    assert all(map(learns, found))


def test_deterministic_names_give_policies_that_can_be_folded() -> None:
    for name in ("fixed:2", "tit_for_tat", "win_stay_lose_shift", "benchmark:grid_nash_low"):
        policy = player(name, PRICING, 1)
        assert isinstance(policy, Reactive)
        assert policy.rule(np.zeros((2, 2), np.int64)).dtype.kind == "i"


OWN = """
import numpy as np


class Bare:
    def init(self, num_copies, rng):
        return ()

    def act(self, observation, memory, rng, mask=None):
        return np.zeros(len(observation), np.int64), memory


class Seated(Bare):
    def __init__(self, game, seat):
        self.name = game.agents[seat]


class Tuned(Bare):
    def __init__(self, *, rate):
        self.rate = rate


class Broken(Bare):
    def __init__(self):
        raise TypeError("inside")
"""


def test_a_class_of_the_users_own_is_built_with_game_and_seat_or_with_nothing(
    tmp_path, monkeypatch
) -> None:
    (tmp_path / "own_players.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    assert player("own_players:Seated", PRICING, 1).name == "firm_1"
    assert player("own_players:Bare", PRICING, 1).init(1, None) == ()
    with pytest.raises(ValueError, match=r"'own_players:Tuned' must be called with \(game, seat\)"):
        player("own_players:Tuned", PRICING, 0)
    with pytest.raises(TypeError, match="inside"):  # the user's own mistake is shown as it is
        player("own_players:Broken", PRICING, 0)
