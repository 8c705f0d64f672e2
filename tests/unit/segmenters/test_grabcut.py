"""GrabCut: it cuts by colour, says the same each time, and never nothing."""

from typing import Any

import cv2
import numpy as np
import pytest

from stages.segmenters.grabcut import Grabcut, cut_out
from stages.segmenters.segmenter import Asked
from stages.settings.segmenters.grabcut import Settings

BOX = (20, 10, 44, 34)


def disc(*, noise: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """A noisy red disc on green, (48, 64, 3), and its mask."""
    y, x = np.mgrid[:48, :64] + 0.5
    mask = (x - 32) ** 2 + (y - 22) ** 2 <= 12**2
    image = np.where(mask[..., None], (200, 60, 60), (60, 180, 70))
    drawn = image + np.random.default_rng(0).integers(-noise, noise + 1, image.shape)
    return drawn.astype(np.uint8), mask


def answer(image: np.ndarray, box: Any = BOX, **values: Any) -> np.ndarray:
    asker = Grabcut(Settings(**values))
    asker.embed(image)
    found, quality = asker.answer(np.float32(box))
    assert quality == 1
    return found > 0


@pytest.mark.parametrize("values", [{}, {"core": 0.4}, {"window": 3.0}, {"iterations": 1}])
def test_a_disc_is_cut_out_of_its_box(values: dict[str, Any]) -> None:
    image, mask = disc()
    seen = answer(image, **values)
    assert (seen & mask).sum() / (seen | mask).sum() > 0.97


def test_nothing_outside_the_box_is_ever_seen() -> None:
    image, _ = disc()
    seen = answer(image, (26, 10, 44, 34))
    assert not seen[:, :26].any()
    assert seen[:, 30:].any()


def test_the_core_is_always_kept() -> None:
    image, _ = disc()
    seen = answer(image, (2, 2, 16, 46), core=0.5)  # nothing of the disc: one colour
    assert seen[13:35, 6:12].all()


ALL_OF_IT = [  # box of an image of one colour, or that leaves no background
    (0, 0, 64, 48),
    (0, 0, 1, 1),
    (30, 20, 31, 21),
    (63, 47, 64, 48),
]


@pytest.mark.parametrize("box", ALL_OF_IT)
def test_what_colour_cannot_tell_is_the_filled_box(box: tuple[int, ...]) -> None:
    seen = answer(np.full((48, 64, 3), 90, dtype=np.uint8), box)
    x0, y0, x1, y1 = box
    assert seen[y0:y1, x0:x1].all()
    assert seen.sum() == (x1 - x0) * (y1 - y0)


def test_where_nothing_is_left_the_box_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    given = np.full((6, 6), cv2.GC_BGD, dtype=np.uint8)
    given[2:4, 2:4] = cv2.GC_PR_FGD
    emptied = np.full((6, 6), cv2.GC_PR_BGD, dtype=np.uint8)
    monkeypatch.setattr(cv2, "grabCut", lambda *_: (emptied, None, None))
    seen = cut_out(np.zeros((6, 6, 3), np.uint8), given, iterations=1)
    np.testing.assert_array_equal(seen, given == cv2.GC_PR_FGD)


def test_an_answer_does_not_depend_on_those_before_it() -> None:
    image, _ = disc(noise=60)
    asker = Grabcut(Settings())
    asker.embed(image)
    boxes = [np.float32(box) for box in (BOX, (5, 5, 30, 30), (30, 15, 60, 45))]
    prompts = [Asked(None, None, box) for box in boxes]
    there = [one.masks for one in asker.ask(prompts, multimask=False)]
    back = [one.masks for one in asker.ask(prompts[::-1], multimask=False)]
    np.testing.assert_array_equal(there, back[::-1])
