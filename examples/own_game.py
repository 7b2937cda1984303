"""A game of one's own, outside the package: two boats fish a lake whose stock grows back."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete

import stratagem
from stratagem.envs.core import Game, Step


class State(NamedTuple):
    """Batched state."""

    stock: np.ndarray  # (B,) tons of fish


@stratagem.register("Fishery-v0", max_episode_steps=200, failure_modes=("conflict",))
@dataclass(frozen=True, kw_only=True)
class Fishery(Game[State]):
    """Each boat takes up to two tons a day; the game ends when the lake is empty.

    Attributes:
        capacity: most that the lake holds, in tons, at least 1.
        good_year: probability that the stock grows by two tons and not by one, in [0, 1].
    """

    capacity: int = 6
    good_year: float = 0.5

    @property
    def agents(self):
        """Two boats."""
        return ("boat_0", "boat_1")

    @cached_property
    def action_spaces(self):
        """Tons wanted."""
        return (Discrete(3), Discrete(3))

    @cached_property
    def observation_spaces(self):
        """The stock, seen by both."""
        return (Discrete(self.capacity + 1), Discrete(self.capacity + 1))

    def initial(self, outcome):
        """Start with a full lake."""
        return State(np.full(len(outcome), self.capacity, np.int64))

    def chance(self, state, actions):
        """Return how likely slow and fast growth are."""
        return np.array([1 - self.good_year, self.good_year])

    def step(self, state, actions, outcome):
        """Share what is wanted, or what there is, and let the rest grow."""
        wanted = actions.sum(axis=0)
        taken = np.minimum(wanted, state.stock)
        rewards = actions * (taken / np.maximum(wanted, 1))
        left = state.stock - taken
        grown = np.minimum(left + 1 + outcome, self.capacity)
        return Step(State(np.where(left > 0, grown, 0)), rewards, left == 0)

    def observe(self, state):
        """Both see the stock."""
        return (state.stock, state.stock)


def main() -> None:
    """Play it through Gymnasium, tabulate it, and solve it against a moderate rival."""
    env = gymnasium.make("stratagem/Fishery-v0", co_players={"boat_1": "fixed:1"})
    env.reset(seed=0)
    catch, days, over = 0.0, 0, False
    while not over:
        _, reward, terminated, truncated, _ = env.step(2)
        catch, days, over = catch + float(reward), days + 1, terminated or truncated
    print(f"greedy against moderate: {catch:.1f} tons in {days} days")

    game = Fishery()
    print(f"as a table: {len(stratagem.tabulate(game).initial)} start, {game.capacity + 1} stocks")
    moderate = np.array([[0.0, 1.0, 0.0]])
    answer = stratagem.best_response(game, 0, (moderate, moderate), discount=0.95)
    print(f"best response is worth {answer.payoffs[0]:.3f} (discount .95); by stock, tons:")
    print(answer.strategy.argmax(axis=1))


if __name__ == "__main__":
    main()
