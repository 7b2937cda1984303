"""PPO in one file, on the native vector view: it learns to price against a rival that undercuts.

Written from J. Schulman et al. (2017), Proximal policy optimization algorithms. Needs torch.
"""

import argparse

import gymnasium
import numpy as np
import torch
from torch import nn

import stratagem  # registers the games
from stratagem.envs.core import Reactive
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.spaces import every_observation, flat_space, flatten
from stratagem.envs.tabular import strategy_of

GAMMA, LAMBDA, CLIP, ENTROPY = 0.95, 0.95, 0.2, 0.02
EPOCHS, BATCHES, RATE = 5, 4, 3e-3


def undercut(seen):
    """Return price indices from last own and other prices: two below the lower, or back to 12."""
    return np.where(seen[:, 0] <= 5, 12, np.maximum(seen.min(axis=1) - 2, 0))


class Agent(nn.Module):
    """A policy and a value, each with one hidden layer."""

    def __init__(self, num_inputs, num_actions):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(num_inputs, 64), nn.Tanh(), nn.Linear(64, num_actions))
        self.critic = nn.Sequential(nn.Linear(num_inputs, 64), nn.Tanh(), nn.Linear(64, 1))

    def forward(self, seen):
        """Return a distribution of actions and the values (B,) of what is seen."""
        return torch.distributions.Categorical(logits=self.actor(seen)), self.critic(seen)[:, 0]


def advantages(rewards, values, following, ended, cut):
    """Return generalised advantage estimates; all arrays are (T, B).

    Args:
        rewards: of each step.
        values: of what was seen before it.
        following: of what was seen after it; at the end of an episode, of its last observation.
        ended: where the episode terminated, so that nothing follows.
        cut: where it was truncated: the value that follows counts, but the sum stops.
    """
    found, last = np.zeros_like(rewards), np.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        error = rewards[t] + GAMMA * following[t] * ~ended[t] - values[t]
        last = error + GAMMA * LAMBDA * last * ~(ended[t] | cut[t])
        found[t] = last
    return found


def collect(envs, agent, look, seen, num_steps):
    """Play; return the roll-out as arrays (T, B, ...) and what is seen last.

    With same-step autoreset every step is one of play: what it returns at an end is the first
    observation of the next episode, and the last one of the old is in `final_obs`.
    """
    rows = []
    for _ in range(num_steps):
        with torch.no_grad():
            policy, value = agent(look(seen))
            action = policy.sample()
            after, reward, ended, cut, info = envs.step(action.numpy())
            true = after.copy()
            for copy in (ended | cut).nonzero()[0]:
                true[copy] = info["final_obs"][copy]
            following = agent.critic(look(true))[:, 0]
        chance = policy.log_prob(action)
        rows.append((look(seen), action, chance, value, following, reward, ended, cut))
        seen = after
    return [np.stack(column) for column in zip(*rows, strict=True)], seen


def improve(agent, optimizer, rollout):
    """Take the gradient steps of one roll-out."""
    inputs, actions, chances, values, following, rewards, ended, cut = rollout
    gains = advantages(rewards.astype(np.float32), values, following, ended, cut)
    inputs = torch.as_tensor(inputs.reshape(-1, inputs.shape[-1]))
    actions, chances, gains, values = (
        torch.as_tensor(column.reshape(-1)) for column in (actions, chances, gains, values)
    )
    targets = gains + values
    for _ in range(EPOCHS):
        for part in torch.randperm(len(actions)).chunk(BATCHES):
            policy, value = agent(inputs[part])
            gain = (gains[part] - gains[part].mean()) / (gains[part].std() + 1e-8)
            ratio = (policy.log_prob(actions[part]) - chances[part]).exp()
            worst = torch.min(ratio * gain, ratio.clamp(1 - CLIP, 1 + CLIP) * gain)
            error = (value - targets[part]).square().mean()
            loss = -worst.mean() + 0.5 * error - ENTROPY * policy.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()


def main() -> None:
    """Train, and hold what was learnt against the exact best response."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--periods", type=int, default=200_000, help="of all copies together")
    parser.add_argument("--copies", type=int, default=64)
    parser.add_argument("--steps", type=int, default=32, help="of a roll-out")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    rival = Reactive(undercut)
    envs = gymnasium.make_vec(
        "stratagem/LogitPricing-v0",
        num_envs=args.copies,
        co_players={"firm_1": rival},
        max_episode_steps=25,
        autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP,
    )
    space = envs.single_observation_space

    def look(seen):
        return torch.as_tensor(flatten(space, seen))

    agent = Agent(flat_space(space).shape[0], envs.single_action_space.n)
    rounds = -(-args.periods // (args.copies * args.steps))
    optimizer = torch.optim.Adam(agent.parameters(), lr=RATE, eps=1e-5)
    seen, _ = envs.reset(seed=args.seed)
    for done in range(rounds):
        optimizer.param_groups[0]["lr"] = RATE * (1 - done / rounds)
        rollout, seen = collect(envs, agent, look, seen, args.steps)
        improve(agent, optimizer, rollout)
        if (done + 1) % max(rounds // 5, 1) == 0:
            periods = (done + 1) * args.copies * args.steps
            print(f"{periods:7} periods: {rollout[5].mean():.4f} per period")

    game = stratagem.make_env("LogitPricing-v0").game
    with torch.no_grad():
        learnt = agent.actor(look(every_observation(space))).argmax(dim=1).numpy()
    answer = strategy_of(rival, game, 1)
    value = payoffs(game, [np.eye(15)[learnt], answer], discount=GAMMA)[0]
    constant = max(payoffs(game, [p[None], answer], discount=GAMMA)[0] for p in np.eye(15))
    best = best_response(game, 0, [None, answer], discount=GAMMA).payoffs[0]
    print(f"exact value of what it learnt   {value:.4f}, discounted by {GAMMA}")
    print(f"exact value of the best reply   {best:.4f}")
    print(f"of the best constant price      {constant:.4f}")
    print(f"share of the difference learnt  {(value - constant) / (best - constant):.3f}")


if __name__ == "__main__":
    main()
