"""Ids of annotations: own ones stay, others are given above all; the slow way beside it."""

import numpy as np
import pytest

from stages.labels.numbering import Numbering

CASES = {
    "no object": ([], [[]]),
    "own ids, image by image": ([[7, 3], [5]], [[7, 3], [5]]),
    "born of tags": ([[-2, -1, 4], [-1]], [[5, 6, 4], [7]]),
    "tags alone": ([[-1], [-1]], [[1], [2]]),
    "an id of two images": ([[4, 9], [4], [4, 2]], [[4, 9], [10], [11, 2]]),
    "id 0": ([[0], [0]], [[0], [1]]),
}


@pytest.mark.parametrize(("images", "wanted"), CASES.values(), ids=CASES.keys())
def test_ids(images: list[list[int]], wanted: list[list[int]]) -> None:
    numbering = Numbering([number for image in images for number in image if number >= 0])
    assert [numbering.ids(image) for image in images] == (wanted if images else [])


def test_the_ids_of_several_images_are_told() -> None:
    assert Numbering([4, 9, 4, 2, 2]).shared == [2, 4]


@pytest.mark.parametrize("seed", range(20))
def test_ids_are_unique_and_own_ones_stay_where_they_can(seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = [np.unique(rng.integers(-3, 12, 6)).tolist() for _ in range(5)]
    numbering = Numbering([number for image in images for number in image if number >= 0])
    given = [numbering.ids(image) for image in images]
    flat = [number for ids in given for number in ids]
    assert len(set(flat)) == len(flat)
    seen = set[int]()
    for image, ids in zip(images, given, strict=True):
        for own, number in zip(image, ids, strict=True):
            assert (number == own) == (own >= 0 and own not in seen)
            assert number >= 0
            seen.add(own)
