"""What is counted of each image, and what is scored."""

from typing import Any

import numpy as np
import pytest

from stages.geometry.masks import masks_to_rles, rle_areas, rle_boxes
from stages.metrics.choices import ScoredBag
from stages.metrics.label_judge import COUNTS, Judge, JudgedImage
from stages.metrics.object_quality import TrueObject, WrittenLabel

LIMITS = {"group_cover": 0.5, "local_cover": 0.5, "local_inside": 0.6}
SIZES = (0.5, 1.0)  # of the image's area
RLES = masks_to_rles(np.stack([np.eye(6, dtype=np.uint8), np.ones((6, 6), dtype=np.uint8)]))
BOXES = rle_boxes(RLES).astype(np.float64)
BAG = ScoredBag(
    rles=RLES,
    boxes=BOXES,
    area=rle_areas(RLES),
    proposal_id=np.arange(2),
    slot=np.arange(2),
    is_own=np.ones(2, dtype=bool),
    predicted_iou=np.array([0.5, 0.25]),
)
GOAL = TrueObject(7, RLES[1], BOXES[1])


def image(**changes: Any) -> JudgedImage:
    """One with a single object, and nothing about it."""
    facts: dict[str, Any] = {"classes": {3: 7}, "given": (), "bags": {3: BAG}, "chosen": {}}
    facts |= {"refined": {}, "rules": [], "written": {}, "objects": {3: GOAL}}
    return JudgedImage(**{**facts, **changes})


CASES = {
    "an empty image": (image(classes={}, bags={}, objects={}), {}),
    "an object": (image(), {"instances": 1, "scored": 1}),
    "a given mask": (image(given={3}), {"instances": 1, "given": 1}),
    "without proposals": (image(bags={}), {"instances": 1, "without_proposals": 1}),
    "without truth": (image(objects={}), {"instances": 1, "without_truth": 1}),
    "without any truth": (image(objects=None), {"instances": 1}),
}


@pytest.mark.parametrize(("seen", "counts"), CASES.values(), ids=CASES.keys())
def test_each_object_is_counted_once(seen: JudgedImage, counts: dict[str, int]) -> None:
    judge = Judge(LIMITS, SIZES)
    judge.image(seen)
    assert {name: judge.counts[name] for name in COUNTS} == {
        **dict.fromkeys(COUNTS, 0),
        "images": 1,
        **counts,
    }


def test_tags_and_what_was_born_of_them_are_counted_and_not_scored() -> None:
    judge = Judge(LIMITS, SIZES)
    judge.image(image())
    assert judge.tags["tags"] == 0
    judge.image(image(classes={}, bags={}, objects={3: GOAL}, tags=2, born=3))
    assert judge.tags == {"tags": 2, "images": 1, "labels": 3}
    assert judge.counts["scored"] == 1


def test_choices_boxes_rules_and_the_label_are_summed_up() -> None:
    judge = Judge(LIMITS, SIZES)
    label = WrittenLabel(RLES[1], BOXES[1], 0.9, is_trusted=False)
    boxes = dict.fromkeys(("box_psm", "box_select", "box_prm"), BOXES[1].tolist())
    judge.image(
        image(chosen={3: {"psm": 0}}, refined={3: boxes}, rules=["contain"], written={3: label})
    )
    summary = judge.summary(categories=1)
    assert summary["choices"]["psm"]["mask_iou"] == pytest.approx(6 / 36)
    assert summary["choices"]["pseudo_label"]["mask_iou"] == 1
    assert summary["refined_box_iou"] == {"n": 1, "box_psm": 1, "box_select": 1, "box_prm": 1}
    assert judge.rules == {"contain": 1}
    assert judge.untrusted == 1


def test_only_labels_with_a_given_box_have_an_agreement() -> None:
    judge = Judge(LIMITS, SIZES)
    plain = WrittenLabel(RLES[1], BOXES[1], 0.9, is_trusted=True)
    boxed = WrittenLabel(RLES[1], BOXES[1], 0.9, True, {"half_open": 0.9, "authors": 0.8})
    judge.image(image(written={3: plain}))
    assert judge.drops.rates() is None
    judge.image(image(written={3: boxed}, given={3}))  # a mask that was given is not judged
    assert judge.drops.rates() is None
    judge.image(image(written={3: boxed}, objects=None))  # nothing true is needed
    judge.image(image(written={3: boxed}))
    rates = judge.drops.rates()
    assert rates is not None
    assert (rates["n"], rates["half_open"], rates["authors"]) == (2, [0, 0, 1, 1], [0, 1, 1, 1])


def test_an_object_of_another_class_is_refused() -> None:
    with pytest.raises(ValueError, match="instance 3 has class 8, but 7 in the ground truth"):
        Judge(LIMITS, SIZES).image(image(classes={3: 8}))


def test_each_object_is_in_the_class_of_its_own_masks_share() -> None:
    """Six of 36 px, and all of them, which is at the upper edge."""
    judge = Judge(LIMITS, SIZES)
    small = TrueObject(7, RLES[0], BOXES[0])
    judge.image(image(classes={3: 7, 4: 7}, bags={3: BAG, 4: BAG}, objects={3: GOAL, 4: small}))
    summary = judge.summary(categories=1)
    assert summary["sizes"] == ["< 50 %", "50 to 100 %", ">= 100 %"]
    best = summary["choices"]["best_in_bag"]["by_size"]
    assert {name: (entry["n"], entry["mask_iou"]) for name, entry in best.items()} == {
        "< 50 %": (1, 1),
        ">= 100 %": (1, 1),
    }
