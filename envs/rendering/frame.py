"""The picture of one period: what is the case, who did what, a scene, rewards beside benchmarks."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import Game
from ..scenes import Grid, Scene, Track
from .brush import SIZE, Brush
from .film import SHOWN, Film
from .language import GRID, SOFT, colour
from .lines import Line

_WIDTH, _HEIGHT = SIZE
_EDGE = 16.0  # between picture and contents, pixels
_SEATS = 6  # most seats that are listed
_TOP, _MIDDLE = 82.0, 246.0  # where the seats and the scene, and the rewards, begin
_LABELS = 150.0  # width of the names of benchmarks
_SMALL, _TEXT, _LARGE = 11, 13, 18  # sizes of text


def draw(film: Film, state: Any) -> NDArray[np.uint8]:
    """Return the picture of a film at a state, a batch of one."""
    brush, game = Brush(), film.game
    when = f"episode {film.episode}, period {film.number}"
    brush.text((_EDGE, 22), _title(game), _LARGE, width=420)
    brush.text((_WIDTH - _EDGE, 22), when, _TEXT, SOFT, anchor="rm")
    wide = _WIDTH - 2 * _EDGE
    for row, line in enumerate(brush.wrapped(game.render(state), _TEXT, wide, 2)):
        brush.text((_EDGE, 46 + 17 * row), line, _TEXT, SOFT)
    scene = game.scene(state, film.played)
    _draw_seats(brush, film, 300 if scene else wide)
    if scene:
        _draw_scene(brush, scene, (340, _TOP, _WIDTH - _EDGE - 340, _MIDDLE - _TOP - 14))
    _draw_rewards(brush, film)
    return brush.pixels()


def _title(game: Game[Any]) -> str:
    names = [type(game).__name__]
    while isinstance(control := getattr(game, "control", None), Game):
        game = control
        names.append(type(game).__name__)
    return " of ".join(names)


def _draw_seats(brush: Brush, film: Film, width: float) -> None:
    agents, right = film.game.agents, _EDGE + width
    shown = len(agents) if len(agents) <= _SEATS else _SEATS - 1
    names = min(max(brush.width(a, _TEXT) for a in agents[:shown]), 110)
    brush.text((_EDGE, _TOP + 6), "last action", _SMALL, SOFT)
    brush.text((right, _TOP + 6), "reward", _SMALL, SOFT, anchor="rm")
    for seat in range(shown):
        y, ink = _TOP + 26 + 21 * seat, colour(seat)
        brush.mark(seat, (_EDGE + 6, y))
        brush.text((_EDGE + 20, y), agents[seat], _TEXT, ink, width=names)
        room = width - names - 94
        brush.text((_EDGE + 32 + names, y), film.name(seat), _TEXT, width=room)
        if film.paid:
            brush.text((right, y), f"{film.paid[seat]:.4g}", _TEXT, ink, anchor="rm")
    if shown < len(agents):
        more = f"and {len(agents) - shown} more seats"
        brush.text((_EDGE + 20, _TOP + 26 + 21 * shown), more, _TEXT, SOFT)


Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels."""


def _draw_scene(brush: Brush, scene: Scene, box: Box) -> None:
    left, top, width, height = box
    each = height / len(scene)
    for row, part in enumerate(scene):
        inside = (left, top + row * each, width, each - (6 if len(scene) > 1 else 0))
        if isinstance(part, Grid):
            _draw_grid(brush, part, inside)
        else:
            _draw_track(brush, part, inside)


def _draw_track(brush: Brush, track: Track, box: Box) -> None:
    left, top, width, height = box
    left, width = left + 6, width - 12

    def place(value: float) -> float:
        share = (value - track.low) / (track.high - track.low)
        return left + width * min(max(share, 0.0), 1.0)

    brush.text((left - 6, top + 6), track.label, _SMALL, SOFT, width=width)
    ends: list[float] = []  # where the names in each row end
    named: list[tuple[str, float, float, int]] = []
    for name, value in sorted(track.lines, key=lambda line: line[1]):
        x, wide = place(value), brush.width(name, _SMALL)
        middle = min(max(x, left + wide / 2), left + width - wide / 2)
        row = 0
        while row < len(ends) and middle - wide / 2 < ends[row] + 4:
            row += 1
        ends[row : row + 1] = [middle + wide / 2]
        named.append((name, x, middle, row))
    first = top + 14 + 12 * len(ends)
    base = min(first + 12 + 15 * len(track.marks), top + height - 14)
    for name, x, middle, row in named:
        brush.text((middle, top + 19 + 12 * row), name, _SMALL, SOFT, anchor="mm")
        brush.dashes((x, top + 25 + 12 * row), (x, base), SOFT)
    brush.line([(left, base), (left + width, base)], SOFT)
    brush.text((left, base + 9), f"{track.low:.3g}", _SMALL, SOFT, anchor="lm")
    brush.text((left + width, base + 9), f"{track.high:.3g}", _SMALL, SOFT, anchor="rm")
    lane = (base - first) / max(len(track.marks), 1)
    for row, (seat, value) in enumerate(track.marks):
        brush.mark(seat, (place(value), first + (row + 0.5) * lane), min(5.5, max(lane / 2, 3)))


def _draw_grid(brush: Brush, grid: Grid, box: Box) -> None:
    left, top, width, height = box
    brush.text((left, top + 6), grid.label, _SMALL, SOFT, width=width)
    heads = min(max(brush.width(name, _SMALL) for name in grid.rows) + 8, width * 0.3)
    x0, w = left + heads, min((width - heads) / len(grid.columns), 90)
    names = [brush.halves(name, _SMALL, w - 4) for name in grid.columns]
    y0 = top + 20 + 12 * max(map(len, names))
    h = min((top + height - y0) / len(grid.rows), 30)
    for j, lines in enumerate(names):
        ink = SOFT if grid.sides[1] is None else colour(grid.sides[1])
        for k, line in enumerate(reversed(lines)):
            brush.text((x0 + (j + 0.5) * w, y0 - 8 - 12 * k), line, _SMALL, ink, anchor="mm")
    for i, name in enumerate(grid.rows):
        ink = SOFT if grid.sides[0] is None else colour(grid.sides[0])
        lines = brush.halves(name, _SMALL, heads - 6)
        for k, line in enumerate(lines):
            y = y0 + (i + 0.5) * h + 12 * (k - (len(lines) - 1) / 2)
            brush.text((left, y), line, _SMALL, ink)
        for j, cell in enumerate(grid.cells[i]):
            brush.box((x0 + j * w, y0 + i * h), (w, h), edge=GRID)
            parts = [cell] if brush.width(cell, _SMALL) < w - 6 else cell.split(", ")
            for k, part in enumerate(parts):
                y = y0 + (i + 0.5) * h + 12 * (k - (len(parts) - 1) / 2)
                brush.text((x0 + (j + 0.5) * w, y), part, _SMALL, anchor="mm", width=w - 2)
    for i, j, seat in grid.chosen:
        brush.box((x0 + j * w, y0 + i * h), (w, h), edge=colour(seat), width=2.5)
        if not grid.cells[i][j]:
            brush.mark(seat, (x0 + (j + 0.5) * w, y0 + (i + 0.5) * h), min(w, h) / 4)


def _draw_rewards(brush: Brush, film: Film) -> None:
    left, right = 62.0, _WIDTH - _EDGE - (_LABELS if film.lines else 0)
    top, bottom = _MIDDLE + 22, _HEIGHT - 30.0
    several = getattr(film.game, "periods_per_round", 1) > 1
    title = "reward per period" + (", mean of a round" if several else "")
    brush.text((_EDGE, _MIDDLE + 6), title, _SMALL, SOFT)
    low, high = _limits(film)

    def height(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    for value in _ticks(low, high):
        brush.line([(left, height(value)), (right, height(value))], GRID)
        brush.text((left - 6, height(value)), f"{value:.4g}", _SMALL, SOFT, anchor="rm")
    for line in film.lines:
        ink, y = SOFT if line.seat is None else colour(line.seat), height(line.value)
        same = [o.seat for o in film.lines if abs(height(o.value) - y) < 1]
        drawn = [*dict.fromkeys(same)]
        brush.dashes((left, y), (right, y), ink, drawn.index(line.seat), len(drawn) + 1)
    _name_lines(brush, film.lines, height, right, (top, bottom))
    step = (right - left - 12) / (SHOWN - 1)
    at = [left + 6 + step * i for i in range(len(film.periods))]
    for (x0, before), (x1, after) in pairwise(zip(at, film.periods, strict=True)):
        if after.number == 1 and before.number > 1:
            brush.line([((x0 + x1) / 2, top), ((x0 + x1) / 2, bottom)], GRID)
    seats = len(film.game.agents)
    wider = min(2.0, 4.5 / max(seats - 1, 1))
    paths = [
        [
            (x, np.floor(height(period.rewards[seat])) + 0.5)
            for x, period in zip(at, film.periods, strict=True)
            if period.rewards
        ]
        for seat in range(seats)
    ]
    # The first seat's line is the widest, and all are centred between two rows of pixels, so
    # that equal lines show every seat's colour.
    for seat, points in enumerate(paths):
        if len(points) > 1:
            brush.line(points, colour(seat), 2 + wider * (seats - 1 - seat))
    for seat, points in enumerate(paths):
        if points:
            brush.mark(seat, points[-1], 4 + 0.8 * wider * (seats - 1 - seat))
    if film.periods:
        for x, period in ((at[0], film.periods[0]), (at[-1], film.periods[-1])):
            if x == at[0] or x > at[0] + 24:
                brush.text((x, bottom + 12), str(period.number), _SMALL, SOFT, anchor="mm")
    brush.text((right, bottom + 12), "period", _SMALL, SOFT, anchor="rm")


def _limits(film: Film) -> tuple[float, float]:
    """Return the ends of the axis of rewards."""
    values = [line.value for line in film.lines]
    values += [reward for period in film.periods for reward in period.rewards]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.06 * (high - low) or 0.5 * max(abs(high), 1e-3)
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    """Return three to seven round numbers between two."""
    raw = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(raw))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= raw)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [float(k * step) for k in range(first, last + 1)]


def _name_lines(
    brush: Brush, lines: tuple[Line, ...], height: Any, right: float, ends: tuple[float, float]
) -> None:
    """Write the names of benchmarks beside the plot, moved apart where they would overlap."""
    order = sorted(lines, key=lambda line: (height(line.value), line.seat or 0))
    gap = min(13.0, (ends[1] - ends[0]) / max(len(order) - 1, 1))
    places: list[float] = []
    for line in order:
        y = height(line.value)
        places.append(max(y, places[-1] + gap) if places else y)
    limit = ends[1]
    for i in reversed(range(len(places))):
        places[i] = min(places[i], limit)
        limit = places[i] - gap
    for line, y in zip(order, places, strict=True):
        ink = SOFT if line.seat is None else colour(line.seat)
        brush.line([(right, height(line.value)), (right + 12, y)], ink, 0.5)
        text, room = ", ".join(line.names), _LABELS - 16
        if len(line.names) > 1 and brush.width(text, _SMALL) > room:
            text = f"{line.names[0]} +{len(line.names) - 1}"
        brush.text((right + 15, y), text, _SMALL, ink, width=room)
