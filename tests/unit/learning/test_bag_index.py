"""Whole tables in memory: every image gets its own bags, and what is there is counted."""

import numpy as np
import pytest

from stages.learning.bag_index import BagIndex
from tests.bag_tables import CHOICES, LABELS, ROWS, images, label, labels, proposals, selections


def test_no_proposals_give_no_images() -> None:
    index = BagIndex(images(), labels(), proposals([]), [10])
    assert index.image_ids == []
    assert index.tally() == "0 images, 0 objects, 0 with empty masks only"


def test_every_image_gets_its_own_bags() -> None:
    chosen = selections(CHOICES)
    index = BagIndex(images(), LABELS, proposals(ROWS), [10, 20, 30], chosen)
    assert index.image_ids == [1, 2]
    assert index.bags(1).bag_ids == (5, 6)
    second = index.bags(2)
    assert second.bag_ids == (7,)
    assert second.labels.tolist() == [0]
    assert second.bag_scores is not None
    assert second.bag_scores.tolist() == [0.5]
    assert index.image(2)["file_name"] == "2.png"


def test_choices_of_other_images_are_refused() -> None:
    some = selections(CHOICES[:4])
    with pytest.raises(ValueError, match="not about these proposals"):
        BagIndex(images(), LABELS, proposals(ROWS), [10, 20, 30], some)


def test_large_tables_are_cut_quickly_and_rightly() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 12, 300)
    some = labels(*(label(1 + i // 100, i, x=i % 90, y=i % 30) for i in range(300)))
    rows = [(1 + i // 100, i, s, 0.5, True) for i, n in enumerate(counts) for s in range(n)]
    index = BagIndex(images(3), some, proposals(rows), [10])
    for image_id in (1, 2, 3):
        bags = index.bags(image_id)
        mine = counts[100 * (image_id - 1) : 100 * image_id]
        assert bags.lengths.tolist() == mine.tolist()
        assert bags.valid.sum() == mine.sum()
        assert (bags.boxes[bags.valid][:, 1] >= 100 * (image_id - 1)).all()
