"""A second object beside a salient one: what is seen of both, and what the label says."""

import numpy as np

from stages.box_supervision.box_crops import Pair
from stages.box_supervision.neighbours import LEAST_SEEN, with_neighbour


def square(height: int, width: int, box: tuple[int, int, int, int], value: int) -> Pair:
    mask = np.zeros((height, width), dtype=bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return np.where(mask, value, 10)[:, :, None].repeat(3, axis=2).astype(np.uint8), mask


FIRST = square(60, 80, (30, 20, 50, 40), 200)
SECOND = square(40, 40, (5, 10, 35, 30), 100)


def drawn() -> list[Pair]:
    return [with_neighbour(FIRST, SECOND, np.random.default_rng(seed)) for seed in range(200)]


def test_the_label_is_what_is_seen_of_the_first() -> None:
    for pixels, mask in drawn():
        assert pixels.shape == (60, 80, 3)
        assert pixels.dtype == np.uint8
        assert ((pixels[:, :, 0] == 200) == mask).all()
        assert not (mask & ~FIRST[1]).any()
        assert mask.sum() >= LEAST_SEEN * FIRST[1].sum()


def test_it_stands_before_or_behind_and_mostly_in_the_image() -> None:
    pairs = drawn()
    shown = [int((pixels[:, :, 0] == 100).sum()) for pixels, _ in pairs]
    hidden = [int(FIRST[1].sum() - mask.sum()) for _, mask in pairs]
    assert np.mean([count > 0 for count in shown]) > 0.8
    assert 0.15 < np.mean([count > 0 for count in hidden]) < 0.6
    assert len(set(shown)) > 50  # sizes and places differ


def test_the_given_images_stay_as_they_were() -> None:
    before = [FIRST[0].copy(), FIRST[1].copy(), SECOND[0].copy(), SECOND[1].copy()]
    drawn()
    for old, new in zip(before, [*FIRST, *SECOND], strict=True):
        assert (old == new).all()


def test_where_too_little_would_be_seen_nothing_is_put() -> None:
    thin = square(60, 80, (40, 10, 41, 50), 200)
    wide = square(60, 60, (0, 0, 60, 60), 100)
    for seed in range(100):
        pixels, mask = with_neighbour(thin, wide, np.random.default_rng(seed))
        assert mask.sum() >= LEAST_SEEN * thin[1].sum()
        assert ((pixels[:, :, 0] == 200) == mask).all()


def test_equal_draws_give_equal_pictures() -> None:
    one, two = (with_neighbour(FIRST, SECOND, np.random.default_rng(5)) for _ in range(2))
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()
