from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stages.geometry.boxes import box_area
from stages.geometry.masks import masks_to_rles, rles_to_masks
from stages.labels.merge_smaller import NOBODY, merge_smaller, owner_map
from stages.labels.pseudo_label import PseudoLabel
from stages.partworld.scenes import render_scene
from tests.pseudo_labels import GOLDEN, golden_labels, masks_of, pseudo_label, rectangle_mask

CASE = GOLDEN["merge_smaller_object_better"]
SIZE = 20, 30


def random_labels(seed: int, *, given: bool) -> list[PseudoLabel]:
    """Up to twelve ragged masks that overlap a lot; some have no pixel."""
    rng = np.random.default_rng(seed)
    labels = []
    for number in range(int(rng.integers(2, 13))):
        x, y = int(rng.integers(0, 25)), int(rng.integers(0, 15))
        box = x, y, x + int(rng.integers(1, 16)), y + int(rng.integers(1, 12))
        mask = rectangle_mask(SIZE, box) & (
            rng.random(SIZE) < rng.choice([0, 0.3, 1], p=[0.1, 0.4, 0.5])
        )
        labels.append(pseudo_label(number, mask, box if given else None))
    return labels


def painted(labels: list[PseudoLabel]) -> np.ndarray:
    """The slow way: a pixel asks each mask, and takes the smallest box; the first one of equals."""
    masks, areas = masks_of(labels), [float(box_area(label.own_box)) for label in labels]
    owners = np.full(SIZE, NOBODY)
    for y, x in np.argwhere(masks.any(axis=0)):
        claims = np.flatnonzero(masks[:, y, x])
        owners[y, x] = min(claims, key=lambda number: (areas[number], number))
    return owners


def test_no_labels_stay_none() -> None:
    assert merge_smaller([]) == []


def test_a_label_alone_is_returned_as_it_is() -> None:
    labels = [pseudo_label(4, rectangle_mask(SIZE, (1, 2, 5, 6)))]
    assert merge_smaller(labels) == labels


def test_the_golden_masks_merge_to_the_golden_areas() -> None:
    merged = merge_smaller(golden_labels())
    assert [label.area for label in merged] == CASE["merged_mask_area"]
    assert [label.instance_id for label in merged] == list(range(9))
    for number, mask in enumerate(masks_of(merged)):
        rows = ["".join("X" if hit else "." for hit in row) for row in mask]
        wanted = [
            "".join("X" if owner == str(number) else "." for owner in row)
            for row in CASE["merged_label_map_rows"]
        ]
        assert rows == wanted


def test_the_golden_map_of_owners() -> None:
    labels = golden_labels()
    areas = [item["box_area"] for item in CASE["instances"]]
    owners = owner_map([label.rle for label in labels], areas)
    rows = ["".join("." if n == NOBODY else str(n) for n in row) for row in owners]
    assert rows == CASE["merged_label_map_rows"]
    assert owners.dtype == np.int32


@pytest.mark.parametrize(
    ("first", "second", "shared_goes_to"),
    [
        ((0, 0, 8, 8), (4, 4, 9, 9), 1),
        ((4, 4, 9, 9), (0, 0, 8, 8), 0),
        ((0, 0, 8, 8), (4, 4, 12, 12), 0),
        ((4, 4, 12, 12), (0, 0, 8, 8), 0),
    ],
    ids=["the second is smaller", "the first is smaller", "a tie", "a tie the other way round"],
)
def test_the_smaller_object_gets_the_pixels_and_of_equals_the_one_listed_earlier(
    first: tuple[int, ...], second: tuple[int, ...], shared_goes_to: int
) -> None:
    masks = [rectangle_mask(SIZE, box) for box in (first, second)]
    merged = masks_of(merge_smaller([pseudo_label(n, mask) for n, mask in enumerate(masks)]))
    np.testing.assert_array_equal(merged[shared_goes_to], masks[shared_goes_to])
    np.testing.assert_array_equal(
        merged[1 - shared_goes_to], masks[1 - shared_goes_to] & ~masks[shared_goes_to]
    )


def test_small_is_the_given_box_not_the_mask() -> None:
    thin = pseudo_label(0, rectangle_mask(SIZE, (0, 0, 10, 1)), given=(0, 0, 10, 10))
    thick = pseudo_label(1, rectangle_mask(SIZE, (0, 0, 6, 6)), given=(0, 0, 6, 6))
    assert [label.area for label in merge_smaller([thin, thick])] == [4, 36]


def test_without_a_given_box_the_hull_of_the_mask_before_is_the_box() -> None:
    frame = rectangle_mask(SIZE, (0, 0, 10, 10)) & ~rectangle_mask(SIZE, (2, 2, 9, 9))
    inner = rectangle_mask(SIZE, (0, 0, 8, 8))  # 64 px^2 of hull against 100, 64 pixels against 51
    merged = merge_smaller([pseudo_label(0, frame), pseudo_label(1, inner)])
    assert [label.area for label in merged] == [int((frame & ~inner).sum()), 64]


@pytest.mark.parametrize(
    ("given", "stand_in"),
    [(None, [2, 3, 5, 6]), ((-1.5, 2.5, 40, 25), [0, 2.5, 30, 20])],
    ids=["its hull", "the given box, cut at the border"],
)
def test_a_covered_object_has_no_mask_and_is_left_a_box(
    given: tuple[float, ...] | None, stand_in: list[float]
) -> None:
    covered = pseudo_label(0, rectangle_mask(SIZE, (2, 3, 5, 6)), given, score=0.7)
    cover = pseudo_label(1, rectangle_mask(SIZE, (0, 0, 9, 9)), (0, 0, 3, 2))
    merged = merge_smaller([covered, cover])
    assert (merged[0].area, merged[0].mask_weight, merged[0].score) == (0, 0, 0.7)
    assert merged[0].stand_in.tolist() == stand_in
    assert merged[0].untrusted == "merge_smaller: smaller objects claim all its pixels"
    assert merged[1] is cover


def test_a_mask_that_is_not_trusted_claims_nothing_and_loses_nothing() -> None:
    small = pseudo_label(0, rectangle_mask(SIZE, (2, 2, 4, 4)), mask_weight=0.0)
    large = pseudo_label(1, rectangle_mask(SIZE, (0, 0, 9, 9)))
    assert merge_smaller([small, large]) == [small, large]


def with_ignored(
    number: int, box: tuple[int, ...], ignored: np.ndarray, **more: Any
) -> PseudoLabel:
    rle = masks_to_rles(ignored[None])[0]
    return pseudo_label(number, rectangle_mask(SIZE, box), ignored=rle, **more)


LARGE, BAND = (0, 0, 8, 12), (8, 0, 12, 12)  # an object, and the pixels beside it that are open


@pytest.mark.parametrize(
    ("other", "weight", "left"),
    [
        ((20, 0, 22, 2), 1.0, 48),  # elsewhere
        ((10, 4, 14, 8), 1.0, 40),  # smaller
        ((10, 0, 30, 20), 1.0, 48),  # larger
        ((8, 4, 16, 16), 1.0, 48),  # as large, and listed later
        ((10, 4, 14, 8), 0.0, 48),  # smaller, but trusted by nobody
        ((8, 0, 12, 12), 1.0, 0),  # smaller, and it claims them all
    ],
    ids=["apart", "smaller", "larger", "a tie", "not trusted", "all"],
)
def test_ignored_pixels_that_a_smaller_object_claims_are_its_own(
    other: tuple[int, ...], weight: float, left: int
) -> None:
    band = rectangle_mask(SIZE, BAND)
    label = with_ignored(0, LARGE, band)
    rival = pseudo_label(1, rectangle_mask(SIZE, other), mask_weight=weight)
    merged = merge_smaller([label, rival])
    assert (merged[0].area, merged[1] is rival) == (96, True)  # ignored pixels claim nothing
    assert (merged[0] is label) == (left == 48)
    if left:
        assert merged[0].ignored is not None
        found = rles_to_masks([merged[0].ignored])[0] > 0
        claimed = rectangle_mask(SIZE, other) if left < 48 else np.zeros(SIZE, dtype=bool)
        np.testing.assert_array_equal(found, band & ~claimed)
    else:
        assert merged[0].ignored is None


@pytest.mark.parametrize("seed", range(10))
def test_ignored_pixels_against_asking_each_pixel(seed: int) -> None:
    rng, labels = np.random.default_rng(seed), []
    for label in random_labels(seed, given=True):
        open_pixels = (rng.random(SIZE) < 0.4) & ~masks_of([label])[0]
        labels.append(replace(label, ignored=masks_to_rles(open_pixels[None])[0]))
    areas, masks = [float(box_area(label.own_box)) for label in labels], masks_of(labels)
    for number, label in enumerate(merge_smaller(labels)):
        assert labels[number].ignored is not None
        wanted = rles_to_masks([labels[number].ignored])[0] > 0
        for y, x in np.argwhere(wanted):
            claims = [other for other in range(len(labels)) if masks[other, y, x]]
            if any((areas[other], other) < (areas[number], number) for other in claims):
                wanted[y, x] = not labels[number].mask_weight
        found = np.zeros(SIZE, dtype=bool)
        if label.ignored is not None:
            found = rles_to_masks([label.ignored])[0] > 0
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("given", [True, False], ids=["given boxes", "points"])
@pytest.mark.parametrize("seed", range(40))
def test_merged_masks_never_overlap_and_share_out_their_union(seed: int, given: bool) -> None:
    labels = random_labels(seed, given=given)
    before = masks_of(labels)
    merged = merge_smaller(labels)
    after = masks_of(merged)
    assert after.sum(axis=0).max(initial=0) <= 1
    assert sum(label.area for label in merged) == before.any(axis=0).sum()
    assert not (after & ~before).any()
    owners = painted(labels)
    for number, mask in enumerate(after):
        np.testing.assert_array_equal(mask, owners == number)
    for label in merged:
        assert bool(label.mask_weight) == bool(label.area)


@pytest.mark.parametrize("seed", range(5))
def test_merging_twice_is_merging_once(seed: int) -> None:
    once = merge_smaller(random_labels(seed, given=True))
    assert merge_smaller(once) == once


def test_the_true_masks_of_partworld_never_overlap_so_merging_leaves_them_alone() -> None:
    for index in range(12):
        scene = render_scene(3, "train", index)
        masks = [scene.mask(item) for item in scene.instances]
        assert np.sum(masks, axis=0).max() <= 1
        labels = [pseudo_label(number, mask) for number, mask in enumerate(masks)]
        assert merge_smaller(labels) == labels
