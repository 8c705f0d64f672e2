"""A segmenter tried on a few images: what is counted, and what the first image is for."""

import time
from collections.abc import Iterator, Sequence

import numpy as np

from stages.estimating.probe import Shown, grid_about, probed, prompts_about
from stages.segmenters.segmenter import Answered, Asked
from stages.settings.propose import Propose
from stages.tables.prompts import PROMPTS
from stages.tables.table import checked

LOOK = 0.02  # s


class Slow:
    """Answers each prompt with the left half of the image."""

    side = 32

    def __init__(self) -> None:
        self.looked = 0

    def embed(self, pixels: np.ndarray) -> None:
        self.shape = pixels.shape[:2]
        self.looked += 1
        time.sleep(LOOK)

    def ask(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool = False
    ) -> Iterator[Answered]:
        mask = np.zeros(self.shape, dtype=bool)
        mask[:, : self.shape[1] // 2] = True
        slots = 3 if multimask else 1
        for _ in prompts:
            ones = np.ones(slots, dtype=np.float32)
            yield Answered(None, np.stack([mask] * slots), ones, ones)


def _shown(count: int) -> list[Shown]:
    pixels = np.zeros((32, 40, 3), dtype=np.uint8)
    return [Shown(pixels, prompts_about([(5.0, 5.0), (9.0, 9.0)], []))] * count


def test_nothing_is_measured_of_nothing() -> None:
    slow = Slow()
    assert probed(lambda: slow, Propose(), [], seconds=9) is None
    empty = Shown(np.zeros((8, 8, 3), np.uint8), prompts_about([], []))
    assert probed(lambda: slow, Propose(), [empty], seconds=9) is None
    assert slow.looked == 0


def test_the_first_image_warms_up() -> None:
    slow = Slow()
    found = probed(lambda: slow, Propose(), _shown(4), seconds=60)
    assert found is not None
    assert slow.looked == 4
    settings = Propose()
    derived = sum(getattr(entry, "count", 1) for entry in settings.prompts)
    assert (found.images, found.questions) == (3, 3 * 2 * derived)
    assert LOOK <= found.look < 10 * LOOK
    assert found.question > 0
    assert found.bytes > 0
    assert found.memory > 10  # MiB


def test_a_single_image_counts_itself_when_time_is_up() -> None:
    slow = Slow()
    found = probed(lambda: slow, Propose(), _shown(4), seconds=1e-6)
    assert found is not None
    assert (slow.looked, found.images) == (1, 1)


def test_prompts_are_rows_of_their_table() -> None:
    pixels = np.zeros((8, 16, 3), dtype=np.uint8)
    grid = grid_about(pixels)
    table = prompts_about([(1.0, 2.0)], [(0.0, 0.0, 4.0, 4.0)], grid)
    assert checked(table, PROMPTS, "here").num_rows == 3
    assert len(grid) == 16
    assert all(0 < x < 16 and 0 < y < 8 for x, y in grid)
