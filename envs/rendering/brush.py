"""Lines, marks and text on a small picture, by Pillow, which is imported when one is begun."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .language import INK, colour, marker

SIZE = (640, 480)
"""Width and height of every picture, in pixels."""
_FINE = 2  # drawn at twice the size and averaged, so that edges are smooth
_DASH = 6.0  # length of a dash, as of a gap, pixels

Point = tuple[float, float]


def _pillow() -> Any:
    """Return Pillow's three modules that are used.

    Raises:
        ImportError: If Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise ImportError(
            "render_mode='rgb_array' needs Pillow: pip install \"stratagem[render]\""
        ) from error
    return Image, ImageDraw, ImageFont


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    return _pillow()[2].load_default(size * _FINE)


@lru_cache(maxsize=4096)
def _width(text: str, size: int) -> float:
    return float(_font(size).getlength(text)) / _FINE


class Brush:
    """Draws on a white picture; all lengths are pixels, from the upper left corner."""

    def __init__(self) -> None:
        image, draw, _ = _pillow()
        self._image = image.new("RGB", (SIZE[0] * _FINE, SIZE[1] * _FINE), "white")
        self._draw = draw.Draw(self._image)

    def pixels(self) -> NDArray[np.uint8]:
        """Return what was drawn, (height, width, 3)."""
        return np.array(self._image.reduce(_FINE), np.uint8)

    def width(self, text: str, size: int) -> float:
        """Return the width of a text."""
        return _width(text, size)

    def fitted(self, text: str, size: int, width: float) -> str:
        """Return a text that is no wider, cut with three dots if need be."""
        if self.width(text, size) <= width:
            return text
        while text and self.width(text.rstrip() + "...", size) > width:
            text = text[:-1]
        return text.rstrip() + "..."

    def halves(self, text: str, size: int, width: float) -> list[str]:
        """Return a text as one line if it is no wider, else as two, broken anywhere."""
        if self.width(text, size) <= width:
            return [text]
        cut = len(text)
        while cut > 1 and self.width(text[:cut], size) > width:
            cut -= 1
        return [text[:cut], self.fitted(text[cut:], size, width)]

    def wrapped(self, text: str, size: int, width: float, lines: int) -> list[str]:
        """Return a text as at most so many lines, the last one cut if need be."""
        found = [""]
        for word in text.split():
            longer = f"{found[-1]} {word}".strip()
            if found[-1] and len(found) < lines and self.width(longer, size) > width:
                found.append(word)
            else:
                found[-1] = longer
        return [self.fitted(line, size, width) for line in found]

    def text(
        self,
        at: Point,
        text: str,
        size: int,
        ink: str = INK,
        *,
        anchor: str = "lm",
        width: float | None = None,
    ) -> None:
        """Write one line; `anchor` is l, m or r, and t, m or b (Pillow's "a" is `t` here)."""
        text = text if width is None else self.fitted(text, size, width)
        place = (at[0] * _FINE, at[1] * _FINE)
        self._draw.text(place, text, fill=ink, font=_font(size), anchor=anchor.replace("t", "a"))

    def line(self, points: Sequence[Point], ink: str, width: float = 1) -> None:
        """Draw a line through points."""
        fine = [(x * _FINE, y * _FINE) for x, y in points]
        self._draw.line(fine, fill=ink, width=round(width * _FINE), joint="curve")

    def dashes(self, first: Point, last: Point, ink: str, part: int = 0, parts: int = 2) -> None:
        """Draw dashes as one of `parts` in turn, so that lines of other colours fit between."""
        ends = np.floor([first, last])  # whole pixels, so that dashes are crisp
        length = float(np.hypot(*(ends[1] - ends[0])))
        for start in np.arange(part * _DASH, length, parts * _DASH):
            shares = np.array([[start], [min(start + _DASH, length)]]) / max(length, 1e-9)
            dash = ends[0] + shares * (ends[1] - ends[0])
            self.line([(x, y) for x, y in dash.tolist()], ink)

    def box(
        self, corner: Point, size: Point, *, edge: str | None = None, fill: str | None = None,
        width: float = 1,
    ) -> None:  # fmt: skip
        """Draw a rectangle from its upper left corner."""
        (x, y), (w, h) = corner, size
        ends = (x * _FINE, y * _FINE, (x + w) * _FINE - 1, (y + h) * _FINE - 1)
        self._draw.rectangle(ends, fill=fill, outline=edge, width=round(width * _FINE))

    def mark(self, seat: int | None, at: Point, radius: float = 5) -> None:
        """Draw a seat's mark; a bar in the colour of text for nobody."""
        (x, y), r, ink = at, radius, colour(seat)
        shape = "|" if seat is None else marker(seat)
        if shape == "o":
            ends = tuple(v * _FINE for v in (x - r, y - r, x + r, y + r))
            self._draw.ellipse(ends, fill=ink)
            return
        s, t = 0.85 * r, 0.38 * r
        corners = {
            "s": ((-s, -s), (s, -s), (s, s), (-s, s)),
            "^": ((0, -r), (r, s), (-r, s)),
            "v": ((0, r), (r, -s), (-r, -s)),
            "D": ((0, -r), (r, 0), (0, r), (-r, 0)),
            "|": ((-t, -r), (t, -r), (t, r), (-t, r)),
            "P": (
                (-t, -r), (t, -r), (t, -t), (r, -t), (r, t), (t, t),
                (t, r), (-t, r), (-t, t), (-r, t), (-r, -t), (-t, -t),
            ),
        }[shape]  # fmt: skip
        self._draw.polygon([((x + a) * _FINE, (y + b) * _FINE) for a, b in corners], fill=ink)
