"""The box itself as the mask."""

import numpy as np
import pytest

from stages.segmenters.filled import FilledBox

BOXES = [  # box, rows, columns that are filled
    ((2, 1, 5, 3), (1, 3), (2, 5)),
    ((2.2, 1.9, 4.1, 2.1), (1, 3), (2, 5)),  # pixels that are touched
    ((0, 0, 12, 10), (0, 10), (0, 12)),  # all of the image
    ((3, 4, 3, 4), (4, 5), (3, 4)),  # without an area: one pixel
    ((-5, -5, 40, 40), (0, 10), (0, 12)),
    ((20, 20, 30, 30), (9, 10), (11, 12)),  # beyond the image: the pixel that is closest
]


@pytest.mark.parametrize(("box", "rows", "columns"), BOXES)
def test_all_pixels_that_a_box_touches(
    box: tuple[float, ...], rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    filled = FilledBox()
    filled.embed(np.zeros((10, 12, 3), dtype=np.uint8))
    found, quality = filled.answer(np.float32(box))
    wanted = np.zeros((10, 12), dtype=bool)
    wanted[slice(*rows), slice(*columns)] = True
    np.testing.assert_array_equal(found > 0, wanted)
    assert quality == 1
