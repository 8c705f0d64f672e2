"""From boxes to masks: the proposal, the vote of the bag, the segmenter asked again."""

from typing import Any

import numpy as np
import pytest
import torch

from stages.geometry.masks import masks_to_rles, rle_boxes, rles_to_masks
from stages.learning.bags import ImageBags
from stages.learning.pseudo_masks import pseudo_masks
from stages.learning.refinement import unrefined
from stages.settings.refine import Refine, Vote, Zoom

SIZE = (20, 30)
NO_VOTE = Vote(enabled=False)


def mask(x0: int, x1: int) -> np.ndarray:
    made = np.zeros(SIZE, dtype=np.uint8)
    made[5:15, x0:x1] = 1
    return made


def bags_of(masks: list[np.ndarray], scores: list[float]) -> tuple[ImageBags, Any]:
    """One object whose bag holds these masks, select's choice the best score."""
    rles = masks_to_rles(np.stack(masks))
    count = len(masks)
    return ImageBags(
        image_id=1,
        bag_ids=(7,),
        boxes=torch.from_numpy(rle_boxes(rles)).float()[None],
        valid=torch.ones(1, count, dtype=torch.bool),
        quality=torch.full((1, count), 0.5),
        points=torch.tensor([[10.0, 10.0]]),
        labels=torch.zeros(1, dtype=torch.long),
        lengths=torch.tensor([count]),
        size=SIZE,
        chosen=torch.tensor([int(np.argmax(scores))]),
        bag_scores=torch.tensor([0.5]),
        scores=torch.tensor([scores]),
    ), [rles]


class Seer:
    """A segmenter that sees one thing whatever it is asked; remembers the boxes."""

    def __init__(self, seen: np.ndarray):
        self.seen, self.boxes = masks_to_rles(seen.astype(np.uint8)[None])[0], list[Any]()

    def __call__(self, boxes: np.ndarray) -> list[bytes]:
        self.boxes += boxes.tolist()
        return [self.seen["counts"]] * len(boxes)


def made(settings: Refine, closer: Any = None) -> tuple[np.ndarray, str]:
    bags, rles = bags_of([mask(5, 15), mask(7, 15), mask(0, 30)], [0.4, 0.4, 0.1])
    answer = unrefined(bags, settings)
    [found] = pseudo_masks(bags, answer, rles, settings, factor=1.0, closer=closer)
    return rles_to_masks([found.rle])[0], found.source


def test_the_paper_takes_the_proposal() -> None:
    seen, source = made(Refine(vote=NO_VOTE))
    assert source == "proposal"
    np.testing.assert_array_equal(seen, mask(5, 15))


def test_the_bag_votes() -> None:
    seen, source = made(Refine(vote=Vote(enabled=True, threshold=0.6)))
    assert source == "vote"
    np.testing.assert_array_equal(seen, mask(7, 15))  # the rest has 5/9


VOTES = [  # who votes, and about which box SAM is asked then
    (NO_VOTE, [5.0, 5.0, 15.0, 15.0]),  # box_prm, here that of select's choice
    (Vote(enabled=True, threshold=0.6), [7.0, 5.0, 15.0, 15.0]),
]


@pytest.mark.parametrize(("vote", "box"), VOTES, ids=["proposal", "vote"])
def test_the_segmenter_is_asked_about_the_refined_box(vote: Vote, box: list[float]) -> None:
    seer = Seer(mask(4, 16))
    seen, source = made(Refine(vote=vote), seer)
    assert (source, seer.boxes) == ("zoom", [box])
    np.testing.assert_array_equal(seen, mask(4, 16))


GIVEN = (6.0, 4.0, 12.0, 15.0)
ABOUT = [  # refine.zoom.about, the box that was given, the one that is asked about
    ("refined", GIVEN, [5.0, 5.0, 15.0, 15.0]),
    ("given", GIVEN, list(GIVEN)),
    ("given", None, [5.0, 5.0, 15.0, 15.0]),
]


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(("about", "given", "box"), ABOUT)
def test_the_given_box_is_looked_at_and_cut_to_where_that_is_wanted(
    about: Any, given: Any, box: list[float], *, cut: bool
) -> None:
    settings, seer = Refine(vote=NO_VOTE, zoom=Zoom(about=about, cut=cut)), Seer(mask(4, 16))
    bags, rles = bags_of([mask(5, 15)], [0.4])
    answer = unrefined(bags, settings)
    [found] = pseudo_masks(bags, answer, rles, settings, factor=1.0, closer=seer, given=[given])
    assert (found.source, seer.boxes) == ("zoom", [box])
    wanted = mask(6, 12) if cut and given else mask(4, 16)
    np.testing.assert_array_equal(rles_to_masks([found.rle])[0], wanted)


def test_where_nothing_is_seen_the_mask_stays() -> None:
    seen, source = made(Refine(vote=NO_VOTE), Seer(np.zeros(SIZE)))
    assert source == "proposal"
    np.testing.assert_array_equal(seen, mask(5, 15))


def test_stray_parts_of_what_is_seen_are_dropped() -> None:
    both = mask(4, 16) | mask(28, 30)
    seen, _ = made(Refine(vote=NO_VOTE, clean=0.5), Seer(both))
    np.testing.assert_array_equal(seen, mask(4, 16))
    seen, _ = made(Refine(vote=NO_VOTE, clean=0.0), Seer(both))
    np.testing.assert_array_equal(seen, both)


def test_an_empty_mask_is_not_asked_about() -> None:
    bags, rles = bags_of([np.zeros(SIZE, dtype=np.uint8)], [0.4])
    settings, seer = Refine(vote=NO_VOTE), Seer(mask(4, 16))
    answer = unrefined(bags, settings)
    [found] = pseudo_masks(bags, answer, rles, settings, factor=1.0, closer=seer)
    assert (found.source, seer.boxes) == ("proposal", [])


def test_an_image_without_objects_has_no_masks() -> None:
    bags, _ = bags_of([mask(5, 15)], [0.4])
    none = {name: getattr(bags, name)[:0] for name in ("boxes", "valid", "quality", "points")}
    none |= {name: getattr(bags, name)[:0] for name in ("labels", "lengths", "chosen", "scores")}
    empty = ImageBags(1, (), size=SIZE, bag_scores=torch.zeros(0), **none)
    answer, seer = unrefined(empty, Refine()), Seer(mask(4, 16))
    assert pseudo_masks(empty, answer, [], Refine(), factor=1.0, closer=seer) == []
    assert seer.boxes == []
