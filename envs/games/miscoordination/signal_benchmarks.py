"""Reference values of signalling between two with common interests, by enumeration of maps.

Who sends is described by the probabilities (K, M) of messages in each state, who acts by those
(M, K) of acts at each message. What the pair expects is linear in either.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...benchmarks import Benchmark, certified
from ...core import Floats, Ints

MAX_PAIRED = 1000
"""Most conventions of which every pair is compared."""


class Signals(NamedTuple):
    """What the benchmarks need of a game."""

    prior: Floats  # (K,)
    costs: Floats  # (M,)
    agents: tuple[str, ...]


def expected(signals: Signals, sending: Floats, acting: Floats) -> float:
    """Return the expected reward of behaviour, (K, M) and (M, K)."""
    right = np.einsum("s,sm,ms->", signals.prior, sending, acting)
    return float(right - signals.prior @ sending @ signals.costs)


def maps(inputs: int, outputs: int) -> Ints:
    """Return all maps from inputs to outputs as rows, the first input's slowest."""
    return np.stack(np.unravel_index(np.arange(outputs**inputs), (outputs,) * inputs), axis=-1)


def classes(values: Floats) -> Floats:
    """Return the matrix (n, n) that averages over the entries of equal value."""
    alike = np.isclose(values[:, None], values, rtol=0, atol=1e-12)
    return np.asarray(alike / alike.sum(axis=1, keepdims=True))


def groups(values: Floats) -> list[Ints]:
    """Return the indices of entries of equal value, as one array per value."""
    return [np.flatnonzero(row) for row in np.unique(classes(values) > 0, axis=0)]


def relabelled(signals: Signals, sending: Floats) -> Floats:
    """Return what a sender (..., K, M) does on average over all relabellings.

    States and messages are permuted independently within their classes, so each pair of a state
    and a message meets every pair of their two classes equally often.
    """
    return np.asarray(classes(signals.prior) @ sending @ classes(signals.costs))


def best_acts(signals: Signals, sending: Floats) -> tuple[Floats, Ints]:
    """Return the values (...) of best acts to senders (..., K, M), and the acts (..., M)."""
    joint = signals.prior[:, None] * sending
    value = joint.max(axis=-2).sum(axis=-1) - joint.sum(axis=-2) @ signals.costs
    return np.asarray(value), np.asarray(joint.argmax(axis=-2))


def best_messages(signals: Signals, acting: Floats) -> Floats:
    """Return the values (...) of best messages to receivers (..., M, K)."""
    paid = np.swapaxes(acting, -1, -2) - signals.costs
    return np.asarray(paid.max(axis=-1) @ signals.prior)


def signal_benchmarks(signals: Signals) -> Mapping[str, Benchmark]:
    """Return every benchmark by name."""
    k, m = len(signals.prior), len(signals.costs)
    senders, receivers = np.eye(m)[maps(k, m)], np.eye(k)[maps(m, k)]
    strangers = relabelled(signals, senders)
    # Apart from the sender's side: receivers are averaged instead, as the two are the same.
    averaged = classes(signals.costs) @ receivers @ classes(signals.prior)
    found = (
        _pair(
            signals, "self_play_optimum", senders, senders,
            float(best_messages(signals, receivers).max()),
            "players who share labels; the first of the best pairs, any other is as good",
            "enumeration of both players' maps, each with the best answers to it",
        ),
        _cross_play(signals, senders),
        _pair(
            signals, "other_play", senders, strangers,
            float(best_messages(signals, averaged).max()),
            "pairs of which one is relabelled at random; mixing cannot help, as the value is "
            "linear in each; the first of several",
            "enumeration of both players' maps, averaged over relabellings, each with the best "
            "answers to it",
        ),
        _babbling(signals),
    )  # fmt: skip
    return {benchmark.name: benchmark for benchmark in found}


def _pair(
    signals: Signals, name: str, senders: Floats, seen: Floats, most: float, scope: str,
    method: str,
) -> Benchmark:  # fmt: skip
    """Return the best pair of maps, each sender (K, M) being seen by the receiver as in `seen`."""
    values, acts = best_acts(signals, seen)
    at = int(values.argmax())
    acting = np.eye(len(signals.prior))[acts[at]]
    value = expected(signals, seen[at], acting)
    gap = max(abs(value - most), abs(value - float(values[at])))
    return _benchmark(signals, name, seen[at], acting, value, gap, scope, method, ("planner",))


def conventions(signals: Signals, senders: Floats) -> tuple[Floats, Floats]:
    """Return all best pairs of maps, (C, K, M) and (C, M, K), of senders (S, K, M).

    An act at a message that is never sent makes no difference to the pair; the likeliest state
    is the act there.
    """
    values, acts = best_acts(signals, senders)
    best = np.isclose(values, values.max(), rtol=0, atol=1e-12)
    unused = ~senders[best].any(axis=1)
    acts = np.where(unused, signals.prior.argmax(), acts[best])
    return senders[best], np.eye(len(signals.prior))[acts]


def _cross_play(signals: Signals, senders: Floats) -> Benchmark:
    sending, acting = conventions(signals, senders)
    value = expected(signals, sending.mean(axis=0), acting.mean(axis=0))
    pairs = len(sending) <= MAX_PAIRED
    met = acting if pairs else acting.mean(axis=0, keepdims=True)
    right = np.einsum("s,ism,jms->ij", signals.prior, sending, met, optimize=True)
    cost = np.einsum("s,ism,m->i", signals.prior, sending, signals.costs, optimize=True)
    one_by_one = float((right - cost[:, None]).mean())
    checked = "every pair of them" if pairs else "every sender against the mean receiver"
    return _benchmark(
        signals, "cross_play", sending.mean(axis=0), acting.mean(axis=0), value,
        abs(value - one_by_one),
        "independent conventions, uniform over all of them; ties of acts fall to the first, and "
        "at a message never sent to the likeliest state",
        f"mean behaviour of {len(sending)} conventions; {checked}",
        ("planner",),
    )  # fmt: skip


def _babbling(signals: Signals) -> Benchmark:
    k, m = len(signals.prior), len(signals.costs)
    sending = np.tile(np.eye(m)[signals.costs.argmin()], (k, 1))
    acting = np.tile(np.eye(k)[signals.prior.argmax()], (m, 1))
    value = expected(signals, sending, acting)
    gain = max(
        float(best_acts(signals, sending)[0]) - value, float(best_messages(signals, acting)) - value
    )
    return _benchmark(
        signals, "babbling", sending, acting, value, gain,
        "an equilibrium in which nothing is told",
        "closed form; best acts to the sender, and best messages to the receiver",
        signals.agents,
    )  # fmt: skip


def _benchmark(
    signals: Signals, name: str, sending: Floats, acting: Floats, value: float, regret: float,
    scope: str, method: str, deviators: tuple[str, ...],
) -> Benchmark:  # fmt: skip
    solution = certified(
        name, (sending, acting), (value, value), regret=regret, method=method, deviators=deviators
    )
    k, m = sending.shape
    waits = np.eye(m)[[0]]
    rows = np.concatenate([np.concatenate([own[None], np.tile(waits, (m, 1))]) for own in sending])
    heard = np.concatenate([np.eye(k)[[0]], acting])
    return Benchmark(name, solution, scope, "per_episode", strategies=(rows, heard))
