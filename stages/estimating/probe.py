"""The segmenter of a run, tried on a few images: seconds, bytes and memory, measured here."""

import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.segmenters.proposing import Proposer
from stages.segmenters.segmenter import Answered, Asked, Segmenter
from stages.settings.propose import Propose
from stages.tables.prompts import GRID, PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.table import rows_table, write_table
from stages.tables.weak_labels import TAG_BAG

GRID_SIDE = 4  # so many points along each side of a grid are tried
MIB = 1024  # of them are a KiB's multiple: what getrusage counts in


@dataclass(frozen=True, slots=True)
class Shown:
    """An image and what is asked about it.

    pixels : (height, width, 3) uint8 RGB. prompts : rows of table `prompts`, of image 0.
    """

    pixels: np.ndarray
    prompts: pa.Table


@dataclass(frozen=True, slots=True)
class Probed:
    """What was measured.

    images, questions : tried. look : s of a pass of the image encoder. question : s of a prompt,
    with all that becomes of its masks. bytes : of the answers about a question, on disk.
    memory : MiB, the most that the process held.
    """

    images: int
    questions: int
    look: float
    question: float
    bytes: float
    memory: float


class _Timed:
    """A segmenter, and how long its image encoder took, and what was asked."""

    def __init__(self, segmenter: Segmenter):
        self.segmenter = segmenter
        self.seconds, self.looks, self.questions = 0.0, 0, 0

    @property
    def side(self) -> int:
        """As the segmenter's."""
        return self.segmenter.side

    def embed(self, pixels: np.ndarray) -> None:
        """As the segmenter does, timed."""
        start = time.perf_counter()
        self.segmenter.embed(pixels)
        self.seconds += time.perf_counter() - start
        self.looks += 1

    def ask(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool = False
    ) -> Iterator[Answered]:
        """As the segmenter does, counted."""
        self.questions += len(prompts)
        return self.segmenter.ask(prompts, multimask=multimask, logits=logits)


def probed(
    segmenter: Callable[[], Segmenter], settings: Propose, shown: Sequence[Shown], *, seconds: float
) -> Probed | None:
    """Ask about each image as stage `propose` does; None where nothing is asked.

    The first image warms up, and counts only where no second one is tried.

    Parameters
    ----------
    segmenter : opens it. seconds : after so long no further image is tried.
    """
    timed = _Timed(segmenter())
    proposer = Proposer(timed, settings, seed=0)
    start, first, whole = time.perf_counter(), 0.0, 0.0
    tables: list[pa.Table] = []
    for number, image in enumerate(shown):
        if number == 1:
            timed.seconds, timed.looks, timed.questions, whole = 0.0, 0, 0, 0.0
            tables.clear()
        before = time.perf_counter()
        tables.append(proposer.rows(_row(image.pixels), image.pixels, image.prompts))
        whole += time.perf_counter() - before
        if time.perf_counter() - start + first > seconds:
            break
        first = whole if number == 0 else first
    return _measured(timed, whole, tables) if timed.looks and timed.questions else None


def _row(pixels: np.ndarray) -> dict[str, Any]:
    return {"image_id": 0, "height": pixels.shape[0], "width": pixels.shape[1]}


def _measured(timed: _Timed, whole: float, tables: Sequence[pa.Table]) -> Probed:
    return Probed(
        images=len(tables),
        questions=timed.questions,
        look=timed.seconds / timed.looks,
        question=max(whole - timed.seconds, 0.0) / timed.questions,
        bytes=sum(map(_size, tables)) / timed.questions,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB,
    )


def _size(table: pa.Table) -> int:
    """Bytes of the file that keeps the answers about an image."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.parquet"
        write_table(path, table, PROPOSALS, {})
        return path.stat().st_size


def grid_about(pixels: np.ndarray) -> list[tuple[float, float]]:
    """A few points over an image, which stand for all of a grid, or for peaks: x, y px."""
    height, width = pixels.shape[:2]
    at = [(number + 0.5) / GRID_SIDE for number in range(GRID_SIDE)]
    return [(x * width, y * height) for y in at for x in at]


def prompts_about(
    points: Sequence[tuple[float, float]],
    boxes: Sequence[tuple[float, float, float, float]],
    grid: Sequence[tuple[float, float]] = (),
) -> pa.Table:
    """Rows of table `prompts` of image 0: an object for each point and box, and some of a grid."""
    about = {"image_id": 0, "prompt_id": 0}
    rows: list[dict[str, Any]] = []
    if grid:
        signs = [1] * len(grid)
        asked = {"kind": GRID, "points": [list(at) for at in grid], "point_signs": signs}
        rows.append({**about, "bag_id": TAG_BAG, **asked})
    rows += [
        {**about, "bag_id": n, "kind": "point", "points": [list(at)], "point_signs": [1]}
        for n, at in enumerate(points, start=1)
    ]
    first = len(points) + 1
    rows += [
        {**about, "bag_id": n, "kind": "box", "box": list(box)}
        for n, box in enumerate(boxes, start=first)
    ]
    return rows_table(PROMPTS, rows)
