"""Rows to padded bags: nothing is lost, nothing is mixed up, scaling and mirroring are exact."""

from typing import Any

import pyarrow as pa
import pytest
import torch

from stages.learning.bags import ImageBags, image_bags
from tests.bag_tables import CHOICES, LABELS, ROWS, images, label, labels, proposals, selections

ORDER = {10: 0, 20: 1, 30: 2}
FIRST = images().to_pylist()[0]


def of_first(table: pa.Table) -> pa.Table:
    return table.filter(pa.compute.equal(table.column("image_id"), 1))


def bags_of(
    rows: list[Any] = ROWS, known: pa.Table = LABELS, chosen: pa.Table | None = None
) -> ImageBags:
    cut = None if chosen is None else of_first(chosen)
    return image_bags(FIRST, of_first(known), of_first(proposals(rows)), cut, ORDER)


def test_bags_are_padded_and_padding_is_not_valid() -> None:
    bags = bags_of()
    assert bags.bag_ids == (5, 6)
    assert bags.lengths.tolist() == [3, 1]
    assert bags.valid.tolist() == [[True, False, True], [False, False, False]]
    assert bags.usable().tolist() == [True, False]
    assert bags.boxes[0, 2].tolist() == [2, 5, 12, 25]
    assert bags.boxes[1, 1:].abs().max() == 0
    assert bags.quality[0].tolist() == [0.5, 1.0, 0.0]
    assert bags.labels.tolist() == [2, 0]  # places in the order of the categories
    assert bags.points.tolist() == [[3, 4], [7, 8]]
    assert bags.size == (40, 100)


def test_the_centre_stands_in_for_the_point_of_a_box() -> None:
    mixed = labels(label(1, 5, "box", category_id=30), label(1, 6), label(1, 9, "mask"))
    assert bags_of(known=mixed).points.tolist() == [[20, 28], [3, 4]]


def test_choices_come_with_the_bags() -> None:
    bags = bags_of(chosen=selections(CHOICES))
    assert bags.chosen is not None
    assert bags.bag_scores is not None
    assert bags.chosen.tolist() == [2, 0]
    assert bags.bag_scores.tolist() == pytest.approx([0.7, 0.2])
    assert bags.scores is not None
    assert bags.scores.tolist() == [[0.25] * 3, [0.25, 0, 0]]
    assert bags.box_psm().tolist() == [[2, 5, 12, 25], [0, 6, 10, 26]]
    assert bags.guided_scores is not None
    assert bags.guided_scores.tolist() == pytest.approx([0.7, 0.2])  # nothing was learned here


def test_guided_scores_are_sums_of_the_factors_of_eq_3() -> None:
    table = selections(CHOICES)
    for name, value in (("score_cls", 0.5), ("score_ins", 0.25), ("score_dis", 0.9)):
        column = pa.array([value] * len(table), pa.float32())
        table = table.set_column(table.schema.get_field_index(name), name, column)
    guided = bags_of(chosen=table).guided_scores
    assert guided is not None
    assert guided.tolist() == pytest.approx([3 * 0.1125, 0.1125])


@pytest.mark.parametrize(
    "rows",
    [CHOICES[:3], [*CHOICES[:2], (1, 5, 3, True, 0.7), CHOICES[3]]],
    ids=["a bag is missing", "another slot"],
)
def test_choices_of_other_proposals_are_refused(rows: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"image 1: select's table is not about these proposals"):
        bags_of(chosen=selections(rows))


@pytest.mark.parametrize(
    "known",
    [
        labels(label(1, 5)),
        labels(label(1, 5), label(1, 6, status="deleted")),
        labels(label(1, 5), label(1, 6, "mask")),
    ],
    ids=["no label", "deleted", "a mask alone"],
)
def test_a_bag_without_a_label_of_its_own_is_refused(known: pa.Table) -> None:
    with pytest.raises(ValueError, match="image 1: there are proposals for bag 6"):
        bags_of(known=known)


def test_bags_without_choices_have_no_box_psm() -> None:
    with pytest.raises(RuntimeError, match="selections"):
        bags_of().box_psm()


@pytest.mark.parametrize("factor", [1.0, 0.5, 2.0])
def test_mirroring_twice_changes_nothing_and_scaling_is_linear(factor: float) -> None:
    bags = bags_of()
    once = bags.scaled(factor, flip=True)
    assert once.size == (40 * factor, 100 * factor)
    x0, y0, x1, y1 = bags.boxes[0, 2].tolist()
    wanted = [100 - x1, y0, 100 - x0, y1]
    assert once.boxes[0, 2].tolist() == pytest.approx([v * factor for v in wanted])
    assert once.points[0].tolist() == pytest.approx([97 * factor, 4 * factor])
    back = once.scaled(1 / factor, flip=True)
    torch.testing.assert_close(back.boxes[0], bags.boxes[0])
    torch.testing.assert_close(back.points, bags.points)
