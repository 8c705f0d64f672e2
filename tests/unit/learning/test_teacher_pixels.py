"""What the teacher says of an image, against slow loops and by hand."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from stages.geometry.soft_masks import soft_of
from stages.learning.teacher_pixels import (
    TaughtObject,
    class_features,
    opened_teacher,
    sure_cells,
    taught_objects,
)
from stages.segmenters.on_demand import OnDemand
from stages.settings.propose import Propose
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import empty_table, rows_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.taught_set import HEIGHT, WIDTH, proposal, selection, unanswered

IMAGE = {"image_id": 1, "height": HEIGHT, "width": WIDTH}
BOXES = {5: [10.0, 6, 50, 46], 6: [40.5, 30.2, 88.3, 70.9], 7: [-9.0, 60, 20, 99]}


class Stripes:
    """Features that tell the cell: (3, down, across), of cells of so many px."""

    def __init__(self, stride: float):
        self.stride = stride

    def embed(self, pixels: np.ndarray) -> None:
        """Nothing to look at."""

    def mask_features(self) -> np.ndarray:
        """Row, column and 1 of each cell."""
        down, across = int(-(-HEIGHT // self.stride)), int(-(-WIDTH // self.stride))
        rows, columns = np.mgrid[0:down, 0:across].astype(np.float32)
        return np.stack([rows, columns, np.ones_like(rows)])


def labels(kinds: dict[int, str] | None = None) -> pa.Table:
    rows = []
    for number, box in BOXES.items():
        kind = (kinds or {}).get(number, "box")
        row = {"image_id": 1, "label_id": number, "instance_id": number, "bag_id": number}
        row |= {"category_id": 20 if number == 6 else 10, "status": "given", "kind": kind}
        rows.append({**row, "box": box} if kind == "box" else {**row, "x": 20.0, "y": 20.0})
    return rows_table(WEAK_LABELS, rows)


def tables(**changes: dict[str, Any]) -> tuple[pa.Table, pa.Table]:
    """Proposals and selections; `changes` of rows, by names such as bag_5."""
    rows = [
        {**proposal(1, number, box), **changes.get(f"bag_{number}", {})}
        for number, box in BOXES.items()
    ]
    found = rows_table(PROPOSALS, rows)
    return found, rows_table(SELECTIONS, [selection(row) for row in rows])


def test_no_proposal_no_object() -> None:
    nothing = empty_table(PROPOSALS), empty_table(SELECTIONS)
    assert taught_objects(IMAGE, labels(), *nothing) == []
    assert class_features([], Stripes(4.0), sure=0.7) == {}


def test_objects_know_their_box_and_its_probabilities() -> None:
    found = taught_objects(IMAGE, labels(), *tables())
    assert [(one.bag_id, one.category_id, one.given) for one in found] == [
        (5, 10, True),
        (6, 20, True),
        (7, 10, True),
    ]
    assert found[1].part == (slice(30, 71), slice(40, 89))  # all pixels that the box touches
    assert found[2].part == (slice(60, 74), slice(0, 20))  # cut at the image's border
    for one in found:
        assert one.chances.shape == tuple(part.stop - part.start for part in one.part)
        assert one.chances.max() > 0.7
    middle = found[0].chances[20, 20]
    assert middle == pytest.approx(1, abs=0.02)


def test_of_several_proposals_the_selected_one_counts() -> None:
    rows = [proposal(1, 5, BOXES[5]), {**proposal(1, 5, BOXES[6]), "proposal_id": 1}]
    scores = [{**selection(row), "selected": row["proposal_id"] == 1} for row in rows]
    both = rows_table(PROPOSALS, rows), rows_table(SELECTIONS, scores)
    (one,) = taught_objects(IMAGE, labels(), *both)
    assert one.proposal["proposal_id"] == 1


def test_where_the_teacher_found_nothing_it_says_0() -> None:
    found = taught_objects(IMAGE, labels(), *tables(bag_5=unanswered(proposal(1, 5, BOXES[5]))))
    assert not found[0].chances.any()
    assert found[0].box.tolist() == BOXES[5]
    assert set(class_features(found, Stripes(4.0), sure=0.7)) == {10, 20}


def test_a_point_has_the_box_of_its_mask() -> None:
    found = taught_objects(IMAGE, labels({5: "point"}), *tables())
    assert (found[0].given, found[1].given) == (False, True)
    assert found[0].box.tolist() == found[0].proposal["box"]


def test_tables_of_other_runs_are_refused() -> None:
    proposals, scores = tables()
    with pytest.raises(ValueError, match="image 1: select's table is not about"):
        taught_objects(IMAGE, labels(), proposals, scores.slice(1))
    with pytest.raises(ValueError, match="bag 5, which has no box"):
        taught_objects(IMAGE, labels().slice(1), proposals, scores)


def test_masks_without_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match=r"column soft.*Set propose\.segmenter: sim"):
        taught_objects(IMAGE, labels(), *tables(bag_6={"soft": None}))
    strange = soft_of(np.zeros((HEIGHT, WIDTH)), np.array([0, 0, 3, 3]))
    with pytest.raises(ValueError, match=r"image 1: bag 6: the soft mask is not of.*-R propose"):
        taught_objects(IMAGE, labels(), *tables(bag_6={"soft": strange}))


def slow_cells(one: TaughtObject, stride: float) -> Iterator[tuple[int, int]]:
    """Cells whose centre pixel lies in the part and is sure, one after the other."""
    for row in range(200):
        for column in range(200):
            y, x = int((row + 0.5) * stride), int((column + 0.5) * stride)
            inside = one.part[0].start <= y < one.part[0].stop
            inside &= one.part[1].start <= x < one.part[1].stop
            if inside and one.chances[y - one.part[0].start, x - one.part[1].start] > 0.7:
                yield row, column


@pytest.mark.parametrize("stride", [1.0, 4.0, 8.0, 2.5, 40.0])
def test_sure_cells_are_those_of_a_loop(stride: float) -> None:
    size = Stripes(stride).mask_features().shape[1:]
    for one in taught_objects(IMAGE, labels(), *tables()):
        rows, columns = sure_cells(one, size, stride, sure=0.7)
        seen = list(zip(rows.tolist(), columns.tolist(), strict=True))
        assert seen == list(slow_cells(one, stride))


def test_features_of_a_class_are_those_of_its_cells_once_for_each_object() -> None:
    found = taught_objects(IMAGE, labels(), *tables())
    seen = class_features(found, Stripes(4.0), sure=0.7)
    assert list(seen) == [10, 20]
    wanted = []
    for one in (found[0], found[2]):
        for row, column in slow_cells(one, 4.0):
            length = (row**2 + column**2 + 1) ** 0.5
            wanted.append([row / length, column / length, 1 / length])
    np.testing.assert_allclose(seen[10], wanted, rtol=1e-5)
    assert len(class_features([found[1], found[1]], Stripes(4.0), sure=0.7)[20]) == 2 * len(
        seen[20]
    )


def test_a_segmenter_without_features_is_no_teacher() -> None:
    segmenter = OnDemand(Propose(segmenter="filled"), lambda: torch.device("cpu"))
    with pytest.raises(ValueError, match=r"filled has none of\. Set propose\.segmenter: sim"):
        opened_teacher(segmenter)
