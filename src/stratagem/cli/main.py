"""Arguments in, exit code out; a user's mistake is one line on the error stream."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from stratagem._version import __version__

EXTRA = {
    **dict.fromkeys(("matplotlib", "pyarrow", "rich"), "bench"),
    **dict.fromkeys(("sb3_contrib", "stable_baselines3", "torch"), "sb3"),
    "numba": "fast",
}


class UsageError(Exception):
    """A mistake of the user's, in one line."""


class Terminated(KeyboardInterrupt):
    """A polite request of the system's to end, SIGTERM."""


class Parser(argparse.ArgumentParser):
    """Reports mistakes as the rest of the command line does."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting."""
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def parser() -> Parser:
    """Return the parser of all commands."""
    top = Parser(prog="stratagem", description="Multi-agent games: list, solve, play, benchmark.")
    top.add_argument("--version", action="version", version=f"stratagem {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("list", help="list the registered games")
    one.add_argument("--json", action="store_true", help="print JSON")

    one = commands.add_parser("show", help="print a game's parameters, spaces and benchmarks")
    _game(one)

    one = commands.add_parser("solve", help="compute a game's benchmarks with certificates")
    _game(one)
    one.add_argument("--json", action="store_true", help="print JSON")

    one = commands.add_parser("run", help="play named agents and compare with the benchmarks")
    _game(one)
    one.add_argument(
        "--agents",
        metavar="NAMES",
        help="one policy for all seats, one per seat (a,b), or some by name (firm_0=a,firm_1=b)",
    )
    one.add_argument("--seeds", type=positive, default=10, metavar="N", help="default 10")
    one.add_argument(
        "--steps", type=positive, metavar="N", help="periods per seed; default: one full episode"
    )
    one.add_argument("--render", action="store_true", help="print the first seed's frames")
    one.add_argument(
        "--frames",
        metavar="DIR",
        help="write the first seed's first episode as PNG files and a GIF (extra `render`)",
    )

    _crossplay(commands.add_parser("crossplay", help="re-match independent training runs"))

    _audit(commands.add_parser("audit", help="what the best deviation from frozen agents gains"))
    _metagame(commands.add_parser("metagame", help="make a game of choosing learning algorithms"))

    _bench(commands.add_parser("bench", help="play a suite of baselines and write a report"))

    _reproduce(commands.add_parser("reproduce", help="run named experiments against their targets"))

    _screen(commands.add_parser("screen", help="screen a price series for marks of collusion"))

    _fit(commands.add_parser("fit", help="fit customer and click logs, and make a preset of them"))

    one = commands.add_parser("report", help="rebuild the report from stored rows")
    one.add_argument("folder", type=Path, metavar="DIR")
    return top


def _game(one: argparse.ArgumentParser) -> None:
    one.add_argument("id", help="such as LogitPricing-v0 or stratagem/LogitPricing-v0")
    one.add_argument(
        "--param",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="parameters of the game; values are Python or JSON literals, else text; @FILE reads "
        "them from a JSON object",
    )


def _crossplay(one: argparse.ArgumentParser) -> None:
    _game(one)
    one.add_argument("--agents", default="q_learning", metavar="NAMES", help="default q_learning")
    one.add_argument(
        "--option",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="hyper-parameters of the learners",
    )
    one.add_argument("--runs", type=positive, default=20, metavar="N", help="default 20")
    one.add_argument(
        "--periods", type=positive, required=True, metavar="N", help="of each training run"
    )
    one.add_argument("--seed", type=int, default=0, metavar="N", help="of the whole, default 0")
    one.add_argument(
        "--discount",
        type=float,
        metavar="D",
        help="of the values; default: 1 where the game ends, else the learners' own",
    )
    one.add_argument(
        "--simulate", type=positive, metavar="N", help="N periods per meeting, no exact values"
    )
    one.add_argument("--out", type=Path, metavar="DIR", help="keep matrix and plot there")
    one.add_argument("--json", action="store_true", help="print JSON")


def _audit(one: argparse.ArgumentParser) -> None:
    _game(one)
    one.add_argument(
        "--agents",
        metavar="NAMES",
        help="as in run, also package.module:attribute and model.zip; learners are first trained "
        "together for --periods, then frozen",
    )
    one.add_argument("--seat", metavar="NAME", help="the agent that may deviate; default: each")
    one.add_argument(
        "--discount",
        type=float,
        metavar="D",
        help="weight of the next period; default: 1 where the game ends, else .95",
    )
    one.add_argument(
        "--train",
        action="append",
        metavar="LEARNER",
        help="where no exact best deviation is known, train this one against the others, such as "
        "ppo; may be repeated; default: q_learning where it can be",
    )
    one.add_argument(
        "--periods", type=positive, metavar="N", help="of each training; --train has 20000"
    )
    one.add_argument(
        "--seeds",
        type=positive,
        default=200,
        metavar="N",
        help="episodes behind what is simulated, default 200",
    )
    one.add_argument("--seed", type=int, default=0, metavar="N", help="of the whole, default 0")
    one.add_argument(
        "--battery",
        action="store_true",
        help="tell collusion from failed learning: measures instead of audits",
    )
    one.add_argument(
        "--runs", type=positive, default=1, metavar="N", help="of the battery, default 1"
    )
    one.add_argument("--json", action="store_true", help="print JSON")
    one.add_argument(
        "--out", type=Path, metavar="DIR", help="keep it in DIR/audits, or DIR/battery"
    )


def _metagame(one: argparse.ArgumentParser) -> None:
    _game(one)
    one.add_argument(
        "--menu",
        action="append",
        required=True,
        metavar="SEAT=A,B,...",
        help="a seat's algorithms, such as player_0=hedge,fixed:1,hedge(rate=0.1|0.5); without "
        "SEAT= for all seats; may be repeated",
    )
    one.add_argument(
        "--periods", type=positive, required=True, metavar="T", help="of each repeated game"
    )
    one.add_argument(
        "--runs", type=positive, default=20, metavar="R", help="of each profile, default 20"
    )
    one.add_argument(
        "--workers", type=positive, default=1, metavar="N", help="processes, default 1"
    )
    one.add_argument(
        "--eps", type=float, default=0.0, metavar="E", help="slack of equilibria, default 0"
    )
    one.add_argument(
        "--out", type=Path, metavar="DIR", help="keep runs, table and plot there; played once only"
    )
    one.add_argument("--json", action="store_true", help="print JSON")


def _bench(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--suite",
        metavar="NAME",
        help="core (the default), quick, deep (needs the extra sb3), or a game of yours as "
        "package.module:MyGame-v0",
    )
    one.add_argument(
        "--out", type=Path, metavar="DIR", help="default results/<suite>; finished parts are kept"
    )
    one.add_argument(
        "--seeds", type=positive, metavar="N", help="default 20 (core), 10 (quick) or 5 (deep)"
    )
    one.add_argument(
        "--agent",
        action="append",
        metavar="AGENT",
        help="play an agent of yours too, package.module:attribute or model.zip; may be repeated",
    )
    one.add_argument(
        "--workers",
        type=positive,
        default=1,
        metavar="N",
        help="processes, default 1; rows do not depend on it",
    )
    one.add_argument(
        "--resume",
        action="store_true",
        help="go on with what DIR holds, with its suite, seeds and agents; without it a folder of "
        "the same configuration is gone on with too, and one of another is refused",
    )


def _reproduce(one: argparse.ArgumentParser) -> None:
    one.add_argument("names", nargs="*", metavar="NAME", help="experiments, or all")
    one.add_argument("--list", action="store_true", help="list the experiments")
    one.add_argument("--json", action="store_true", help="print JSON")


def _screen(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "file",
        metavar="FILE",
        help="CSV with a header and a row per period, or jec: a packaged cartel of known state",
    )
    one.add_argument("--column", metavar="NAME", help="of prices, default price")
    one.add_argument(
        "--state", metavar="NAME", help="column that says when a cartel was on (yes, no): score it"
    )
    one.add_argument(
        "--window",
        type=positive,
        default=13,
        metavar="N",
        help="periods that variation and rigidity look back on, default 13",
    )
    one.add_argument(
        "--block",
        type=positive,
        default=26,
        metavar="N",
        help="periods per block of the bootstrap, default 26",
    )
    one.add_argument("--json", action="store_true", help="print JSON")


def _fit(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "logs",
        nargs="+",
        metavar="LOG",
        help="CSV of customers (frequency, recency, T; or customer, time) or of clicks (item, "
        "clicks, impressions; or item, click), or cdnow or open_bandit, which are packaged; one "
        "of each at most",
    )
    one.add_argument(
        "--column",
        action="extend",
        nargs="+",
        default=[],
        metavar="ROLE=NAME",
        help="name a column that is not recognised, such as customer=buyer time=bought; roles: "
        "frequency, recency, observed, customer, time, item, clicks, impressions, click",
    )
    one.add_argument(
        "--unit",
        metavar="UNIT",
        help="of customers' times that are numbers: second, minute, hour, day, week (default), "
        "month or year",
    )
    one.add_argument(
        "--period", default="week", metavar="UNIT", help="a period of the game, default week"
    )
    one.add_argument(
        "--end", metavar="TIME", help="observation ended then (customer, time), default: last row"
    )
    for name, kind, default, meaning in (
        ("effect", float, 0.5, "fall in the log-odds of drop-out per level, default .5"),
        ("levels", positive, 11, "levels of satisfaction, odd, default 11"),
        ("impressions", float, 1000.0, "impressions in a period with a purchase, default 1000"),
        ("continuation", float, 1 - 1 / 52, "chance that a period follows, default 51/52"),
    ):
        one.add_argument(
            f"--{name}", type=kind, default=default, metavar="X", help=f"assumed {meaning}"
        )
    one.add_argument(
        "--bootstrap",
        type=positive,
        metavar="N",
        help="standard errors and p a second way, by N simulated customer logs fitted anew",
    )
    one.add_argument(
        "--out", type=Path, metavar="DIR", help="keep preset.json, fit.json and pictures there"
    )
    one.add_argument("--json", action="store_true", help="print JSON")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a reproduction that misses a target returns 1.

    Args:
        argv: arguments without the program's name; `sys.argv[1:]` if None.

    Returns:
        0, or 2 if the user made a mistake, or 130 if interrupted, or 143 if terminated.
    """
    if argv is None and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # where a user's own games and agents are looked for
    try:
        options = parser().parse_args(argv)
        from . import (
            auditing,
            benching,
            crossing,
            fitting,
            inspecting,
            metagaming,
            playing,
            reproducing,
            screening,
        )

        run: Callable[[argparse.Namespace], int | None] = {
            "reproduce": reproducing.reproduce_named,
            "list": inspecting.list_games,
            "show": inspecting.show,
            "solve": inspecting.solve,
            "run": playing.run,
            "crossplay": crossing.crossplay,
            "audit": auditing.run,
            "metagame": metagaming.metagame,
            "bench": benching.bench,
            "report": benching.report,
            "screen": screening.screen,
            "fit": fitting.fit,
        }[options.command]
        code = run(options)
        sys.stdout.flush()
        return code or 0
    except (UsageError, ValueError) as error:
        return _fail(str(error))
    except MemoryError as error:
        return _fail(f"too little memory: {error}")
    except ModuleNotFoundError as error:
        extra = EXTRA.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        return _fail(f'{error.name} is not installed: pip install "stratagem[{extra}]"')
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        where = f" {error.filename!r}" if error.filename else ""
        return _fail(f"{error.strerror or error}{where}")
    except KeyboardInterrupt as error:
        how, code = ("terminated", 143) if isinstance(error, Terminated) else ("interrupted", 130)
        print(f"stratagem: {how}; finished parts are kept", file=sys.stderr)
        return code
    return 0


def _fail(message: str) -> int:
    print(f"stratagem: error: {' '.join(message.split())}", file=sys.stderr)
    return 2
