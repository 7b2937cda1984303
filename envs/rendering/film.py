"""What a view remembers of the play of one copy, to show it as text or as a picture."""

from collections import deque
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Discrete

from ..core import Array, Bools, Floats, Game, Ints
from .language import colour
from .lines import Line, benchmark_lines

SHOWN = 60
"""Most periods whose rewards are drawn."""
FRAMES_PER_SECOND = 4


class Period(NamedTuple):
    """What is drawn of one period.

    Attributes:
        number: in its episode, from 1.
        rewards: of each seat; the mean of the round where a round is several periods, and empty
            until one is over.
    """

    number: int
    rewards: tuple[float, ...]


class Film:
    """The last actions and rewards of one copy.

    Args:
        game: the game.

    Attributes:
        game: the game.
        episode: episodes since the copy was seeded, from 1; 0 before the first.
        number: periods played in this episode.
        played: each seat's last action in this episode, None before it has acted.
        paid: each seat's last reward; empty before the first period.
        periods: the last `SHOWN` periods, those of earlier episodes among them.
    """

    def __init__(self, game: Game[Any]) -> None:
        self.game = game
        self.start(seeded=True)

    def start(self, *, seeded: bool) -> None:
        """Begin an episode, and all anew if it is seeded."""
        if seeded:
            self.episode, self.periods = 0, deque[Period](maxlen=SHOWN)
        self.episode += 1
        self.number = 0
        self.played: list[Any] = [None] * len(self.game.agents)
        self.paid: tuple[float, ...] = ()
        self._round: list[Sequence[float]] = []

    def add(
        self, actions: Sequence[Any], rewards: Sequence[float], movers: Bools | None = None
    ) -> None:
        """Add a period.

        Args:
            actions: of each seat.
            rewards: of each seat.
            movers: who moved, (N,); None if everyone did. What others last did stays.
        """
        self.number += 1
        for seat, action in enumerate(actions):
            if movers is None or movers[seat]:
                self.played[seat] = np.copy(action) if isinstance(action, np.ndarray) else action
        self.paid = tuple(map(float, rewards))
        length = getattr(self.game, "periods_per_round", 1)
        self._round = [*self._round, self.paid][-length:]
        whole = len(self._round) == length
        mean = tuple(np.mean(self._round, axis=0).tolist()) if whole else ()
        self.periods.append(Period(self.number, mean))

    def name(self, seat: int) -> str:
        """Return what a seat's last action is called, a dash before it has acted."""
        action = self.played[seat]
        if action is None:
            return "-"
        if isinstance(self.game.action_spaces[seat], Discrete):
            return self.game.action_names(seat)[int(action)]
        return np.array2string(np.asarray(action), precision=3, separator=" ", threshold=6)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The game's benchmarks as lines."""
        return benchmark_lines(self.game)

    def show(self, state: Any, mode: str | None) -> str | Array:
        """Return the text, or the picture if the mode is "rgb_array"; `state` is a batch of one."""
        return self.frame(state) if mode == "rgb_array" else self.text(state)

    def text(self, state: Any, *, colours: bool = False) -> str:
        """Return the game's line, and below it one for each seat once a period was played.

        Args:
            state: a batch of one.
            colours: whether to colour the seats' names by escape codes, for a terminal.
        """
        text = [self.game.render(state)]
        width = max(map(len, self.game.agents))
        for seat, paid in enumerate(self.paid):
            name = f"{self.game.agents[seat]:<{width}}"
            if colours:
                red, green, blue = bytes.fromhex(colour(seat)[1:])
                name = f"\x1b[38;2;{red};{green};{blue}m{name}\x1b[0m"
            text.append(f"  {name}  {self.name(seat)}  reward {paid:.4g}")
        return "\n".join(text)

    def frame(self, state: Any) -> Array:
        """Return a new picture, uint8 (height, width, 3) of the same size every time.

        Args:
            state: a batch of one.

        Raises:
            ImportError: If Pillow is not installed.
        """
        from .frame import draw

        return draw(self, state)


class Films:
    """The films of B copies that are stepped together.

    Args:
        game: the game.
        num_copies: B.
    """

    def __init__(self, game: Game[Any], num_copies: int) -> None:
        self._films = [Film(game) for _ in range(num_copies)]

    def _at(self, index: Ints | None) -> list[tuple[int, Film]]:
        copies = range(len(self._films)) if index is None else index.tolist()
        return [(copy, self._films[copy]) for copy in copies]

    def start(self, index: Ints | None, *, seeded: bool) -> None:
        """Begin an episode of the copies at `index`, or of all."""
        for _, film in self._at(index):
            film.start(seeded=seeded)

    def add(
        self, actions: Sequence[Array], rewards: Floats, movers: Bools | None, index: Ints | None
    ) -> None:
        """Add a period of the b copies at `index`, or of all.

        Args:
            actions: of each seat, (b, ...).
            rewards: (N, b).
            movers: who moved in all copies, (N, B); None if everyone did.
            index: which copies, (b,).
        """
        for row, (copy, film) in enumerate(self._at(index)):
            moved = None if movers is None else movers[:, copy]
            film.add([own[row] for own in actions], rewards[:, row].tolist(), moved)

    def show(self, sim: Any, mode: str | None) -> tuple[str | Array, ...]:
        """Return the text or the picture of each copy of a simulator."""
        return tuple(film.show(sim.row(copy), mode) for copy, film in self._at(None))


def check_mode(mode: str | None, known: Sequence[str]) -> None:
    """Raise ValueError if `render_mode` is neither None nor one of those known."""
    if mode is not None and mode not in known:
        names = ", ".join(map(repr, known))
        raise ValueError(f"render_mode must be {names} or None, got {mode!r}")
