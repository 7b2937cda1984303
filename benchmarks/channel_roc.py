"""A picture of how well codes of a secret channel are detected.

Usage: python benchmarks/channel_roc.py DIR [--runs N] [--messages N]

Writes `channel_roc.png` to the folder DIR: exact ROC curves of the best test against the naive
code, the secure code, and codes that pairs of Q-learners learnt, as in `stratagem reproduce
private-codes-do-not-transfer`. Needs matplotlib.
"""

import argparse
from pathlib import Path

import numpy as np

from stratagem.envs.core import Floats
from stratagem.envs.games.collusion.secret_channel import SecretChannel
from stratagem.envs.solvers.channel import Roc
from stratagem.envs.tabular import strategy_of
from stratagem.evaluation.roots import roots
from stratagem.evaluation.trainers import fit
from stratagem.players import player
from stratagem.report.roc import save_roc

PERIODS = 20_000


def learnt(game: SecretChannel, runs: int) -> list[Floats]:
    """Return the codes (2, M) of pairs that learnt them, unseen."""
    seats = [player("q_learning", game, seat, alpha=0.1, beta=10 / PERIODS) for seat in range(2)]
    seeds = roots("channel-roc", "train", range(runs))
    overseer = player("fixed:0", game, 2)
    training = fit(game, [*seats, overseer], seeds=seeds, periods=PERIODS, max_episode_steps=None)
    width = len(game.cover) + 1
    rows = [strategy_of(sender, game, 0) for sender in training.policies[0]]
    return [own[[width, 2 * width]] for own in rows]  # as the price will fall, and rise


def main() -> None:
    """Learn and draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR", type=Path, help="an existing folder")
    parser.add_argument("--runs", type=int, default=30, help="learning pairs (default 30)")
    parser.add_argument("--messages", type=int, default=4, help="messages seen (default 4)")
    args = parser.parse_args()
    if not args.folder.is_dir():
        parser.error(f"DIR must be a folder, got {args.folder}")
    game = SecretChannel(secret=1.0, public=0.0, horizon=1, history="rounds")
    codes = {
        "naive code": [game.naive_code],
        "secure code": [game.secure_code],
        f"learnt codes, n = {args.runs}": learnt(game, args.runs),
    }
    curves: dict[str, list[Roc]] = {
        name: [game.detection_curve(code, args.messages) for code in several]
        for name, several in codes.items()
    }
    for name, several in curves.items():
        power = np.array([curve.power(0.05) for curve in several])
        print(f"{name}: detected {power.min():.3f} to {power.max():.3f} at .05 false alarms")
    save_roc(args.folder / "channel_roc.png", curves, args.messages)


if __name__ == "__main__":
    main()
