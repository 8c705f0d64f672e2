"""What the pictures of numbers share: the canvas, and numbers and names as they stand on it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.runtime.atomic import replacing

DPI = 100
LONGEST = 28  # letters of a name


@contextmanager
def canvas(out: Path, size: tuple[float, float]) -> Iterator[Figure]:
    """A figure of (width, height) inches; written to `out` as PNG when the block ends.

    Equal figures give equal bytes.
    """
    with mpl.rc_context({"text.parse_math": False, "font.size": 11}):  # names are no formulas
        figure = Figure(figsize=size, dpi=DPI)
        yield figure
        with replacing(out) as temporary:
            figure.savefig(temporary, format="png", metadata={"Software": None})


def plain(axis: Axes, *, grid: Literal["x", "y"], shade: str) -> None:
    """Take the frame off above and at the right; grid lines along "x" or "y", behind the rest."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis=grid, color=shade)
    axis.set_axisbelow(True)


def floats(values: Iterable[float | None]) -> np.ndarray:
    """(n,) float64, NaN for None."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def percent(values: Iterable[float | None]) -> np.ndarray:
    """(n,) float64 in %, NaN for None."""
    return np.asarray(100 * floats(values))


def short_name(name: str) -> str:
    """A name on one line, cut where it is too long for the margin."""
    text = " ".join(name.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
