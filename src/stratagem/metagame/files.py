"""A meta-game on disk: every run, the table with intervals, all that was found, a picture."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from stratagem.envs.benchmarks import Solution
from stratagem.envs.games.stackelberg.meta_runs import StoredRuns, write_runs
from stratagem.evaluation.storage import replace_file, write_bytes
from stratagem.metrics import Interval

from .analysis import Analysis, table
from .heatmap import draw
from .playing import EmpiricalGame

FILES = ("runs.csv", "table.csv", "metagame.json", "metagame.png")


def save(folder: Path, empirical: EmpiricalGame, found: Analysis, **facts: Any) -> None:
    """Write `FILES` into a folder, each whole or not at all.

    Args:
        folder: where they go.
        empirical: what was played.
        found: what `analyse` says of it.
        **facts: what else the JSON file is to say.
    """
    stored = StoredRuns(empirical.agents, empirical.menus, empirical.runs)
    write_bytes(folder / "runs.csv", write_runs(stored).encode())
    write_bytes(folder / "table.csv", _table(empirical, found).encode())
    text = json.dumps({**facts, **as_json(empirical, found)}, indent=1) + "\n"
    write_bytes(folder / "metagame.json", text.encode())
    figure = draw(empirical, found)
    replace_file(
        folder / "metagame.png", lambda beside: figure.savefig(beside, format="png", dpi=150)
    )


def as_json(empirical: EmpiricalGame, found: Analysis) -> dict[str, Any]:
    """Return everything as plain data; profiles are the labels of the agents' algorithms."""
    menus = dict(zip(empirical.agents, map(list, empirical.menus), strict=True))
    mixed = None if found.mixed is None else list(found.mixed)
    rank = found.alpha_rank
    return {
        "agents": list(empirical.agents),
        "menus": menus,
        "periods": empirical.periods,
        "runs": found.runs,
        "unit": "reward per period",
        "payoffs": empirical.payoffs.tolist(),
        "standard_errors": empirical.errors.tolist(),
        "eps": found.eps,
        "resamples": found.resamples,
        "stability": found.stability.tolist(),
        "equilibria": [
            {
                "profile": list(one.labels),
                "payoffs": [_interval(x) for x in one.payoffs],
                "regret": one.regret,
                "stability": one.stability,
            }
            for one in found.equilibria
        ],
        "mixed": None
        if mixed is None
        else [{**_solution(one.solution, empirical), "stability": one.stability} for one in mixed],
        "mixed_note": found.mixed_note,
        "commitments": [
            {
                "order": [empirical.agents[i] for i in one.order],
                "pure": _solution(one.pure, empirical),
                "mixed": None if one.mixed is None else _solution(one.mixed, empirical),
                "stability": one.stability,
            }
            for one in found.commitments
        ],
        "replicator": {
            "starts": found.basins.starts,
            "unsettled": found.basins.unsettled,
            "points": [
                {
                    "profile": _profile(point.profile, empirical),
                    "payoffs": point.payoffs.tolist(),
                    "regret": point.regret,
                    "starts": point.starts,
                }
                for point in found.basins.points
            ],
        },
        "alpha_rank": None
        if rank is None
        else {
            "masses": rank.masses.tolist(),
            "mean_over_resamples": None
            if found.mean_ranking is None
            else found.mean_ranking.tolist(),
            "alpha": "infinite" if np.isinf(rank.alpha) else rank.alpha,
            "population": rank.population,
            "residual": rank.residual,
        },
    }


def _interval(x: Interval) -> dict[str, float]:
    return {"value": x.value, "low": x.low, "high": x.high, "n": x.n}


def _profile(profile: Any, empirical: EmpiricalGame) -> list[dict[str, float]]:
    """Return the weights of the algorithms that each agent plays."""
    return [
        {label: float(w) for label, w in zip(menu, mix, strict=True) if w > 1e-12}
        for menu, mix in zip(empirical.menus, profile, strict=True)
    ]


def _solution(found: Solution, empirical: EmpiricalGame) -> dict[str, Any]:
    return {
        "profile": _profile(found.profile, empirical),
        "payoffs": found.payoffs.tolist(),
        "regret": found.certificate.max_regret,
    }


def _table(empirical: EmpiricalGame, found: Analysis) -> str:
    """Return one line per profile: means, standard errors, intervals and stability."""
    agents, text = empirical.agents, io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    columns = ("payoff", "standard_error", "low", "high")
    head = [f"{column}_{agent}" for agent in agents for column in columns]
    rows.writerow([*agents, *head, "n", "stability"])
    for at, intervals in table(empirical).items():
        labels = [menu[a] for menu, a in zip(empirical.menus, at, strict=True)]
        numbers = [
            number
            for own, x in zip(empirical.errors, intervals, strict=True)
            for number in (x.value, float(own[at]), x.low, x.high)
        ]
        rows.writerow([*labels, *map(repr, numbers), found.runs, repr(float(found.stability[at]))])
    return text.getvalue()
