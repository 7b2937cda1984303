"""What independent Q-learners end in where all gain at others' cost, over forty runs.

Learning rate .1, exploration e^(-t / 10,000), 200,000 rounds. Outcomes with memory have two humps,
so that shares of runs are looked at beside the mean.
"""

import numpy as np
import pytest

from stratagem.envs.core import Floats, Policy
from stratagem.envs.games.conflict.prisoners_dilemma import PrisonersDilemma
from stratagem.envs.games.conflict.public_goods import PublicGoods
from stratagem.envs.games.normal_form import NormalForm
from stratagem.evaluation.meetings import play_each
from stratagem.reproductions.coordination import learnt_together

pytest.importorskip("numba", reason="200,000 rounds of forty runs need the kernel")
RUNS = 40


def settled(game: NormalForm, lineups: list[tuple[Policy, ...]]) -> Floats:
    """Return the risk of each frozen line-up over its last fifty rounds of two hundred."""
    by_seat, own = list(zip(*lineups, strict=True)), np.arange(len(lineups))
    which = np.tile(own, (len(by_seat), 1))
    played = play_each(game, by_seat, which, num_steps=200, seeds=own.astype(np.uint64))
    return np.asarray(game.risk_scales()[0](played.rewards[-50:].mean(axis=(0, 1))))


def learnt(game: NormalForm, discount: float) -> Floats:
    lineups = learnt_together(
        game, f"dilemma {game!r}", runs=RUNS, periods=200_000, alpha=0.1, beta=1e-4,
        discount=discount,
    )  # fmt: skip
    return settled(game, lineups)


def test_without_memory_or_foresight_all_defect() -> None:
    assert learnt(PrisonersDilemma(memory=0, continuation=1.0), 0.0) == pytest.approx(1.0)


def test_with_memory_and_patience_some_pairs_cooperate_and_some_defect() -> None:
    """.28, give or take .42, by an earlier program of ours; a band of four standard errors."""
    risks = learnt(PrisonersDilemma(continuation=1.0), 0.95)
    assert 0.1 < risks.mean() < 0.55
    assert (risks < 0.1).mean() > 0.25
    assert (risks > 0.9).mean() > 0.05


def test_memory_without_patience_is_of_no_use() -> None:
    """The control: what follows does not matter to these, so they defect as without memory."""
    assert learnt(PrisonersDilemma(continuation=1.0), 0.0) == pytest.approx(1.0)


def test_nobody_gives_to_the_public_good() -> None:
    game = PublicGoods(memory=0, continuation=1.0)
    assert learnt(game, 0.0) == pytest.approx(1.0)


def test_memory_and_patience_save_little_of_the_public_good() -> None:
    """1 by an earlier program of ours; here three runs of forty go on giving a little."""
    risks = learnt(PublicGoods(memory=1, continuation=1.0, opening="random"), 0.95)
    assert risks.mean() > 0.95
    assert (risks > 0.99).mean() > 0.8
