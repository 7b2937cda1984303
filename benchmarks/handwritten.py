"""The peers: hand-written scalar environments of two games, with the rival inlined.

They are what an engineer writes for one game alone: plain Python lists, no checks, the
payoffs computed once. They read the games' numbers, so that both sides do equal work.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete

from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.recommendation.content_disengagement import ContentDisengagement


class PricingEnv(gymnasium.Env[Any, Any]):
    """LogitPricing (2 firms, memory 1, endless) against a frozen memory-one rival."""

    def __init__(self, limit: int = 1000) -> None:
        game = LogitPricing()
        m = game.num_prices
        conduct = game.conduct(1)
        stage = game.stage()
        assert conduct is not None
        self.payoff = stage.payoffs[0].reshape(m, m).tolist()
        own, rival = np.divmod(np.arange(m * m), m)
        seen = np.stack([rival, own], axis=1)  # what the rival saw
        calm = conduct.cooperated(seen)[1]
        answers = np.where(calm, conduct.cooperate, conduct.punish)
        self.answer = answers.reshape(m, m).tolist()
        self.m, self.limit = m, limit
        self.action_space = Discrete(m)
        self.observation_space = MultiDiscrete([m, m])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start with uniform prices."""
        super().reset(seed=seed)
        self.own, self.rival = (int(x) for x in self.np_random.integers(self.m, size=2))
        self.t = 0
        return np.array([self.own, self.rival]), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one period."""
        action = int(action)
        rival = self.answer[self.own][self.rival]
        self.own, self.rival = action, rival
        self.t += 1
        reward = self.payoff[action][rival]
        return np.array([action, rival]), reward, False, self.t >= self.limit, {}


class ContentEnv(gymnasium.Env[Any, Any]):
    """ContentDisengagement at its defaults, with its own generator."""

    def __init__(self, limit: int = 1000, friction: float = 0.2) -> None:
        game = ContentDisengagement(friction=friction)
        assert game.arms is not None
        assert game.stay is not None
        self.rewards = [float(r) for r, _ in game.arms]
        self.moves = [int(s) for _, s in game.arms]
        self.stay = [float(f) for f in game.stay]
        self.back = [(1 - friction) * f for f in self.stay]
        self.go_on, self.top, self.limit = float(game.continuation), len(self.stay) - 1, limit
        self.action_space = Discrete(len(self.rewards))
        self.observation_space = MultiDiscrete([self.top + 1, 3])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start engaged at level 0."""
        super().reset(seed=seed)
        self.x, self.engaged, self.t = 0, 1, 0
        return np.array([0, 1]), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play one period."""
        action, reward = int(action), 0.0
        if self.engaged:
            reward = self.rewards[action]
            self.x = min(max(self.x + self.moves[action], 0), self.top)
            p = self.stay[self.x]
        else:
            p = self.back[self.x]
        u = self.np_random.random()
        over = u >= self.go_on
        self.engaged = int(u < self.go_on * p)
        self.t += 1
        return np.array([self.x, self.engaged]), reward, over, self.t >= self.limit and not over, {}
