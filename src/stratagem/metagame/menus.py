"""Menus: the algorithms among which each seat of a game chooses, by name with options."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from stratagem.envs.core import Game, Policy
from stratagem.evaluation.trainers import trains
from stratagem.players import player

Entry = str | Policy
Menu = Sequence[Entry] | Mapping[str, Entry]
"""Names of algorithms, such as "hedge" or "hedge(rate=0.1)", or policies; or labels for them."""

_CALL = re.compile(r"([^()]+)(?:\((.*)\))?")


class Algorithm(NamedTuple):
    """One entry of a menu.

    Attributes:
        label: what tables call it.
        policy: a name that `stratagem.player` knows, or a policy.
        options: hyper-parameters of a name.
    """

    label: str
    policy: Entry
    options: Mapping[str, Any] = {}


def split(text: str) -> list[str]:
    """Return the parts of a text between commas outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def read_algorithm(text: str) -> list[Algorithm]:
    """Return what a name with options stands for: one algorithm, or one for each combination.

    Args:
        text: such as "hedge", "fixed:1", "hedge(horizon=1000)", or with several values of an
            option, "q_learning(alpha=0.1|0.2, beta=1e-4)"; values are Python literals, else text.

    Raises:
        ValueError: If it is not written so.
    """
    call = _CALL.fullmatch(text.strip())
    pairs = [part.partition("=") for part in split(call[2])] if call and call[2] else []
    if call is None or not all(name.strip().isidentifier() and value for name, _, value in pairs):
        raise ValueError(f"an algorithm is written NAME or NAME(OPTION=VALUE, ...), got {text!r}")
    name = call[1].strip()
    options = [option.strip() for option, _, _ in pairs]
    if len(set(options)) != len(options):
        raise ValueError(f"an option is given twice in {text!r}")
    found = []
    for values in product(*(value.split("|") for _, _, value in pairs)):
        given = dict(zip(options, (value.strip() for value in values), strict=True))
        inside = ", ".join(f"{option}={value}" for option, value in given.items())
        label = f"{name}({inside})" if given else name
        found.append(Algorithm(label, name, {k: _literal(v) for k, v in given.items()}))
    return found


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def read_menus(
    menus: Menu | Mapping[str, Menu], agents: Sequence[str]
) -> tuple[tuple[Algorithm, ...], ...]:
    """Return each seat's algorithms.

    Args:
        menus: a menu by agent, or one for every agent.
        agents: names of the agents.

    Raises:
        ValueError: If an agent is unknown or has no menu, or a menu is empty, has a label twice
            or an entry that is none.
    """
    if isinstance(menus, Mapping) and any(_is_menu(menu) for menu in menus.values()):
        unknown = [name for name in menus if name not in agents]
        if unknown:
            raise ValueError(f"unknown seat {unknown[0]!r}; the seats are {', '.join(agents)}")
        missing = [name for name in agents if name not in menus]
        if missing:
            raise ValueError(f"menus must have one for every seat, but {missing[0]!r} has none")
        return tuple(_read_menu(menus[name], name) for name in agents)  # type: ignore[arg-type]
    return tuple(_read_menu(menus, name) for name in agents)  # type: ignore[arg-type]


def _is_menu(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _read_menu(menu: Menu, agent: str) -> tuple[Algorithm, ...]:
    if not _is_menu(menu):
        raise ValueError(f"the menu of {agent} must be a sequence or a mapping, got {menu!r}")
    found = tuple(_entries(menu))
    if not found:
        raise ValueError(f"the menu of {agent} is empty")
    labels = [algorithm.label for algorithm in found]
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise ValueError(
            f"the menu of {agent} has {twice[0]!r} twice; a mapping gives labels of your own"
        )
    return found


def _entries(menu: Menu) -> Iterator[Algorithm]:
    named = menu.items() if isinstance(menu, Mapping) else ((None, entry) for entry in menu)
    for label, entry in named:
        if not isinstance(entry, str):
            yield Algorithm(label or type(entry).__name__, entry)
            continue
        read = read_algorithm(entry)
        if label is not None and len(read) > 1:
            raise ValueError(f"{label!r} names several algorithms: {entry!r}")
        yield from (one if label is None else one._replace(label=label) for one in read)


def build(algorithm: Algorithm, game: Game[Any], seat: int) -> Policy:
    """Return an algorithm as a policy or learner for one seat.

    Raises:
        ValueError: If it cannot play this seat of this game.
    """
    where = f"{algorithm.label!r} cannot play {game.agents[seat]} of {type(game).__name__}"
    try:
        found = player(algorithm.policy, game, seat, **algorithm.options)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    if trains(found):
        raise ValueError(
            f"{where}: it has a training loop of its own and does not learn while it plays"
        )
    return found
