"""Tables to padded bags: nothing is lost, nothing is mixed up, scaling and mirroring are exact."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from stages.learning.bags import BagIndex
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import table_of
from stages.tables.weak_labels import WEAK_LABELS


def images(count: int = 2) -> pa.Table:
    ids = list(range(1, count + 1))
    names = [f"{i}.png" for i in ids]
    rows = {"image_id": ids, "file_name": names, "height": [40] * count, "width": [100] * count}
    return table_of(IMAGES, {**rows, "shard": [0] * count})


def labels(rows: list[tuple[int, int, int, float, float]]) -> pa.Table:
    image, instance, category, x, y = zip(*rows, strict=True) if rows else ((),) * 5
    columns: dict[str, Any] = {"image_id": image, "instance_id": instance, "category_id": category}
    rest = {"kind": ["point"] * len(rows), "x": x, "y": y, "box": [None] * len(rows)}
    return table_of(WEAK_LABELS, {**columns, **rest})


def proposals(rows: list[tuple[int, int, int, float, bool]]) -> pa.Table:
    """Rows (image, instance, slot, score, valid); the box tells instance and slot."""
    table = [
        {
            "image_id": image,
            "instance_id": instance,
            "proposal_id": slot,
            "prompt_kind": "point",
            "prompt_index": 0,
            "mask_index": slot,
            "box": [slot, instance, slot + 10, instance + 20],
            "area": 9,
            "rle": b"",
            "height": 40,
            "width": 100,
            "sam_score": score,
            "stability": 1.0,
            "valid": valid,
        }
        for image, instance, slot, score, valid in rows
    ]
    return pa.Table.from_pylist(table, PROPOSALS.schema)


def selections(rows: list[tuple[int, int, int, bool, float]]) -> pa.Table:
    table = [
        {
            "image_id": image,
            "instance_id": instance,
            "proposal_id": slot,
            "score_cls": 0.5,
            "score_ins": 0.5,
            "score_dis": 1.0,
            "score": 0.25,
            "selected": selected,
            "bag_score": score,
        }
        for image, instance, slot, selected, score in rows
    ]
    return pa.Table.from_pylist(table, SELECTIONS.schema)


LABELS = labels([(1, 5, 30, 3.0, 4.0), (1, 6, 10, 7.0, 8.0), (2, 7, 10, 1.0, 1.0)])
ROWS = [
    (1, 5, 0, 0.5, True),
    (1, 5, 1, 1.5, False),
    (1, 5, 2, -1.0, True),
    (1, 6, 0, 0.9, False),
    (2, 7, 0, 0.8, True),
]


def test_no_proposals_give_no_images() -> None:
    index = BagIndex(images(), labels([]), proposals([]), [10])
    assert index.image_ids == []
    assert index.tally([1, 2]).startswith("2 images, 0 instances, 0 without proposals, 0 with")


def test_bags_are_padded_and_padding_is_not_valid() -> None:
    bags = BagIndex(images(), LABELS, proposals(ROWS), [10, 20, 30]).bags(1)
    assert bags.instance_ids == (5, 6)
    assert bags.lengths.tolist() == [3, 1]
    assert bags.valid.tolist() == [[True, False, True], [False, False, False]]
    assert bags.usable().tolist() == [True, False]
    assert bags.boxes[0, 2].tolist() == [2, 5, 12, 25]
    assert bags.boxes[1, 1:].abs().max() == 0
    assert bags.quality[0].tolist() == [0.5, 1.0, 0.0]
    assert bags.labels.tolist() == [2, 0]  # places in the order of the categories
    assert bags.points.tolist() == [[3, 4], [7, 8]]
    assert bags.size == (40, 100)


def test_every_image_gets_its_own_bags() -> None:
    index = BagIndex(images(), LABELS, proposals(ROWS), [10, 20, 30])
    assert index.image_ids == [1, 2]
    assert index.bags(2).instance_ids == (7,)
    assert index.file_name(2) == "2.png"


def test_tally_counts_what_lacks_proposals() -> None:
    some = labels([(1, 4, 10, 0, 0), (1, 5, 30, 3, 4), (1, 6, 10, 7, 8), (2, 7, 10, 1, 1)])
    index = BagIndex(images(), some, proposals(ROWS), [10, 20, 30])
    wanted = "2 images, 4 instances, 1 without proposals, 1 with empty masks only"
    assert index.tally([1, 2]) == wanted
    assert index.tally([2]).startswith("1 images, 1 instances, 0 without proposals, 0 with")


def test_choices_come_with_the_bags() -> None:
    chosen = selections(
        [
            (1, 5, 0, False, 0.7),
            (1, 5, 1, False, 0.7),
            (1, 5, 2, True, 0.7),
            (1, 6, 0, True, 0.2),
            (2, 7, 0, True, 0.5),
        ]
    )
    bags = BagIndex(images(), LABELS, proposals(ROWS), [10, 20, 30], chosen).bags(1)
    assert bags.chosen is not None
    assert bags.bag_scores is not None
    assert bags.chosen.tolist() == [2, 0]
    assert bags.bag_scores.tolist() == pytest.approx([0.7, 0.2])
    assert bags.scores is not None
    assert bags.scores.tolist() == [[0.25] * 3, [0.25, 0, 0]]
    assert bags.box_psm().tolist() == [[2, 5, 12, 25], [0, 6, 10, 26]]


def test_choices_of_other_proposals_are_refused() -> None:
    with pytest.raises(ValueError, match="not about these proposals"):
        BagIndex(images(), LABELS, proposals(ROWS), [10, 20, 30], selections([(1, 5, 0, True, 1)]))


def test_bags_without_choices_have_no_box_psm() -> None:
    bags = BagIndex(images(), LABELS, proposals(ROWS), [10, 20, 30]).bags(1)
    with pytest.raises(RuntimeError, match="selections"):
        bags.box_psm()


@pytest.mark.parametrize("factor", [1.0, 0.5, 2.0])
def test_mirroring_twice_changes_nothing_and_scaling_is_linear(factor: float) -> None:
    bags = BagIndex(images(), LABELS, proposals(ROWS), [10, 20, 30]).bags(1)
    once = bags.scaled(factor, flip=True)
    assert once.size == (40 * factor, 100 * factor)
    x0, y0, x1, y1 = bags.boxes[0, 2].tolist()
    wanted = [100 - x1, y0, 100 - x0, y1]
    assert once.boxes[0, 2].tolist() == pytest.approx([v * factor for v in wanted])
    assert once.points[0].tolist() == pytest.approx([97 * factor, 4 * factor])
    back = once.scaled(1 / factor, flip=True)
    torch.testing.assert_close(back.boxes[0], bags.boxes[0])
    torch.testing.assert_close(back.points, bags.points)


def test_large_tables_are_cut_quickly_and_rightly() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 12, 300)
    some = labels([(1 + i // 100, i, 10, i % 90, i % 30) for i in range(300)])
    rows = [(1 + i // 100, i, s, 0.5, True) for i, n in enumerate(counts) for s in range(n)]
    index = BagIndex(images(3), some, proposals(rows), [10])
    for image_id in (1, 2, 3):
        bags = index.bags(image_id)
        mine = counts[100 * (image_id - 1) : 100 * image_id]
        assert bags.lengths.tolist() == mine.tolist()
        assert bags.valid.sum() == mine.sum()
        assert (bags.boxes[bags.valid][:, 1] >= 100 * (image_id - 1)).all()
