"""The benchmark of boxes: its rivals' boxes and its line, by hand."""

from typing import Any

import numpy as np
import pytest

from benchmarks.bench_p2b import sam_top1, told
from stages.tables.proposals import PROPOSALS
from stages.tables.table import rows_table


def proposal(number: int, kind: str, sure: float, **more: Any) -> dict[str, Any]:
    row = {"image_id": 1, "bag_id": 5, "proposal_id": number, "prompt_kind": kind}
    row |= {"prompt_id": 0, "mask_index": 0, "area": 4, "rle": b"0", "height": 9, "width": 9}
    row |= {"box": [number, 0.0, 9.0, 9.0], "predicted_iou": sure, "stability": 1.0, "valid": True}
    return {**row, **more}


def test_the_surest_mask_of_the_point_alone_stands_for_sam() -> None:
    rows = [
        proposal(0, "point", 0.5),
        proposal(1, "point", 0.7),
        proposal(2, "box", 0.9, prompt_id=1),
        proposal(3, "inner_points", 0.95, derived=0),
        proposal(0, "point", 0.1, bag_id=6),
    ]
    seen = sam_top1(rows_table(PROPOSALS, rows))
    assert {key: box.tolist() for key, box in seen.items()} == {
        (1, 5): [1, 0, 9, 9],
        (1, 6): [0, 0, 9, 9],
    }
    assert sam_top1(rows_table(PROPOSALS, [])) == {}


@pytest.mark.parametrize(
    ("boxes", "wanted"),
    [
        ([[0, 0, 10, 10]], "1.000  fits 1.000  small 1.000  large nan"),
        ([[0, 0, 10, 5], [0, 0, 100, 30]], "0.400  fits 0.500  small 0.500  large 0.300"),
    ],
    ids=len,
)
def test_a_line_tells_means_over_objects_by_size(boxes: Any, wanted: str) -> None:
    truth = np.array([[0.0, 0, 10, 10], [0.0, 0, 100, 100]])[: len(boxes)]
    assert told("cbp", np.array(boxes, float), truth) == f"{'cbp':12} {wanted}"
