"""The ellipse that a box holds, against its equation, pixel by pixel."""

import numpy as np
import pytest

from stages.segmenters.ellipse import Ellipse

SIDES = [(1, 1), (1, 7), (2, 2), (2, 3), (5, 4), (40, 30)]  # width, height


def ellipse(width: int, height: int) -> np.ndarray:
    asker = Ellipse()
    asker.embed(np.zeros((50, 60, 3), dtype=np.uint8))
    found, _ = asker.answer(np.float32([10, 5, 10 + width, 5 + height]))
    return found > 0


@pytest.mark.parametrize(("width", "height"), SIDES)
def test_pixels_whose_centre_lies_inside(width: int, height: int) -> None:
    wanted = np.zeros((50, 60), dtype=bool)
    for y in range(50):
        for x in range(60):
            across = (x + 0.5 - 10 - width / 2) / (width / 2)
            down = (y + 0.5 - 5 - height / 2) / (height / 2)
            wanted[y, x] = across**2 + down**2 <= 1 + 1e-12
    assert wanted.any()
    np.testing.assert_array_equal(ellipse(width, height), wanted)


def test_it_covers_a_quarter_of_pi_of_a_large_box() -> None:
    assert ellipse(40, 30).sum() / (40 * 30) == pytest.approx(np.pi / 4, abs=0.01)
