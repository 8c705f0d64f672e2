"""Part, too large or other: cases drawn by hand, the same for boxes and masks."""

import numpy as np
import pytest

from stages.geometry.masks import Rle, masks_to_rles
from stages.metrics.misfits import box_misfit, mask_misfit

OBJECT = (10, 10, 30, 30)  # 400 px
CASES = {  # box, true objects, kind
    "no object": ((10, 10, 20, 20), [], "other"),
    "elsewhere": ((60, 60, 70, 70), [OBJECT], "other"),
    "a quarter": ((10, 10, 20, 20), [OBJECT], "part"),
    "a part that hangs over": ((5, 10, 20, 20), [OBJECT], "part"),  # 100 of 150 inside
    "half inside": ((0, 10, 20, 20), [OBJECT], "other"),  # 100 of 200
    "all of it and more": ((0, 0, 40, 40), [OBJECT], "too_large"),
    "most of it and more": ((10, 10, 25, 60), [OBJECT], "too_large"),  # 300 of 400
    "little of it and more": ((10, 25, 30, 60), [OBJECT], "other"),  # 100 of 700
    "the nearest decides": ((12, 12, 20, 20), [OBJECT, (12, 12, 60, 60)], "part"),
    "two small ones in a large box": ((0, 0, 60, 60), [OBJECT, (50, 50, 59, 59)], "too_large"),
}


def mask(box: tuple[int, ...]) -> Rle:
    pixels = np.zeros((1, 80, 80), dtype=np.uint8)
    pixels[0, box[1] : box[3], box[0] : box[2]] = 1
    return masks_to_rles(pixels)[0]


@pytest.mark.parametrize(("box", "objects", "kind"), CASES.values(), ids=CASES.keys())
def test_the_kind_of_a_miss(
    box: tuple[int, ...], objects: list[tuple[int, ...]], kind: str
) -> None:
    goals = np.array(objects, dtype=np.float64).reshape(-1, 4)
    assert box_misfit(np.array(box, dtype=np.float64), goals) == kind
    assert mask_misfit(mask(box), [mask(other) for other in objects]) == kind


def test_what_has_no_area_is_other() -> None:
    assert box_misfit(np.zeros(4), np.array([OBJECT], dtype=np.float64)) == "other"
    assert mask_misfit(mask((0, 0, 0, 0)), [mask(OBJECT)]) == "other"
