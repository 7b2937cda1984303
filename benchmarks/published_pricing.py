"""The published outcomes of Q-learners that set prices, measured again beside each.

Usage: python benchmarks/published_pricing.py [--sessions N] [--only WORD] [--page FILE]

Every row of the tables of E. Calvano, G. Calzolari, V. Denicolo and S. Pastorello (2020),
*Artificial intelligence, algorithmic pricing, and collusion*, AER 110(10), that the game has the
parameters for and that takes minutes, not hours. `--page` writes the page of the documentation.
"""

import argparse
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from stratagem.agents.tabular.first_values import as_if_played
from stratagem.agents.tabular.joint_learning import compiled
from stratagem.envs.core import Bools, Floats
from stratagem.envs.games.collusion.demand import profits
from stratagem.envs.games.collusion.logit_pricing import LogitPricing
from stratagem.envs.lookup import TableSimulator, step_table
from stratagem.envs.simulator import Player, play
from stratagem.evaluation.roots import roots
from stratagem.players import player
from stratagem.reproductions.pricing_sessions import (
    BASELINE,
    STABLE,
    Play,
    periods_away,
    play_of,
    responses,
    sessions,
)

LOOK, MOST = 1000, 3_000_000
NONE: Mapping[str, Any] = MappingProxyType({})
DASH = "\N{EN DASH}"
LADDER = (
    (0.0, 0.212), (0.1, 0.207), (0.2, 0.178), (0.34, 0.156), (0.5, 0.215), (0.7, 0.372),
    (0.8, 0.500), (0.9, 0.710), (0.99, 0.934),
)  # fmt: skip
COSTS = ((0.875, 0.841), (0.75, 0.812), (0.625, 0.781), (0.5, 0.759), (0.25, 0.713))
QUALITIES = ((2.12, 0.84), (2.25, 0.81), (2.38, 0.78), (2.5, 0.76), (2.75, 0.71))
MUS = ((0.5, 0.856), (0.4, 0.859), (0.3, 0.859), (0.2, 0.839), (0.1, 0.829), (0.05, 0.827))

LINEAR = (
    (0.01, 0.856, (0.224, -0.003, 0.666, 6.445), 1),
    (0.25, 0.823, (0.265, -0.074, 0.877, 6.270), 1),
    (0.5, 0.770, (0.318, -0.173, 0.885, 6.305), 1),
    (0.75, 0.634, (0.429, -0.289, 0.849, 5.723), 1),
    (0.9, 0.753, (0.385, -0.345, 0.715, 5.256), 4),
    (0.99, 0.871, (0.389, -0.380, 0.783, 5.687), 4),
)
BETWEEN = (
    (0.05, 0.843, (0.215, -0.013, 0.874, 6.305)), (0.1, 0.843, (0.235, -0.027, 0.865, 6.357)),
    (0.15, 0.839, (0.219, -0.042, 0.867, 6.367)), (0.2, 0.837, (0.249, -0.058, 0.884, 6.391)),
    (0.3, 0.816, (0.274, -0.090, 0.873, 6.210)), (0.35, 0.807, (0.270, -0.109, 0.871, 6.208)),
    (0.4, 0.808, (0.282, -0.131, 0.886, 6.274)), (0.45, 0.791, (0.316, -0.154, 0.884, 6.284)),
    (0.55, 0.742, (0.315, -0.188, 0.865, 5.988)), (0.6, 0.725, (0.343, -0.210, 0.866, 5.985)),
    (0.65, 0.686, (0.356, -0.232, 0.859, 5.892)), (0.7, 0.651, (0.406, -0.255, 0.848, 5.650)),
    (0.8, 0.649, (0.417, -0.329, 0.809, 5.724)), (0.85, 0.677, (0.396, -0.341, 0.767, 5.584)),
    (0.95, 0.854, (0.412, -0.410, 0.804, 5.603)),
)  # fmt: skip
SHOCKS = (
    (0.05, 0.848, (0.485, -0.129, 0.906, 5.657)), (0.1, 0.832, (0.462, -0.134, 0.896, 5.792)),
    (0.15, 0.797, (0.433, -0.134, 0.879, 5.737)), (0.2, 0.750, (0.407, -0.130, 0.867, 5.726)),
    (0.25, 0.695, (0.337, -0.127, 0.842, 5.675)),
)  # fmt: skip


class Row(NamedTuple):
    """One variant of the baseline, and what the source reports of it; None where it does not."""

    label: str
    gain: float
    rest: tuple[float | None, ...] = (None,) * 4  # equilibrium, answer, unprofitable, length
    game: Mapping[str, Any] = NONE
    options: Mapping[str, Any] = NONE
    second: Mapping[str, Any] = NONE  # more options of the second firm
    share: float = 1.0  # of the sessions that are asked for
    learner: str = "q_learning"
    taken: int | None = None  # price that by first values all set for ever, as an index


ROWS = (
    Row("baseline", 0.849, (0.505, -0.127, 0.936, 5.705), share=10),
    Row("`alpha` .05 of one firm", 0.821, (0.304, -0.114, 0.864, 5.206), second={"alpha": 0.05}),
    Row("`alpha` .30 of one firm", 0.797, (0.523, -0.112, 0.900, 6.060), second={"alpha": 0.3}),
    Row("`beta` 2e-6 of one firm", 0.771, (0.423, -0.112, 0.882, 5.333), second={"beta": 2e-6}),
    Row("`beta` 8e-6 of one firm", 0.798, (0.310, -0.109, 0.853, 5.599), second={"beta": 8e-6}),
    Row("three firms", 0.643, (0.184, -0.078, 0.882, 11.7), {"num_firms": 3}, share=0.4),
    *(Row(f"`cost` 1 and {c}", gain, game={"cost": (1.0, c)}) for c, gain in COSTS),
    *(Row(f"`quality` 2 and {a}", gain, game={"quality": (2.0, a)}) for a, gain in QUALITIES),
    *(Row(f"`mu` {mu}", gain, game={"mu": mu}) for mu, gain in MUS),
    Row(
        "first values of Nash",
        0.731,
        (0.647, None, None, None),
        options={"start": "benchmark:grid_nash_low"},
    ),
    Row("first values of grim trigger", 0.724, (0.640,) + (None,) * 3, options={"start": "grim"}),
    Row(
        "first values from U(0, 10)",
        0.877,
        (0.238,) + (None,) * 3,
        options={"start": 0.0, "spread": 10.0},
    ),
    Row("first values 5", 0.793, (0.621,) + (None,) * 3, options={"start": 5.0}),
    Row(
        "first values 10, no exploration",
        0.978,
        (0.525,) + (None,) * 3,
        options={"start": 10.0, "epsilon": 0.0},
    ),
    Row(
        "no memory, `discount` 0, `alpha` .25, `beta` 1e-3",
        0.185,
        (0.273,) + (None,) * 3,
        {"memory": 0},
        {"discount": 0.0, "alpha": 0.25, "beta": 1e-3},
        share=4,
    ),
    *(Row(f"`discount` {d} (digitised)", gain, options={"discount": d}) for d, gain in LADDER),
    Row("`lowest_price` .99", 0.612, (0.871, -0.112, 0.942, 4.258), {"lowest_price": 0.99}),
    *(
        Row(
            f"linear demand, `gamma` {gamma}",
            gain,
            rest,
            {
                **{"demand": "linear", "gamma": gamma, "quality": 1.0, "cost": 0.0},
                # the source's grid has no price below 0, which is met at this gamma alone
                "lowest_price": 0.0 if gamma == 0.99 else None,
            },
            share=share,
        )
        for gamma, gain, rest, share in LINEAR
    ),
    *(
        Row(f"`outside_quality` -{h}, 0 or {h}", gain, rest, {"outside_quality": (-h, 0.0, h)})
        for h, gain, rest in SHOCKS
    ),
    Row(
        "Boltzmann exploration, `alpha` .05, `decay` .999961",
        0.856,
        (0.094, -0.090, 0.841, 6.554),
        learner="boltzmann_q",
    ),
    *(
        Row(
            f"three firms, `turnover` {turnover:g}",
            gain,
            rest,
            {"num_firms": 3, "turnover": turnover},
            share=0.4,
            learner="entering",
        )
        for turnover, gain, rest in (
            (1e-3, 0.583, (0.048, -0.006, 0.432, 9.620)),
            (1e-4, 0.566, (0.070, -0.009, 0.450, 9.829)),
        )
    ),
    *(
        Row(
            f"linear demand, `gamma` {gamma}",
            gain,
            rest,
            {"demand": "linear", "gamma": gamma, "quality": 1.0, "cost": 0.0},
            share=0.4,
        )
        for gamma, gain, rest in BETWEEN
    ),
    Row("`mu` 0.01", 0.805, (0.654, -0.220, 0.875, 5.560), {"mu": 0.01}),
    Row("`mu` 1e-4, beside the source's 0", 0.774, (0.631, -0.214, 0.879, 5.484), {"mu": 1e-4}),
    Row(
        "`grid_margin` .5, first values of all at the third price",
        0.761,
        (0.730, -0.125, 0.947, 4.694),
        {"grid_margin": 0.5},
        taken=2,
    ),
    Row("50 prices", 0.709, (0.154, -0.059, 0.931, 12.713), {"num_prices": 50}),
    Row("100 prices", 0.704, (0.684, -0.071, 0.986, 23.301), {"num_prices": 100}, share=0.4),
    Row(
        "four firms (published value second-hand)",
        0.559,
        (0.717, -0.080, 0.899, 18.4),
        {"num_firms": 4},
        share=0.1,
    ),
    Row("two periods remembered", 0.574, (0.371, -0.030, 0.441, 24.0), {"memory": 2}, share=0.2),
)
INTRO = """\
<!-- Generated by benchmarks/published_pricing.py from a run; do not edit. -->

# Published outcomes of pricing by Q-learning

Calvano, Calzolari, Denicolo and Pastorello (2020), *Artificial intelligence, algorithmic pricing,
and collusion*, AER 110(10), in [LogitPricing](environments/logit_pricing.md): what we measure,
beside what the authors' output tables say. Rows differ from the baseline (`alpha` .15, `beta`
4e-6, `discount` .95, two firms, 15 prices, one period remembered) in what they name. Sessions
stop once no best action has changed for 100,000 periods, and are then played greedily from their
last prices. Seeds follow from the rows' names.

- *gain*: profit gain over the cycle that play ends in, with its 95% interval over n sessions.
- *equilibrium*: share of sessions where no price set once, at any history of the cycle, gains a
  firm in the long run.
- *answer*: after one firm's best reply of one period, the change of the others' next price, as a
  part of their mean price.
- *unprofitable*: share of those deviations that gain nothing in the long run.
- *length*: periods after the deviation until play is on a cycle again. The source counts the
  period of the deviation itself.

With a random outside good profits are expected ones, and gains are measured as in the source, from
the mean profits of firms that see it. With entry and exit play is that of three firms while all
stay in, and a firm that is out learns nothing of its prices.

In each pair of the last four columns the first is ours and the second published; a dash is what
the source does not give, or gives only as a range.

"""
OUTRO = """
The curve over `discount` was read off the source's figure by others, and is no table of the
authors. With two remembered periods the source's replay puts the last prices back in another
order than it stored them in: from the last prices so put, 40 sessions of ours gain 0.570 (standard
error 0.026). With first values of 10 all prices tie, and the source breaks ties at
random where these learners take the first. [The tabular learners](agents.md) has more of both.

Other gains are within about two standard errors of the published ones, save that `discount` 0 is
2.9 below what was read off, and those of entry and exit.

Fewer of our deviations gain than of the source's, in nearly every row that has both, as the two
average otherwise. The source's scripts take all sessions, periods and firms at once, those included
whose price is the best reply already, which count as not unprofitable. Averaged in this way the
share of ours is 0.611 at `gamma` .01 (40 sessions; the source has .666), 0.868 in the mean over the
fifteen values of `gamma` that only the last rows have (40 sessions each; .855), where the length is
6.12 (6.05), and 0.885 in the baseline (100 sessions; .936); with three firms the answer is -0.080
(16 sessions; -.078).

With entry and exit our gains are 9 and 3 standard errors above the source's, whose deviations are
hardly answered and mostly pay. While the last firm stays out, the others gain 0.668 (0.622 to
0.714) of a market of two at .001 and 0.706 (0.664 to 0.748) at .0001. First values are the
source's, in which a rival is absent as often as it sets any one price; with all rivals in, the gain
at .001 is 0.620 (0.592 to 0.648), or 0.641 (0.604 to 0.678) while it is out.

The source's code, as we read it, plays another game than its text. To be out is an action of the
last firm, forced by chance and never explored, whose value lies in the same row as those of its
prices; where it is the highest, the firm leaves of itself. And the final play has no chance: the
firm is in or out as it prefers. `python benchmarks/outsider_as_published.py` follows the code, with
the averages of the source's scripts; that answers are those of rivals that are in before and after
is our conjecture. 40 sessions each, in pairs ours and the published:

- `turnover` .001: gain 0.353 (0.306 to 0.400) while all are in and 0.413 (0.217 to 0.609) while the
  last is out, published 0.583; equilibrium 0.000, 0.048; answer -0.001, -0.006; unprofitable 0.401,
  0.432; length 8.481, 9.62.
- `turnover` .0001: gain 0.450 (0.396 to 0.504) and 0.647 (0.495 to 0.799), published 0.566;
  equilibrium 0.025, 0.07; answer -0.016, -0.009; unprofitable 0.496, 0.45; length 9.261, 9.829.

In 39 and 36 sessions the firm was out when play stopped, where chance alone would make it half.
This reading accounts for the other columns: few equilibria, hardly an answer, deviations that
mostly pay. It does not account for the gain: the mean while all are in is far below what is
published, and that of the 30 and 25 sessions whose cycle has periods without the firm is too wide
to tell. Which of them the table has is not known, as the script that made it is not in the package.

High prices alone do not show reward and punishment: with `discount` 0 and `alpha` .025 two firms
that remember a period gain 0.52 at `beta` 2e-6 and 0.58 at 2e-5, and two that remember nothing
0.58 and 0.39 (20 sessions each).

At `gamma` .99 the source's lowest price is 0, as it has none below; with the grid that
`grid_margin` gives, which starts at -.04, the gain is 0.852 (0.835 to 0.869, 100 sessions). On the
scale of firms that do see the outside good, the joint maximum of those that do not is 0.88 where it
is -.25, 0 or .25.

`mu` must be positive here. At 1e-4 no price of the grid is further than .001 from the source's at
0, and the lower price takes all customers, or both half of them where they are equal, as there.
With `grid_margin` .5 the source's first values are those of all setting the third price for ever,
which is no equilibrium of that grid. The published values of four firms are second-hand: the
package has the script of that table and not its output.

Not run: three firms with `alpha` .05 and `beta` 2.4e-7, which take long. Trained pairs that are
matched anew and go on learning are in
[cross-play-collapse](reproductions.md#cross-play-collapse).
"""


def measure(row: Row, count: int) -> list[Floats]:
    """Return gain, equilibrium, answer, unprofitable and length, (B,) each."""
    game = LogitPricing(**row.game)
    discount = row.options.get("discount", BASELINE["discount"])
    both = [{}, row.second] if row.second else None
    if game.stage() is None:  # first values of random rivals, of expected profits
        both = [{"start": first} for first in against_random_rivals(game, discount)]
    if row.taken is not None:
        profile = [np.eye(game.num_prices)[[row.taken]]] * game.num_firms
        seats = range(game.num_firms)
        both = [{"start": as_if_played(game, seat, profile, discount)} for seat in seats]
    name = f"published {row.label}"
    if row.learner == "q_learning":
        found, converged, _ = sessions(game, name, count, each=both, **row.options)
    elif row.learner == "entering":
        import entering_firm  # needs numba, and that this script is run from its folder's path

        found, _, outside, converged = entering_firm.sessions(
            game,
            against_absent_rivals(game, discount),
            roots(name, "reproduce", range(count)),
            options=(BASELINE["alpha"], BASELINE["beta"], discount),
            stable=STABLE,
            limit=MOST * 10,
        )
        half = 1.96 * outside.std(ddof=1) / math.sqrt(count)
        print(f"{row.label}: while it is out {outside.mean():.3f} +- {half:.3f}", file=sys.stderr)
    else:
        found, converged = lockstep(game, name, count, row.learner)
    if not converged.all():
        print(f"{row.label}: {(~converged).sum()} did not converge", file=sys.stderr)
    after = responses(found, discount)
    every = " ".join(f"{value:.3f}" for value in as_the_source_averages(found, discount))
    print(f"{row.label}: answer, unprofitable, length over all: {every}", file=sys.stderr)
    alike = found.is_equilibrium(discount).astype(float)
    game = found.game
    paid = found.over_cycle(game.stage_profits.mean(axis=0)[found.joint])
    gains = game.game_scales().get("informed", game.risk_anchors)(paid)
    return [gains, alike, after.answer, after.unprofitable, after.length]


def as_the_source_averages(play: Play, discount: float) -> tuple[float, float, float]:
    """Return answer, unprofitable and length as the scripts of the source's package do.

    They take the mean over all sessions, periods of cycles and firms at once, those included whose
    price is the best reply already: such a deviation is answered by nothing, is not unprofitable,
    as it loses nothing at five decimals, and is over in one period. The period of the deviation
    counts, and answers are parts of each rival's price in it.
    """
    game, every = play.game, play.every
    values, away = play.values(discount), periods_away(play.following)
    firms = range(len(play.actions))
    prices = [game.prices[firm][play.actions[firm]] for firm in firms]
    answers, losing, lengths = [], [], []
    for firm in firms:
        reply = play.best_reply(firm)
        after = play.after(play.swapped(firm, reply))
        once = play.deviating(firm, reply, values, discount)
        losing.append((once.round(5) < values[firm].round(5))[play.on_cycle])
        lengths.append(1 + away[every, after][play.on_cycle])
        answers += [
            (prices[rival][every, after] / prices[rival] - 1)[play.on_cycle]
            for rival in firms
            if rival != firm
        ]
    return float(np.mean(answers)), float(np.mean(losing)), float(np.mean(lengths))


def lockstep(game: LogitPricing, name: str, count: int, learner: str) -> tuple[Play, Bools]:
    """Return greedy play of learners that no kernel runs, and which sessions stopped by themselves.

    Whether a best action changed is looked at every `LOOK` periods.
    """
    table = step_table(game)
    assert table is not None
    sim = TableSimulator(game, table, count)
    sim.reset(roots(name, "reproduce", range(count)))
    seats = [
        Player(player(learner, game, seat, start="random_rivals"), seat)
        for seat in range(game.num_firms)
    ]
    for one in seats:
        one.start(sim, seeded=True)
    quiet, running = np.zeros(count, np.int64), np.ones(count, np.bool_)
    best = np.stack([one.policy.greedy(one.memory) for one in seats])
    states, lineups = sim.state.copy(), [()] * count
    for _ in range(MOST // LOOK):
        for _ in range(LOOK):
            play(sim, seats)
        now = np.stack([one.policy.greedy(one.memory) for one in seats])
        quiet = np.where((now != best).any(axis=(0, 2)), 0, quiet + LOOK)
        best = now
        for run in (running & (quiet >= STABLE)).nonzero()[0].tolist():
            states[run], running[run] = sim.state[run], False
            lineups[run] = tuple(one.policy.freeze(one.memory, run) for one in seats)
        if not running.any():
            break
    for run in running.nonzero()[0].tolist():
        states[run] = sim.state[run]
        lineups[run] = tuple(one.policy.freeze(one.memory, run) for one in seats)
    return play_of(game, lineups, states), ~running


def against_random_rivals(game: LogitPricing, discount: float) -> Floats:
    """Return what each price pays a firm for ever if the others' are random, (N, m)."""
    n, m = game.prices.shape
    table = game.stage_profits.reshape(n, *[m] * n)
    rivals = [tuple(j for j in range(n) if j != i) for i in range(n)]
    return np.array([table[i].mean(axis=rivals[i]) for i in range(n)]) / (1 - discount)


def against_absent_rivals(game: LogitPricing, discount: float) -> Floats:
    """Return the same if each rival may be absent as well, as likely as it sets any price, (N, m).

    So the source has it where a firm enters and leaves; its absent rivals set a price a hundred
    times that of the joint maximum.
    """
    n, m = game.prices.shape
    prices = np.column_stack([game.prices, 100 * game.monopoly_prices])
    joint = np.stack([own.take(i) for own, i in zip(prices, np.indices((m + 1,) * n), strict=True)])
    paid = profits(game.market, joint)
    rivals = [tuple(j for j in range(n) if j != i) for i in range(n)]
    return np.array([paid[i].mean(axis=rivals[i])[:m] for i in range(n)]) / (1 - discount)


def line(row: Row, found: list[Floats]) -> str:
    """Return the row of the page."""
    gain = found[0]
    half = 1.96 * gain.std(ddof=1) / math.sqrt(len(gain))
    cells = [
        row.label,
        str(len(gain)),
        f"{gain.mean():.3f} ({gain.mean() - half:.3f} to {gain.mean() + half:.3f})",
        f"{row.gain:.3f}",
    ]
    for own, theirs in zip(found[1:], row.rest, strict=True):
        own = own[np.isfinite(own)]
        ours = f"{own.mean():.3f}" if len(own) else DASH
        cells.append(f"{ours}, {DASH if theirs is None else theirs}")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=100, help="of most rows (default 100)")
    parser.add_argument("--only", default="", help="rows whose label has this word")
    parser.add_argument("--page", type=Path, help="write the page to this file; rows not run stay")
    args = parser.parse_args()
    if not compiled():
        parser.error("this takes hours without numba, which is not installed")
    if args.sessions < 10:
        parser.error(f"sessions must be at least 10, got {args.sessions}")
    lines = [
        "| variant | n | gain | published | equilibrium | answer | unprofitable | length |",
        "|---|---|---|---|---|---|---|---|",
    ]
    before = args.page.read_text("utf-8").splitlines() if args.page and args.page.exists() else []
    known = {text[2:].split(" | ")[0]: text for text in before if text.startswith("| ")}
    begin = time.process_time()
    for row in ROWS:
        if args.only in row.label:
            start = time.process_time()
            lines.append(line(row, measure(row, round(args.sessions * row.share))))
            print(lines[-1], f"{time.process_time() - start:.0f} CPU-s", flush=True)
        elif row.label in known:
            lines.append(known[row.label])
    print(f"{time.process_time() - begin:.0f} CPU-seconds of one thread")
    if args.page:
        args.page.write_text(INTRO + "\n".join(lines) + "\n" + OUTRO, "utf-8")


if __name__ == "__main__":
    main()
