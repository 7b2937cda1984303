"""Speed of a population of users against a loop over users in Python, in CPU time of one run.

Usage: python benchmarks/population.py [--users N] [--periods T] [--sample N] [--rounds N]

Four types of users, served by four plans, none of whom is ever gone. The loop is what one writes
without a library, one user after the other with lists and Python's generator; it is run on a
sample of users and scaled to all. Beside them is our vector environment of one type, which asks an
agent for each user's arm. The median of the rounds counts.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

import stratagem
from stratagem.envs.games.recommendation.arrivals import targets
from stratagem.envs.games.recommendation.disengagement_population import DisengagementPopulation
from stratagem.envs.games.recommendation.engagement import ENGAGED
from stratagem.envs.games.recommendation.population import Segment, expected, simulate


def segments() -> list[Segment]:
    """Return the four default types, each served by the target that is best for it."""
    game = DisengagementPopulation()
    found = []
    for model, share, row in zip(game.models, game.shares, game.payoffs, strict=True):
        plan = targets(model)[row.argmax()]
        found.append(Segment(model._replace(continuation=1.0), share, plan))
    return found


def loop(kinds: Sequence[Segment], users: int, periods: int) -> tuple[float, int]:
    """Serve users one by one; return their revenue, and how many are engaged at the end."""
    generator = random.Random(0)
    tables = [
        (
            [int(step) for step in kind.model.steps[kind.plan]],
            [float(reward) for reward in kind.model.rewards[kind.plan]],
            kind.model.stay.tolist(),
            kind.model.returning.tolist(),
        )
        for kind in kinds
    ]
    picks = generator.choices(tables, [kind.share for kind in kinds], k=users)
    draw, total, staying = generator.random, 0.0, 0
    for steps, rewards, stay, returning in picks:
        level, engaged, top = 0, True, len(stay) - 1
        for _ in range(periods):
            if engaged:
                total += rewards[level]
                level = min(max(level + steps[level], 0), top)
                engaged = draw() < stay[level]
            else:
                engaged = draw() < returning[level]
        staying += engaged
    return total, staying


def seconds(run: Callable[[], object], rounds: int) -> float:
    """Return the median of CPU-seconds."""
    found = []
    for _ in range(rounds):
        begin = time.process_time()
        run()
        found.append(time.process_time() - begin)
    return statistics.median(found)


def main() -> None:
    """Time all three and print times, rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--periods", type=int, default=100)
    parser.add_argument("--sample", type=int, default=5000, help="users of the loop")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    kinds = segments()

    census = simulate(kinds, args.users, periods=args.periods, seed=0)
    ours = seconds(lambda: simulate(kinds, args.users, periods=args.periods, seed=0), args.rounds)
    plain = seconds(lambda: loop(kinds, args.sample, args.periods), args.rounds)
    plain *= args.users / args.sample

    copies = 10_000
    envs = stratagem.vector_env("ContentDisengagement-v0", copies, continuation=1.0)
    arms = np.ones(copies, np.int64)
    envs.reset(seed=0)

    def step() -> None:
        for _ in range(args.periods):
            envs.step(arms)

    vector = seconds(step, args.rounds) * args.users / copies

    print(f"{args.users:,} users, {args.periods} periods: CPU-seconds, user-periods per second")
    everything = args.users * args.periods
    for label, spent in (
        ("population", ours),
        (f"vector environment, {copies:,} copies, scaled", vector),
        (f"loop in Python, {args.sample:,} users, scaled", plain),
    ):
        print(f"  {label:46} {spent:9.2f} s {everything / spent:14,.0f} {plain / spent:8.1f}x")
    exact = expected(kinds, periods=args.periods)[-1, :, ENGAGED].sum()
    found = census.counts[-1, :, ENGAGED].sum() / args.users
    error = (exact * (1 - exact) / args.users) ** 0.5
    print(f"  engaged at the end: {found:.5f}, exactly {exact:.5f}, standard error {error:.5f}")
    sample = loop(kinds, args.sample, args.periods)[1] / args.sample
    print(f"  engaged at the end in the loop: {sample:.3f}")


if __name__ == "__main__":
    main()
