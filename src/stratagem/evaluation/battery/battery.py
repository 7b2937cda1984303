"""The battery over several runs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratagem.envs.core import Array, Floats, Game, Policy
from stratagem.envs.induced import Induced
from stratagem.metrics import CrossPlay, Interval, cross_play, interval, share

from ..audit import Audit, audit_all
from ..audit.case import make_case
from ..matches import lineup_name
from ..roots import roots
from .computed import compute, mean_rewards, opening, table_of
from .labels import SWAP_REGRET, label
from .longrun import NoTableError, long_run
from .market import Market, make_market
from .measures import MEASURES, Run, profit_gains, shock_values
from .simulated import PHASES, Setting, simulate, simulate_wipes, simulated_rewards

Tick = Callable[[float], None]


class Battery(NamedTuple):
    """What R frozen line-ups do, measured.

    Attributes:
        game: the game with its parameters, as text.
        agents: names by seat.
        lineup: names of the seats' policies.
        discount: weight of the next period in all gains from deviating.
        scales: competitive and collusive reward per seat and period, by name of the scale.
        anchors: competitive and collusive level of each seat, (N,) each.
        runs: each line-up's own measures.
        measures: by name, the mean over the runs in which it is defined, with an interval over
            them; `n` is their number. With one run, the ends are NaN.
        high_swap_regret: share of runs whose static swap regret is above `labels.SWAP_REGRET`.
        matrix: (R, R) profit gain where seat 0 of run i (row) meets the others of run j; (0, 0)
            for one run.
        strangers: self-play, cross-play and gap of `matrix`; None for one run.
    """

    game: str
    agents: tuple[str, ...]
    lineup: str
    discount: float
    scales: Mapping[str, tuple[float, float]]
    anchors: tuple[Floats, Floats]
    runs: tuple[Run, ...]
    measures: Mapping[str, Interval]
    high_swap_regret: Interval
    matrix: Floats
    strangers: CrossPlay | None

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each run; see `labels.label`."""
        return tuple(run.label for run in self.runs)


def battery(
    runs: Sequence[Sequence[Policy]],
    game: Game[Any],
    *,
    starts: Sequence[int] | Array | None = None,
    discount: float | None = None,
    exact: bool | None = None,
    horizon: int = 20,
    sessions: int = 100,
    burn: int = 400,
    periods: int = 400,
    max_nodes: int = 200_000,
    seed: int = 0,
    tick: Tick = lambda done: None,
) -> Battery:
    """Return what tells collusion from failed learning, measured on frozen line-ups.

    Args:
        runs: one policy per seat for each of R line-ups, such as independent training runs.
        game: an open-ended game with finite actions and a `price_axis`, in which all act at once
            or two in turn; play is taken to go on.
        starts: (R,) state of the game's table in which each run is taken up, as `train` reports
            it; by default the game's own openings. Audits from the openings and the meetings of
            strangers start as the game does in any case.
        discount: weight of the next period, in [0, 1); by default the game's continuation, or
            .95 where it goes on for ever.
        exact: True for enumeration or an error; False for simulation; None for the first where
            it can be.
        horizon: periods shown after a forced action, at least 2; with turns 3.
        sessions: simulated per line-up, at least 2.
        burn: simulated periods before anything is measured, at least 1.
        periods: simulated periods that are measured, more than `horizon` and `simulated.PHASES`
            together.
        max_nodes: most states of the game and memories of the policies to enumerate.
        seed: of everything random; roots are hashes.
        tick: called with the share that is done.

    Raises:
        ValueError: If there is no run, a line-up does not fit or still learns, the game is no
            market, or a number is not allowed.
    """
    market = make_market(game, discount)
    _check(runs, market, starts)
    for name, number, least in (
        ("horizon", horizon, market.answers[1]),
        ("sessions", sessions, 2),
        ("burn", burn, 1),
        ("periods", periods, horizon + PHASES + market.round),
    ):
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")
    play = _Play(market, exact, horizon, sessions, burn, periods, max_nodes, seed)
    count = len(runs)
    matrix = np.zeros((0, 0))
    done = 0.0
    if count > 1:
        matrix = np.array(
            [
                [play.gain((own[0], *others[1:]), (i, j)) for j, others in enumerate(runs)]
                for i, own in enumerate(runs)
            ]
        )
        done = 0.5
        tick(done)
    each = []
    for i, own in enumerate(runs):
        start = None if starts is None else int(starts[i])
        each.append(play.run(own, i, start, matrix))
        tick(done + (1 - done) * (i + 1) / count)
    names = dict.fromkeys([*each[0].values, *MEASURES])
    table = {name: np.array([run.values[name] for run in each]) for name in names}
    return Battery(
        repr(game),
        game.agents,
        lineup_name(runs[0]),
        market.discount,
        {name: (scale.safe, scale.worst) for name, scale in market.scales.items()},
        (market.competitive, market.collusive),
        tuple(each),
        {name: interval(values[~np.isnan(values)]) for name, values in table.items()},
        share(table["swap_regret"], SWAP_REGRET),
        matrix,
        cross_play(matrix) if count > 1 else None,
    )


def _check(
    runs: Sequence[Sequence[Policy]], market: Market, starts: Sequence[int] | Array | None
) -> None:
    if not len(runs):
        raise ValueError("runs must be at least one line-up, got none")
    for i, own in enumerate(runs):
        try:
            make_case(own, market.game, 0, market.discount, 1)
        except ValueError as error:
            raise ValueError(f"run {i}: {error}") from None
    if starts is not None and len(starts) != len(runs):
        raise ValueError(f"starts must be one state per run, {len(runs)}, got {len(starts)}")


class _Play(NamedTuple):
    """How line-ups are measured."""

    market: Market
    exact: bool | None
    horizon: int
    sessions: int
    burn: int
    periods: int
    max_nodes: int
    seed: int

    def setting(self, *run: int) -> Setting:
        label = f"battery {type(self.market.game).__name__}"
        keys = [(self.seed, *run, session) for session in range(self.sessions)]
        return Setting(roots(label, "play", keys), self.burn, self.periods)

    def table(self, policies: Sequence[Policy]) -> Induced:
        """Return the table with the policies in it.

        Raises:
            NoTableError: If there is none, or it is not wanted.
        """
        if self.exact is False:
            raise NoTableError("simulation was asked for")
        return table_of(self.market, policies, self.max_nodes)

    def gain(self, policies: Sequence[Policy], run: tuple[int, int]) -> float:
        """Return the profit gain of a line-up from the game's openings."""
        try:
            table = self.table(policies)
            rewards = mean_rewards(long_run(self.market, table), opening(table, None))
        except NoTableError as error:
            if self.exact:
                raise ValueError(f"runs {run} cannot be computed: {error}") from None
            rewards = simulated_rewards(self.market, policies, self.setting(*run))
        return profit_gains(self.market, rewards)["profit_gain"]

    def run(self, policies: Sequence[Policy], i: int, start: int | None, matrix: Floats) -> Run:
        """Return the measures of one run."""
        setting, exact, method = self.setting(i, i), True, "computed"
        try:
            table = self.table(policies)
            found = compute(self.market, policies, table, opening(table, start), self.horizon)
        except NoTableError as error:
            if self.exact or start is not None:
                raise ValueError(f"run {i} cannot be computed: {error}") from None
            found = simulate(self.market, policies, setting, self.horizon)
            exact = False
            method = f"simulated, {self.sessions} sessions of {self.periods} periods, since {error}"
        values = dict(found.values)
        if "wiped_gain" not in values:
            values |= simulate_wipes(self.market, policies, setting, values["profit_gain"])
            method += (
                f"; memory wipes simulated, {self.sessions} sessions of {self.periods} periods"
            )
        audits = audit_all(
            policies,
            self.market.game,
            discount=self.market.discount,
            responders=(),
            seeds=self.sessions,
            seed=self.seed,
        )
        values |= self._audited(audits)
        if not all(one.exact for one in audits):
            method += "; best responses from the openings are lower ends of brackets"
        values |= _strangers(matrix, i)
        for what, shocks in (("cut", found.cuts), ("rise", found.rises)):
            values |= shock_values(what, shocks, self.market.answers)
        return Run(
            {name: values[name] for name in dict.fromkeys([*values, *MEASURES])},
            np.stack([one.change for one in found.cuts]),
            np.stack([one.change for one in found.rises]),
            found.path,
            label(values),
            exact,
            method,
        )

    def _audited(self, audits: Sequence[Audit]) -> dict[str, float]:
        unit = (1 - self.market.discount) / self.market.width
        once = [one.one_shot_gain for one in audits]
        return {
            "one_shot_gain": unit * float(np.max(once)),
            "best_response_gain": unit * max(one.gain_low for one in audits),
        }


def _strangers(matrix: Floats, i: int) -> dict[str, float]:
    if not len(matrix):
        return dict.fromkeys(("strangers_gain", "strangers_loss"), np.nan)
    others = np.arange(len(matrix)) != i
    met = float(np.mean([matrix[i, others], matrix[others, i]]))
    return {"strangers_gain": met, "strangers_loss": float(matrix[i, i]) - met}
