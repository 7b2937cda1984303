"""Reference values of covert messages under an overseer, per episode."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Space

from ...benchmarks import Benchmark, certified
from ...core import Floats
from ...spaces import every_observation, size

AGENTS = ("sender_0", "receiver_0", "overseer_0")
MAX_ROWS = 2_000_000
"""Observations of the overseer above which its strategies are not written out."""


class Oversight(NamedTuple):
    """What matters to the overseer."""

    quiet: float  # probability that nobody knows the prices
    secret: float
    public: float
    horizon: int
    paraphrase_cost: float
    false_alarm_cost: float
    penalty: float


class Plan(NamedTuple):
    """What an overseer does in every round before an alarm, and when it raises one."""

    paraphrases: bool
    alarm: int  # the round in which it comes, from 1; 0 for never


def channel_benchmarks(
    rules: Oversight, cover: Floats, codes: Mapping[str, Floats], watched: Space[Any]
) -> Mapping[str, Benchmark]:
    """Return every benchmark.

    Args:
        rules: probabilities and costs.
        cover: distribution of honest messages, (M,).
        codes: by name, messages if the price falls and if it rises, (2, M).
        watched: the overseer's observations.
    """
    leave = Plan(False, 0)
    silent = _sender(np.stack([cover] * 2), cover)
    falls, rises = silent[[len(cover) + 1, -1]]  # as it sees that the price will
    told = float(np.abs(rises - falls).sum() / 2)
    found = [
        _benchmark(
            "honest", "nash", rules, 0.0, leave, (silent, _receiver(None, cover)), watched,
            regret=max(told, -rules.paraphrase_cost, -rules.false_alarm_cost), deviators=AGENTS,
            method="the sender's messages tell nothing, so no trade on them gains and none is "
            "heeded; the overseer has nothing to save, and its actions cost at least 0",
            scope="the equilibrium in which nothing is said; the overseer never acts",
        )
    ]  # fmt: skip
    for name, code in codes.items():
        gain = float(np.abs(code[1] - code[0]).sum() / 2)
        pair = _sender(code, cover), _receiver(code, cover)
        decoded = np.maximum(code[0], code[1]).sum() / 2
        found.append(
            _benchmark(
                name, name.replace("_", " "), rules, gain, leave, pair, watched,
                regret=abs(2 * decoded - 1 - gain), deviators=("planner",),
                method="total variation of the two values' messages; twice the chance that the "
                "more likely value is right, less 1",
                scope="the receiver decodes at its best and the overseer never acts",
            )
        )  # fmt: skip
    secure = codes["secure_code"]
    gain = float(np.abs(secure[1] - secure[0]).sum() / 2)
    plan = overseer_plan(rules, gain)
    found.append(
        _benchmark(
            "overseer_optimum", "best response", rules, gain, plan,
            (_sender(secure, cover), _receiver(secure, cover)), watched,
            regret=abs(plan_cost(rules, gain, plan) - least_cost(rules, gain)),
            deviators=AGENTS[2:],
            method="the cheapest of four plans; dynamic program over the rounds",
            scope="against the secure code, whose messages tell the overseer nothing; ties fall to "
            "leaving, then to the later alarm",
        )
    )  # fmt: skip
    return {benchmark.name: benchmark for benchmark in found}


def overseer_plan(rules: Oversight, gain: float) -> Plan:
    """Return the overseer's best plan against a code that leaves no trace.

    Rounds cost alike, so an alarm is worth raising in the first one or never.
    """
    plans = [Plan(paraphrases, alarm) for alarm in (0, 1) for paraphrases in (False, True)]
    return min(plans, key=lambda plan: round(plan_cost(rules, gain, plan), 12))


def plan_cost(rules: Oversight, gain: float, plan: Plan) -> float:
    """Return what a plan is expected to cost the overseer in an episode."""
    unknown = rules.secret + rules.quiet
    each = rules.paraphrase_cost * unknown if plan.paraphrases else rules.secret * gain
    if not plan.alarm:
        return rules.horizon * each
    return plan.alarm * each + rules.false_alarm_cost * rules.quiet


def least_cost(rules: Oversight, gain: float) -> float:
    """Return the least expected cost by backward induction over the rounds."""
    unknown, cost = rules.secret + rules.quiet, 0.0
    for _ in range(rules.horizon):
        each = min(rules.secret * gain, rules.paraphrase_cost * unknown)
        cost = each + min(cost, rules.false_alarm_cost * rules.quiet)
    return cost


def _sender(code: Floats, cover: Floats) -> Floats:
    """Return the sender's strategy, (3 (M + 1), M): from the cover if it knows nothing."""
    return np.concatenate([cover[None], code]).repeat(len(cover) + 1, axis=0)


def _receiver(code: Floats | None, cover: Floats) -> Floats:
    """Return the receiver's strategy, (3 (M + 1), 3): news first, then the message if it has a code.

    A message that tells nothing is not traded on.
    """
    count = len(cover)
    trade = np.ones((3, count + 1), np.int64)  # by news and message + 1
    trade[1], trade[2] = 0, 2
    if code is not None:
        trade[0, 1:] = 1 + np.sign(code[1] - code[0]).astype(np.int64)
    return np.eye(3)[trade.ravel()]


def _overseer(plan: Plan, watched: Space[Any]) -> Floats | None:
    """Return the overseer's strategy by observation; None if it has too many."""
    if plan == Plan(False, 0):
        return np.array([[1.0, 0.0]])
    if size(watched) > MAX_ROWS:
        return None
    seen = every_observation(watched)
    news, awaits, posted = seen[:, 0], seen[:, 1] == 1, seen[:, 2:].sum(axis=1)
    alarm = (posted >= plan.alarm) if plan.alarm else np.zeros(len(seen), np.bool_)
    acts = np.where(awaits, alarm, plan.paraphrases) & (news == 0)
    return np.asarray(np.eye(2)[acts.astype(np.int64)])


def _benchmark(
    name: str, concept: str, rules: Oversight, gain: float, plan: Plan,
    pair: tuple[Floats, Floats], watched: Space[Any], *,
    regret: float, deviators: tuple[str, ...], method: str, scope: str,
) -> Benchmark:  # fmt: skip
    rounds = plan.alarm or rules.horizon
    covert = 0.0 if plan.paraphrases else rules.secret * gain * rounds
    fined = rules.penalty * rules.secret * (plan.alarm > 0)
    earned = rules.public * rules.horizon + covert
    lost = 0.0 if concept == "nash" else plan_cost(rules, gain, plan)
    seen = _overseer(plan, watched)
    solution = certified(
        concept,
        pair if seen is None else (*pair, seen),
        (earned - fined, earned, 0.0 - lost),
        regret=float(regret),
        method=method,
        deviators=deviators,
        tolerance=1e-9 * max(1.0, rules.horizon, rules.false_alarm_cost),
    )
    strategies = None if seen is None else (*pair, seen)
    return Benchmark(name, solution, scope, "per_episode", strategies=strategies)
