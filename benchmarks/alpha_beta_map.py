"""A picture of how collusive pricing is, by learning rate and decay of exploration.

Usage: python benchmarks/alpha_beta_map.py DIR [--sessions N] [--cells N]

Writes `alpha_beta_map.png`, and the gains as `alpha_beta_map.csv`, to the folder DIR. They are
those of `stratagem reproduce calvano-alpha-beta-map`. Needs matplotlib.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.core import Floats
from stratagem.reproductions.pricing import ALPHAS, BETAS, gains_by_rates


def draw(alphas: Floats, betas: Floats, gains: Floats, count: int) -> Any:
    """Return a matplotlib figure of the gains, (A, B)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4.2), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(gains, origin="lower", aspect="auto", cmap="cividis", vmin=0.6, vmax=1)
    for row, column in np.ndindex(gains.shape):
        ink = "white" if gains[row, column] < 0.78 else "black"
        text = f"{gains[row, column]:.2f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=ink)
    axes.set_xticks(range(len(betas)), [f"{1e6 * beta:.3g}" for beta in betas])
    axes.set_yticks(range(len(alphas)), [f"{alpha:.3g}" for alpha in alphas])
    axes.set_xlabel("decay of exploration, per million periods")
    axes.set_ylabel("learning rate")
    axes.set_title(f"profit gain, mean of {count} sessions per cell", loc="left", fontsize=10)
    figure.colorbar(image, label="profit gain: 0 Nash, 1 joint maximum")
    return figure


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", metavar="DIR", type=Path, help="an existing folder")
    parser.add_argument("--sessions", type=int, default=20, help="per cell (default 20)")
    parser.add_argument("--cells", type=int, default=10, help="per axis (default 10)")
    args = parser.parse_args()
    if not args.folder.is_dir():
        parser.error(f"DIR must be a folder, got {args.folder}")
    if args.sessions < 1 or args.cells < 2:
        parser.error("sessions must be at least 1, and cells at least 2")
    alphas = np.linspace(ALPHAS[0], ALPHAS[-1], args.cells)
    betas = np.linspace(BETAS[0], BETAS[-1], args.cells)

    def note(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    begin = time.process_time()
    gains = gains_by_rates(note, alphas=alphas, betas=betas, count=args.sessions)
    print(f"{time.process_time() - begin:.0f} CPU-seconds, gains {gains.min():.3f} to "
          f"{gains.max():.3f}, mean {gains.mean():.3f}")  # fmt: skip
    head = "alpha," + ",".join(f"beta={beta:.3g}" for beta in betas)
    rows = np.column_stack([alphas, gains])
    np.savetxt(args.folder / "alpha_beta_map.csv", rows, "%.4f", ",", header=head, comments="")
    figure = draw(alphas, betas, gains, args.sessions)
    figure.savefig(args.folder / "alpha_beta_map.png", dpi=120)


if __name__ == "__main__":
    main()
