"""How much of what there is to learn PPO and DQN learn; see `reproductions/learned_share.py`.

Usage: python benchmarks/sb3_scores.py [--seeds N ...] [--algorithms NAME ...] [--problems NAME ...]
       [--share S] [--workers N] [--json FILE]

Rows are printed as they come. `--share` is the part of the budget that is spent, for controls: 0
leaves the networks as they were drawn.
"""

import argparse
import json
from pathlib import Path

from stratagem.reproductions import learned_share as shares


def main() -> None:
    """Train, print a row per run, then how many seeds reached the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=shares.SEEDS)
    parser.add_argument("--algorithms", nargs="+", choices=shares.SETTINGS, default=shares.SETTINGS)
    parser.add_argument("--problems", nargs="+", choices=shares.PROBLEMS, default=shares.PROBLEMS)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows: list[shares.Row] = []

    def done(row: shares.Row) -> None:
        rows.append(row)
        print(
            f"{row.problem:17} {row.algorithm} seed {row.seed}  {row.periods:7} periods  "
            f"value {row.value:8.4f}  score {row.score:7.4f}",
            flush=True,
        )

    for name in args.problems:
        task = shares.problem(name)
        print(f"{name:17} reference {task.reference:.4f}, best response {task.best:.4f}")
    shares.learn_all(
        done,
        problems=args.problems,
        algorithms=args.algorithms,
        seeds=args.seeds,
        share=args.share,
        workers=args.workers,
    )
    for (name, algorithm), count in sorted(shares.reached(rows).items()):
        print(
            f"{name:17} {algorithm}: at least {shares.TARGET} in {count} of {len(args.seeds)} seeds"
        )
    if args.json:
        args.json.write_text(json.dumps([row._asdict() for row in sorted(rows)], indent=1))


if __name__ == "__main__":
    main()
