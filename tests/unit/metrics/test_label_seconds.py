"""Seconds that labels cost, against the sums of the paper that they come from, and by hand."""

import pytest

from stages.metrics.label_seconds import label_counts, outline_counts, seconds_of

SECONDS = {"tag": 1.0, "first_point": 2.4, "point": 0.9, "box": 7.0, "mask": 79.0}
# 10 images of VOC's average: 1.5 of 20 classes, 2.8 objects
VOC = [(image, 1, at) for image in range(10) for at in range(2)]
VOC += [(image, 2, 0) for image in range(5)] + [(image, 2, 1) for image in range(3)]


def _labels(kind: str, *, first_alone: bool = False) -> list[tuple[int, int, str]]:
    return [(image, category, kind) for image, category, at in VOC if not (first_alone and at)]


@pytest.mark.parametrize(
    ("labels", "seconds"),
    [
        ([], 20.0),
        (_labels("tag"), 20.0),
        (_labels("point", first_alone=True), 22.1),
        (_labels("point"), 23.27),  # the paper prints 23.3
        (_labels("box"), 18.5 + 2.8 * 7),
        (_labels("mask"), 239.7),
    ],
    ids=["none", "tags", "a point of each class", "points", "boxes", "masks"],
)
def test_the_papers_sums_of_voc(labels: list[tuple[int, int, str]], seconds: float) -> None:
    counts = label_counts(labels, images=10, classes=20)
    assert seconds_of(counts, SECONDS, images=10) == pytest.approx(seconds)


def test_masks_among_points_are_counted_as_masks() -> None:
    labels = [(1, 3, "point"), (1, 3, "mask"), (1, 3, "point"), (1, 4, "mask"), (2, 3, "point")]
    counts = label_counts(labels, images=3, classes=2)
    assert counts == {"tag": 6 - 3, "first_point": 2, "point": 1, "box": 0, "mask": 2}
    assert seconds_of(counts, SECONDS, images=3) == pytest.approx((3 + 4.8 + 0.9 + 158) / 3)


@pytest.mark.parametrize("kind", ["tag", "point"])
def test_outlines_are_counted_by_their_number_and_classes_by_any_label(kind: str) -> None:
    counts = outline_counts(_labels(kind), 28, images=10, classes=20)
    assert seconds_of(counts, SECONDS, images=10) == pytest.approx(239.7)
    assert (counts["point"], counts["first_point"]) == (0, 0)


def test_tables_of_different_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="3 classes are labelled in 1 images, but there are 2"):
        label_counts([(1, n, "box") for n in range(3)], images=1, classes=2)
