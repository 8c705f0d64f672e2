"""A row of table pseudo_labels as transforms take it."""

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles
from stages.labels.pseudo_label import pseudo_label_of
from tests.sound_rows import BOX, pseudo_label_row

EMPTY = masks_to_rles(np.zeros((1, 4, 6), dtype=np.uint8))[0]["counts"]


@pytest.mark.parametrize(
    ("changes", "weight", "box"),
    [
        ({}, 1, [0, 0, 6, 4]),
        ({"mask_weight": 0.5}, 0.5, [0, 0, 6, 4]),
        ({"mask_weight": 0.0}, 0, BOX),
        ({"rle": EMPTY}, 0, BOX),
        ({"rle": EMPTY, "box": [-1.0, 1.0, 9.0, 3.0]}, 0, [0, 1, 6, 3]),
        ({"box_given": True}, 1, BOX),
        ({"box_given": True, "box": [-1.0, 1.0, 9.0, 3.0]}, 1, [0, 1, 6, 3]),
        ({"box_given": True, "rle": EMPTY}, 0, BOX),
    ],
    ids=[
        "a mask",
        "half trusted",
        "not trusted",
        "empty",
        "empty, its box over the border",
        "a given box",
        "a given box over the border",
        "a given box without a mask",
    ],
)
def test_the_box_to_train_is_the_given_one_else_that_of_a_trusted_mask(
    changes: dict[str, object], weight: float, box: list[float]
) -> None:
    label = pseudo_label_of(pseudo_label_row(**changes))
    assert label.mask_weight == weight
    assert (label.untrusted is None) == (weight > 0)
    assert label.trained_box.tolist() == box


def test_scores_are_those_that_are_written() -> None:
    assert pseudo_label_of(pseudo_label_row(score=float(np.float32(0.7)))).score == 0.7


def test_only_a_given_box_is_a_given_box() -> None:
    assert pseudo_label_of(pseudo_label_row()).given is None
    given = pseudo_label_of(pseudo_label_row(box_given=True)).given
    assert given is not None
    assert given.tolist() == BOX


def test_ignored_pixels_are_there_where_the_row_has_them() -> None:
    row = pseudo_label_row()
    assert pseudo_label_of(row).ignored is None
    del row["ignore_rle"]  # as where labels are scored
    assert pseudo_label_of(row).ignored is None
    found = pseudo_label_of(pseudo_label_row(ignore_rle=EMPTY))
    assert found.ignored == {"size": [4, 6], "counts": EMPTY}
