r"""How much of what there is to learn PPO and DQN learn, by exact policy evaluation.

One seat of a game learns, everyone else is frozen. The score of what it learnt is
$(v - v_{ref}) / (v_{best} - v_{ref})$: 0 for a reference that does not adapt, 1 for an exact best
response. All three values come from the game's table, never from simulation. What is expected:
a score of at least `TARGET` in at least `ENOUGH` of the five seeds of `SEEDS`.

Sources:
- E. Maskin and J. Tirole (1988), *A theory of dynamic oligopoly, II: price competition, kinked
  demand curves, and Edgeworth cycles*, Econometrica 56(3). The rival that undercuts and starts
  anew; its rule and its numbers are ours.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stratagem.agents.sb3.trainer import SB3Trainer
from stratagem.envs import streams
from stratagem.envs.core import Array, Floats, Game, Ints, Policy, Reactive
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.workers import run_jobs
from stratagem.making import sb3_vec_env

TARGET, ENOUGH = 0.9, 4
DISCOUNT = 0.95
"""Weight of the next period, in training and in values."""
SEEDS = (0, 1, 2, 3, 4)
"""Fixed before the first run; hyper-parameters were chosen on seeds from 100."""


class Problem(NamedTuple):
    """One seat of a game with everyone else frozen."""

    game: Game[Any]
    seat: int
    co_players: Mapping[int, Policy]
    max_episode_steps: int
    """Periods before an episode of training is truncated; values know no truncation."""
    reference: float
    """Value of the seat under a plan that does not adapt."""
    best: float
    """Value of an exact best response."""


@dataclass(frozen=True, kw_only=True)
class Edgeworth:
    """A firm that undercuts the lowest price until it is low itself, then starts anew.

    Attributes:
        step: grid points by which it undercuts.
        floor: own price index from which it starts anew.
        top: price index at which it does.
    """

    step: int = 3
    floor: int = 6
    top: int = 13

    def __call__(self, observation: Array) -> Ints:
        """Return price indices (B,) from last own and other prices (B, 2)."""
        own = observation[:, 0]
        lower = np.maximum(observation.min(axis=1) - self.step, 0)
        return np.where(own <= self.floor, self.top, lower)


@dataclass(frozen=True, kw_only=True)
class Hashed:
    """A firm whose price is a hash of the last prices: a random table that a key fixes.

    Attributes:
        key: of the table.
        num_prices: of its grid.
    """

    key: int = 1
    num_prices: int = 15

    def __call__(self, observation: Array) -> Ints:
        """Return price indices (B,) from last own and other prices (B, 2)."""
        cell = observation[:, 0] * self.num_prices + observation[:, 1]
        words = streams.mix(cell.astype(np.uint64) + np.uint64(self.key) * streams.GOLDEN)
        return (streams.unit(words) * self.num_prices).astype(np.int64)


def pricing(rival: Policy) -> Problem:
    """Return firm 0's problem in the default LogitPricing against a frozen rival.

    The reference is the best constant price, tried one by one. Openings are uniform over all
    pairs of prices; episodes of training are short, so that many are seen.
    """
    game = LogitPricing()
    own = strategy_of(rival, game, 1)
    constant = max(
        float(payoffs(game, [price[None], own], discount=DISCOUNT)[0])
        for price in np.eye(game.num_prices)
    )
    best = best_response(game, 0, [None, own], discount=DISCOUNT)
    return Problem(game, 0, {1: rival}, 10, constant, float(best.payoffs[0]))


def disengagement(friction: float) -> Problem:
    """Return the platform's problem at a friction; the reference is the myopic plan.

    In the default game an episode goes on with probability `DISCOUNT`. Here it goes on for ever
    and is discounted instead, which has the same values with less noise.
    """
    game = ContentDisengagement(friction=friction, continuation=1.0)
    (myopic,) = replace(game, continuation=DISCOUNT).benchmarks()["myopic"].strategies or ()
    reference = payoffs(game, [myopic], discount=DISCOUNT)
    best = best_response(game, 0, [None], discount=DISCOUNT)
    return Problem(game, 0, {}, 25, float(reference[0]), float(best.payoffs[0]))


PROBLEMS: Mapping[str, Callable[[], Problem]] = {
    "pricing-undercut": lambda: pricing(Reactive(Edgeworth())),
    "pricing-table": lambda: pricing(Reactive(Hashed())),
    "content-0.2": lambda: disengagement(0.2),
    "content-0.9": lambda: disengagement(0.9),
}
"""Two firms that meet a rival with a memory of one period, and a platform at two frictions."""


@cache
def problem(name: str) -> Problem:
    """Return a problem of `PROBLEMS`."""
    return PROBLEMS[name]()


def value(task: Problem, policy: Policy) -> float:
    """Return the exact value of a frozen policy without memory in a problem's seat."""
    strategies: list[Floats] = [
        strategy_of(policy if seat == task.seat else task.co_players[seat], task.game, seat)
        for seat in range(len(task.game.agents))
    ]
    return float(payoffs(task.game, strategies, discount=DISCOUNT)[task.seat])


def score(task: Problem, policy: Policy) -> float:
    """Return the normalised value: 0 at the reference, 1 at the best response, at most 1."""
    return (value(task, policy) - task.reference) / (task.best - task.reference)


class Setting(NamedTuple):
    """How an algorithm learns, the same for every problem."""

    periods: int
    """Of all copies together; PPO rounds up to whole roll-outs."""
    num_envs: int
    entropy: float
    """Weight of the entropy in the loss at the start; it falls linearly to 0. DQN has none."""
    rate: float
    """Learning rate at the start; it falls linearly to 0."""
    options: Mapping[str, Any]


SETTINGS: Mapping[str, Setting] = {
    "PPO": Setting(
        150_000,
        64,
        0.2,
        3e-3,
        {"n_steps": 32, "batch_size": 512, "n_epochs": 5, "gae_lambda": 0.9},
    ),
    "DQN": Setting(
        60_000,
        16,
        0.0,
        2e-3,
        {
            "gradient_steps": 2,
            "exploration_final_eps": 0.2,
            "exploration_fraction": 0.5,
            "batch_size": 128,
            "buffer_size": 100_000,
        },
    ),
}
NETWORK = {"net_arch": [64]}
"""One hidden layer, in each network."""


class Run(NamedTuple):
    """One training run."""

    problem: str
    algorithm: str
    seed: int
    share: float
    """Of the setting's budget, in [0, 1]; 0 leaves the network as it was drawn."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.algorithm} on {self.problem}, seed {self.seed}"


class Row(NamedTuple):
    """What one run learnt."""

    problem: str
    algorithm: str
    seed: int
    share: float
    periods: int
    """Periods that were played in training, in all copies together."""
    value: float
    score: float


def learn(run: Run, tick: Callable[[float], None] = lambda done: None) -> Row:
    """Train one network, and evaluate its likeliest or most valued actions exactly."""
    task, setting = problem(run.problem), SETTINGS[run.algorithm]
    budget = max(round(setting.periods * run.share), 1)
    played = 0

    def falling(left: float) -> float:
        return setting.rate * left

    def watch(local: Any, _: Any) -> bool:
        nonlocal played
        if not run.share:
            return False
        played += setting.num_envs
        tick(min(played / budget, 1.0))
        if setting.entropy:
            local["self"].ent_coef = setting.entropy * max(1 - played / budget, 0.0)
        return True

    trainer = SB3Trainer(
        algorithm=run.algorithm,
        num_envs=setting.num_envs,
        discount=DISCOUNT,
        options={**setting.options, "learning_rate": falling, "policy_kwargs": NETWORK},
    )
    agents = task.game.agents
    policy = trainer.train(
        lambda: sb3_vec_env(
            task.game,
            setting.num_envs,
            agent=agents[task.seat],
            co_players={agents[seat]: other for seat, other in task.co_players.items()},
            max_episode_steps=task.max_episode_steps,
        ),
        budget,
        run.seed,
        watch,
    )
    return Row(*run, played, value(task, policy), score(task, policy))


def learn_all(
    done: Callable[[Row], None],
    *,
    problems: Iterable[str] = tuple(PROBLEMS),
    algorithms: Iterable[str] = tuple(SETTINGS),
    seeds: Iterable[int] = SEEDS,
    share: float = 1.0,
    workers: int = 1,
) -> None:
    """Train every algorithm on every problem from every seed.

    Args:
        done: called with each run's row, in any order.
        problems: names in `PROBLEMS`.
        algorithms: names in `SETTINGS`.
        seeds: of the runs.
        share: of each setting's budget, in [0, 1]; 0 does not train at all.
        workers: processes, at least 1; the rows do not depend on it.

    Raises:
        ValueError: If a name is unknown or a number out of range.
    """
    for what, given, known in (
        ("problem", problems, PROBLEMS),
        ("algorithm", algorithms, SETTINGS),
    ):
        for name in given:
            if name not in known:
                raise ValueError(f"{what} must be one of {', '.join(known)}, got {name!r}")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in [0, 1], got {share}")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    run_jobs(
        learn,
        deque(Run(*one, share) for one in product(problems, algorithms, seeds)),
        workers,
        done=lambda run, row: done(row),
        tick=lambda run, part: None,
        say=print,
    )


def reached(rows: Sequence[Row]) -> dict[tuple[str, str], int]:
    """Return how many seeds of each problem and algorithm score at least `TARGET`."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.problem, row.algorithm)
        found[key] = found.get(key, 0) + (row.score >= TARGET)
    return found
