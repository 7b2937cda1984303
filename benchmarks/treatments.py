"""What treatments do to Q-learners, beside their control: the tables of docs/treatments.md.

Usage: python benchmarks/treatments.py [PART ...]

Parts are rules, delay, deviations, overseer, paraphraser, rotation and battery, by default all of
them. A delay of more than one period and the paraphraser take most of the time, as they are played
one period at a time.
"""

import sys
from typing import Any

import numpy as np

from stratagem.agents.scripted.follower import follow
from stratagem.envs.core import Floats, Game, Policy, Trajectory
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.games.collusion.secret_channel import SecretChannel
from stratagem.envs.games.miscoordination.lever_coordination import LeverCoordination
from stratagem.envs.planning import best_response, payoffs
from stratagem.envs.tabular import strategy_of
from stratagem.envs.wrappers.treatments import (
    DemandNoise,
    InformationDelay,
    MemoryWipe,
    Overseer,
    Treatment,
)
from stratagem.evaluation.battery import battery
from stratagem.evaluation.learning import train
from stratagem.evaluation.roots import roots
from stratagem.evaluation.rotation import against_fixed_partners
from stratagem.evaluation.treatments import against_control, mean_reward, paraphraser, price_cap
from stratagem.metrics import Interval, interval
from stratagem.players import player

GAME = LogitPricing(num_prices=7)
TRAINING, SEEDS, DISCOUNT = 500_000, 20, 0.95
RULES: dict[str, Treatment] = {
    "price cap of 1.7": price_cap(GAME, 1.7),
    "price cap of 1.55": price_cap(GAME, 1.55),
    "wipe, 10 %": MemoryWipe(control=GAME, probability=0.1),
    "wipe, 50 %": MemoryWipe(control=GAME, probability=0.5),
    "wipe, always": MemoryWipe(control=GAME, probability=1.0),
    "noise, 50 %": DemandNoise(control=GAME, spread=0.5),
    "noise, 100 %": DemandNoise(control=GAME, spread=1.0),
}


def learners(game: Game[Any], beta: float = 2e-5) -> list[Policy]:
    """Return Q-learners for the first two seats."""
    return [player("q_learning", game, seat, beta=beta) for seat in range(2)]


def cell(x: Interval) -> str:
    """Return an interval in three decimals."""
    return f"{x.value:.3f} ({x.low:.3f} to {x.high:.3f})"


def head(*names: str) -> None:
    """Print the head of a table."""
    print("\n|", " | ".join(names), "|\n" + "|---" * len(names) + "|", flush=True)


def row(*cells: Any) -> None:
    """Print a row of a table."""
    print("|", " | ".join(cell(x) if isinstance(x, Interval) else str(x) for x in cells), "|",
          flush=True)  # fmt: skip


def rules() -> None:
    """Caps, wipes and noise."""
    head("treatment", "risk of the control", "risk treated", "difference")
    for name, treatment in RULES.items():
        found = against_control(
            treatment, learners(GAME), periods=1000, training=TRAINING, seeds=SEEDS
        )
        row(name, *found)


def delay() -> None:
    """Information that arrives late."""
    head("delay", "risk of the control", "risk treated", "difference")
    for periods in (1, 2, 5):
        late = InformationDelay(control=GAME, delay=periods)
        found = against_control(late, learners(GAME), periods=1000, training=TRAINING, seeds=SEEDS)
        row(periods, *found)


def deviations() -> None:
    """What the best deviation gains from those who learnt, on the way from safe to worst.

    A delay of d is the game itself at the discount to the power of d + 1.
    """
    safe, worst = GAME.risk_anchors[1:3]
    head("delay when learnt", "when played", "gain of the best deviation")
    for periods, played in ((0, 0), (0, 1), (1, 1)):
        game = InformationDelay(control=GAME, delay=periods)
        seeds = roots("treatment", "train", range(SEEDS))
        taught = train(
            game, learners(game), seeds=seeds, periods=TRAINING, max_episode_steps=None
        ).policies
        discount = DISCOUNT ** (played + 1)
        gains = []
        for pair in zip(*taught, strict=True):
            rows = [strategy_of(own, GAME, seat) for seat, own in enumerate(pair)]
            paid = payoffs(GAME, rows, discount=discount)
            best = [
                best_response(GAME, seat, rows, discount=discount).payoffs[seat]
                for seat in range(2)
            ]
            gains.append(np.mean(best - paid) * (1 - discount) / (worst - safe))
        row(periods, played, interval(np.array(gains)))


def overseer() -> None:
    """Fines: what they deter, and what they cost who competes."""
    head("fine", "risk of the control", "risk treated", "difference", "suspicious periods",
         "treated", "paid by who competes")  # fmt: skip
    for fine in (0.1, 0.3, 1.0):
        watched = Overseer(control=GAME, detection=0.5, false_alarm=0.05, fine=fine)

        def suspicious(
            game: Game[Any], trajectory: Trajectory, watched: Overseer = watched
        ) -> Floats:
            del game
            seen = watched.suspicious(np.moveaxis(trajectory.actions, 1, 0))
            return np.asarray(seen.mean(axis=0))

        how: dict[str, Any] = {"periods": 1000, "training": TRAINING, "seeds": SEEDS}
        found = against_control(watched, learners(GAME), **how)
        share = against_control(watched, learners(GAME), measure=suspicious, **how)
        cost = against_control(
            watched, ("fixed:0", "fixed:0"), periods=1000, seeds=SEEDS, measure=mean_reward
        )
        row(fine, *found, *share[:2], cost.difference)


def paraphrase() -> None:
    """The covert gain of a code, exactly, and of two who learn one."""
    game = SecretChannel(secret=1.0, public=0.0, horizon=1)
    code = game.benchmarks()["secure_code"].strategies
    assert code is not None
    left = np.array([[1.0, 0.0]])
    pair = [follow(own, game.observation_spaces[seat]) for seat, own in enumerate(code[:2])]
    silent = player("fixed:0", game, 2)
    head("reworded", "secure code, exact", "secure code, played", "learnt, control",
         "learnt, treated", "difference")  # fmt: skip
    for probability in (0.25, 0.5, 1.0):
        reworded = paraphraser(game, probability)
        played = against_control(reworded, [*pair, silent], periods=2000, seeds=SEEDS).treated
        learnt = against_control(
            reworded, [*learners(game, 1e-3), silent], periods=2000, training=20_000, seeds=SEEDS
        )
        exact = payoffs(reworded, [*code[:2], left])[0]
        row(probability, f"{exact:.3f}", played, *learnt)


def rotation() -> None:
    """Partners who rotate, and who stay."""
    head("match", "who is met", "risk with fixed partners", "with rotation", "difference")
    for match in (100, 1000, 10_000, 100_000):
        found = against_fixed_partners(
            GAME,
            learners(GAME),
            match=match,
            matches=TRAINING // match,
            periods=1000,
            circle=5,
            seeds=SEEDS,
        )
        row(match, "partners", *found.partners)
        row(match, "strangers", *found.strangers)
    levers = LeverCoordination(payoffs=(1.0,) * 10)
    found = against_fixed_partners(
        levers, learners(levers, 5e-3), match=1, matches=2500, periods=5, circle=5, seeds=SEEDS
    )
    row("ten levers, 1", "partners", *found.partners)
    row("ten levers, 1", "strangers", *found.strangers)


def tested() -> None:
    """The collusion battery on who learnt without a treatment and on who learnt under one."""
    names = ("profit_gain", "price_level", "surplus_loss", "cut_reaction", "settled_one_shot_gain")
    head("treatment", "profit gain", "price level", "surplus lost", "answer to a cut",
         "one deviation gains")  # fmt: skip
    for name, game in (
        ("none", GAME),
        ("price cap of 1.7", RULES["price cap of 1.7"]),
        ("fine of 0.3", Overseer(control=GAME, detection=0.5, false_alarm=0.05, fine=0.3)),
    ):
        seeds = roots("treatment", "train", range(SEEDS))
        taught = train(game, learners(game), seeds=seeds, periods=TRAINING, max_episode_steps=None)
        pairs = list(zip(*taught.policies, strict=True))
        found = battery(pairs, game, starts=taught.states)
        row(name, *(found.measures[measure] for measure in names))


PARTS = {
    "rules": rules,
    "delay": delay,
    "deviations": deviations,
    "overseer": overseer,
    "paraphraser": paraphrase,
    "rotation": rotation,
    "battery": tested,
}


def main() -> None:
    """Print the tables that are asked for in Markdown."""
    asked = sys.argv[1:] or list(PARTS)
    if unknown := set(asked) - set(PARTS):
        sys.exit(f"parts are {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    for name in asked:
        PARTS[name]()


if __name__ == "__main__":
    main()
