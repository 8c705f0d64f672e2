from typing import Any

import numpy as np
import pytest

from stages.labels.annotation import shape_of
from tests.pseudo_labels import pseudo_label, rectangle_mask

SIZE = 20, 30
STAND_IN = {"stand_in": np.array([1, 2, 7.25, 9.5], dtype=np.float32)}


@pytest.mark.parametrize(
    ("boxes", "more", "bbox", "area"),
    [
        ([], {}, [1, 2, 6.25, 7.5], 46.88),
        ([(3, 4, 8, 6)], {}, [3, 4, 5, 2], 10),
        ([(3, 4, 4, 5), (7, 5, 8, 6)], {}, [3, 4, 5, 2], 2),
        ([(3, 4, 8, 6)], {"mask_weight": 0.5}, [3, 4, 5, 2], 10),
        ([(3, 4, 8, 6)], {"mask_weight": 0.0}, [1, 2, 6.25, 7.5], 46.88),
    ],
    ids=["no pixels", "trusted", "in two pieces", "trusted by half", "not trusted"],
)
def test_a_trusted_mask_gives_box_and_area_else_the_box_that_stands_in(
    boxes: list[tuple[int, ...]], more: dict[str, Any], bbox: list[float], area: float
) -> None:
    label = pseudo_label(0, rectangle_mask(SIZE, *boxes), **STAND_IN, **more)
    shape = shape_of(label)
    assert shape["bbox"] == bbox
    assert shape["area"] == pytest.approx(area)
    assert shape["mask_weight"] == label.mask_weight
    assert shape["segmentation"] == {"size": [20, 30], "counts": label.rle["counts"].decode()}
