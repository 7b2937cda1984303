"""Who knows the game, and who gains by it.

The experiments are about statements of *Is Knowledge Power? On the (Im)possibility of Learning
from Strategic Interactions* (2024, arXiv:2408.08272), of which we read the abstract and
summaries. The pairs of games are functional equivalents, rebuilt by us, so no target is the
paper's own number: the values follow from the rebuilt pairs, by arguments given on the page of
`InformationGame-v0` or by another program than this one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stratagem.envs.core import Bools, Floats, Policy
from stratagem.envs.games.information.information_game import InformationGame
from stratagem.envs.games.stackelberg.matrix_game import MatrixGame
from stratagem.players import player

from .play import expected_payoffs, played
from .registry import Note, Target, at_least, at_most, near, reproduction

PAPER = "arXiv:2408.08272, statement of the abstract, on a pair of games that we rebuilt"
OTHER_PROGRAM = "an earlier program of ours, written apart from this package, on the rebuilt pair"
EPS = 0.02
ROWS = ("commit", "concede", "hedge")
COLUMNS = ("hedge", "blum_mansour", "stubborn", "commit by signal", "explore")
TABLE = {
    "commit": ((0.997, 0.795), (0.995, 0.793), (0.500, 0.000), (0.625, 0.400), (0.969, 0.750)),
    "concede": ((0.749, 0.895), (0.748, 0.893), (0.750, 0.500), (0.688, 0.675), (0.750, 0.875)),
    "hedge": ((0.986, 0.788), (0.983, 0.785), (0.745, 0.498), (0.808, 0.770), (0.745, 0.873)),
}
"""Payoffs of both players by their algorithms, T = 4000."""
NAMES = {
    "commit": "stackelberg",
    "commit by signal": "stackelberg",
    "explore": "explore_then_commit",
}


def algorithm(name: str, game: InformationGame, seat: int) -> Policy:
    """Return an algorithm of the table, learners tuned to the horizon."""
    tuned = {"horizon": game.horizon} if name in ("hedge", "blum_mansour", "explore") else {}
    return player(NAMES.get(name, name), game, seat, **tuned)


def table(
    game: InformationGame,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    copies: int,
    name: str,
    note: Note,
) -> Floats:
    """Return what every pair of algorithms earns, (2, rows, columns)."""
    found = np.zeros((2, len(rows), len(columns)))
    seats = [[algorithm(one, game, i) for one in names] for i, names in enumerate((rows, columns))]
    for i, j in np.ndindex(len(rows), len(columns)):
        note(f"{rows[i]} against {columns[j]}")
        found[:, i, j] = expected_payoffs(
            game, (seats[0][i], seats[1][j]), periods=game.horizon, copies=copies, name=name
        )
    return found


def gains(payoffs: Floats) -> Floats:
    """Return what each player could gain by another algorithm, (2, rows, columns)."""
    return np.stack(
        [
            payoffs[0].max(axis=0, keepdims=True) - payoffs[0],
            payoffs[1].max(axis=1, keepdims=True) - payoffs[1],
        ]
    )


def equilibria(payoffs: Floats, eps: float) -> Bools:
    """Return where no player gains more than eps by another algorithm, (rows, columns)."""
    return np.asarray((gains(payoffs) <= eps).all(axis=0))


def posterior(game: InformationGame, seat: int, policies: Sequence[Policy]) -> float:
    """Return the chance that a seat gives the true game after one round, on average.

    Exact: every initial outcome is played once; the policies must not draw random numbers.
    """
    chance = game.initial_chance
    state = game.initial(np.arange(len(chance)))
    moves = [
        policy.act(seen, policy.init(len(chance), None), None)[0]  # type: ignore[arg-type]
        for policy, seen in zip(policies, game.observe(state), strict=True)
    ]
    after = game.step(state, np.stack(moves), np.zeros(len(chance), np.int64)).state
    _, view = np.unique(game.observe(after)[seat], axis=0, return_inverse=True)
    same = view.reshape(-1, 1) == view.reshape(1, -1)
    alike = same & (state.game[:, None] == state.game[None])
    return float(chance @ ((alike @ chance) / (same @ chance)))


def _entries() -> list[Target]:
    return [
        near(f"{row} / {column}, player_{seat}", pair[seat], 0.02, "computed", OTHER_PROGRAM)
        for row, pairs in TABLE.items()
        for column, pair in zip(COLUMNS, pairs, strict=True)
        for seat in range(2)
    ]


@reproduction(
    "informed-player-wins",
    at_least("commit against hedge, player_0", 0.99, "derived", f"StackVal - .01; {PAPER}"),
    at_least("commit against blum_mansour, player_0", 0.99, "derived", f"StackVal - .01; {PAPER}"),
    at_most("most that a deviation gains, commit / blum_mansour", EPS, "derived", PAPER),
    at_least(
        "perturbed commitment against hedge, textbook game",
        3.5 - 0.1 - 0.06,
        "derived",
        "3.5 less .1 for the perturbation, less 2 times the regret bound over the margin of .2",
    ),
    at_least(
        "perturbed commitment against blum_mansour, textbook game",
        3.5 - 0.1 - 0.06,
        "derived",
        "the same",
    ),
    near("concede against hedge, player_0", 0.749, 0.02, "computed", OTHER_PROGRAM, control=True),
    at_most(
        "unperturbed commitment against hedge, textbook game",
        3.34,
        "derived",
        "at the tie the learner need not settle on what the leader wants",
        control=True,
    ),
)
def informed_player_wins(
    note: Note, *, periods: int = 4000, copies: int = 8, long: int = 20_000
) -> Mapping[str, float]:
    """Who knows the game and commits has her Stackelberg value against learners without regret."""
    game = InformationGame(a=0.5, gamma=0.8, horizon=periods)
    paid = table(game, ROWS, COLUMNS[:2], copies=copies, name="informed-player-wins", note=note)
    line = table(game, ROWS[:1], COLUMNS, copies=copies, name="informed-player-wins", note=note)
    best = max(float(paid[0, :, 1].max() - paid[0, 0, 1]), float(line[1, 0].max() - line[1, 0, 1]))
    textbook = MatrixGame(payoffs="commitment", opening="random", continuation=1.0)

    def led(leader: str, learner: str) -> float:
        note(f"{leader} against {learner} in the textbook game")
        seats = player(leader, textbook, 0), player(learner, textbook, 1, horizon=long)
        path = played(textbook, seats, periods=long, copies=8, name="informed-player-wins")
        return float(path.rewards[:, 0].mean())

    return {
        "commit against hedge, player_0": paid[0, 0, 0],
        "commit against blum_mansour, player_0": paid[0, 0, 1],
        "most that a deviation gains, commit / blum_mansour": best,
        "concede against hedge, player_0": paid[0, 1, 0],
        **{
            f"perturbed commitment against {learner}, textbook game": led("perturbed:0.2", learner)
            for learner in ("hedge", "blum_mansour")
        },
        "unperturbed commitment against hedge, textbook game": led("stackelberg", "hedge"),
    }


@reproduction(
    "uninformed-cannot-win",
    *_entries(),
    near(
        "equilibria that differ from commit against the two no-regret learners",
        0,
        0,
        "computed",
        OTHER_PROGRAM,
    ),
    at_most("most for player_1 in an equilibrium", 0.88, "derived", f"E StackVal - .02; {PAPER}"),
    near("bound of the linear program, player_1", 0.9 - 0.2 / 3, 1e-9, "derived", "closed form"),
    at_most(
        "most for player_1 in an equilibrium, above the bound",
        EPS,
        "derived",
        "equilibria at eps obey the bound up to eps",
    ),
    at_least(
        "gain of player_0 from committing where it conceded",
        0.2,
        "derived",
        "StackVal of .997 less (a + 1) / 2",
    ),
    near(
        "bound of the linear program where player_1 knows, player_1",
        0.9,
        1e-9,
        "derived",
        "closed form at q = 1",
        control=True,
    ),
    at_least(
        "most for player_1 in any profile",
        0.88,
        "computed",
        f"E StackVal - .02, as far as others concede; {OTHER_PROGRAM}",
        control=True,
    ),
)
def uninformed_cannot_win(
    note: Note, *, periods: int = 4000, copies: int = 8
) -> Mapping[str, float]:
    """Who does not know the game has less than her Stackelberg value in every equilibrium."""
    game = InformationGame(a=0.5, gamma=0.8, precision=(1.0, 0.5), horizon=periods)
    paid = table(game, ROWS, COLUMNS, copies=copies, name="uninformed-cannot-win", note=note)
    stable = equilibria(paid, EPS)
    expected = np.zeros_like(stable)
    expected[0, :2] = True
    bound = float(game.benchmarks()["uninformed_bound"].solution.payoffs[1])
    knows = InformationGame(a=0.5, gamma=0.8, precision=(1.0, 1.0), horizon=1)
    best = float(np.where(stable, paid[1], -np.inf).max())
    entries = {
        f"{row} / {column}, player_{seat}": float(paid[seat, i, j])
        for i, row in enumerate(ROWS)
        for j, column in enumerate(COLUMNS)
        for seat in range(2)
    }
    return {
        **entries,
        "equilibria that differ from commit against the two no-regret learners": float(
            (stable != expected).sum()
        ),
        "most for player_1 in an equilibrium": best,
        "bound of the linear program, player_1": bound,
        "most for player_1 in an equilibrium, above the bound": best - bound,
        "gain of player_0 from committing where it conceded": float(
            (paid[0, 0, :2] - paid[0, 1, :2]).min()
        ),
        "bound of the linear program where player_1 knows, player_1": float(
            knows.benchmarks()["uninformed_bound"].solution.payoffs[1]
        ),
        "most for player_1 in any profile": float(paid[1].max()),
    }


@reproduction(
    "learns-without-gain",
    near("chance player_1 gives the true game after one round", 1, 1e-9, "derived", PAPER),
    near("hedge against commit, player_1", 0.8, 0.01, "derived", "gamma in both games"),
    near("blum_mansour against commit, player_1", 0.8, 0.01, "derived", "gamma in both games"),
    near("player_1's value as a leader who knows", 0.9, 1e-9, "derived", "mean of 1 and gamma"),
    near(
        "chance player_1 gives the true game where both commitments are alike",
        0.625,
        1e-9,
        "derived",
        "q^2 + (1 - q)^2 with q = .75: what the signal alone tells",
        control=True,
    ),
    at_least(
        "hedge against concede, player_1",
        0.88,
        "derived",
        "player_1's value less .02, where player_0 gives way",
        control=True,
    ),
)
def learns_without_gain(note: Note, *, periods: int = 4000, copies: int = 8) -> Mapping[str, float]:
    """The uninformed player learns the game from the first move, and gains nothing by it."""
    params: dict[str, Any] = {"a": 0.5, "gamma": 0.8}
    game = InformationGame(family="learnt_in_vain", feedback="payoff", horizon=periods, **params)
    rows, columns = ("commit", "concede"), ("hedge", "blum_mansour")
    paid = table(game, rows, columns, copies=copies, name="learns-without-gain", note=note)
    told = []
    for family in ("learnt_in_vain", "battle_or_dominated"):
        shown = InformationGame(family=family, horizon=2, **params)  # moves alone are shown
        seats = [player("stackelberg", shown, 0), player("fixed:0", shown, 1)]
        told.append(posterior(shown, 1, seats))
    leads = game.benchmarks()["stackelberg_1"].solution.payoffs[1]
    return {
        "chance player_1 gives the true game after one round": told[0],
        "hedge against commit, player_1": paid[1, 0, 0],
        "blum_mansour against commit, player_1": paid[1, 0, 1],
        "player_1's value as a leader who knows": float(leads),
        "chance player_1 gives the true game where both commitments are alike": told[1],
        "hedge against concede, player_1": paid[1, 1, 0],
    }


MIRRORED = (
    (((0.5, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, 0.8))),
    (((0.01, 0.01), (1.01, 1.01)), ((1.0, 0.0), (0.0, 0.8))),
)
"""The family "told_by_payoffs" with the players' parts exchanged."""


def _reversal(pair: str, told: int) -> list[Target]:
    values = "E StackVal of the player whose payoffs vary, (1 + 1.01) / 2"
    return [
        near(f"{pair}: player_{told}, whose payoffs vary", 1.005, 0.01, "derived", values),
        near(f"{pair}: player_{1 - told}", 0.8, 0.01, "derived", "its E StackVal is .9"),
        at_most(f"{pair}: most that a deviation gains", EPS, "derived", PAPER),
        near(
            f"{pair}: chance player_{told} gives the true game after one round",
            1,
            1e-9,
            "derived",
            "its payoffs differ in every cell",
        ),
    ]


@reproduction(
    "information-reversal",
    *_reversal("pair", 1),
    *_reversal("mirrored pair", 0),
    near(
        "pair: chance player_0 gives the true game after one round",
        0.905,
        1e-9,
        "derived",
        "q^2 + (1 - q)^2 with q = .95: what its signal tells, and its payoffs do not",
        control=True,
    ),
    near(
        "pair, payoffs not shown: chance player_1 gives the true game after one round",
        0.5,
        1e-9,
        "derived",
        "its signal tells nothing",
        control=True,
    ),
)
def information_reversal(
    note: Note, *, periods: int = 4000, copies: int = 8
) -> Mapping[str, float]:
    """With the same signals, it is what play reveals that decides who has the Stackelberg value."""
    found: dict[str, float] = {}
    precision = (0.9, 0.0)
    for pair, family, told in (("pair", "told_by_payoffs", 1), ("mirrored pair", MIRRORED, 0)):
        game = InformationGame(
            family=family, feedback="payoff", precision=precision, horizon=periods
        )
        # The player who is told commits to its second action, the other one learns.
        menu = ("hedge", "blum_mansour", "fixed:0", "fixed:1", "commit", "stubborn")
        rows, columns = (menu, ("fixed:1",)) if told else (("fixed:1",), menu)
        name = "information-reversal"
        column = table(game, rows, columns, copies=copies, name=name, note=note)
        rows, columns = (("hedge",), menu) if told else (menu, ("hedge",))
        line = table(game, rows, columns, copies=copies, name=name, note=note)
        learner, leader = column[1 - told].ravel(), line[told].ravel()
        found[f"{pair}: player_{told}, whose payoffs vary"] = float(leader[3])
        found[f"{pair}: player_{1 - told}"] = float(learner[0])
        found[f"{pair}: most that a deviation gains"] = float(
            max(learner.max() - learner[0], leader.max() - leader[3])
        )
        fixed = [player("fixed:1", game, seat) for seat in range(2)]
        found[f"{pair}: chance player_{told} gives the true game after one round"] = posterior(
            game, told, fixed
        )
        if told:
            other = f"{pair}: chance player_0 gives the true game after one round"
            found[other] = posterior(game, 0, fixed)
    hidden = InformationGame(family="told_by_payoffs", precision=precision, horizon=2)
    found["pair, payoffs not shown: chance player_1 gives the true game after one round"] = (
        posterior(hidden, 1, [player("fixed:1", hidden, seat) for seat in range(2)])
    )
    return found
