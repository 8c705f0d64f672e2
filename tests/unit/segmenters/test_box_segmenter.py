"""What answers boxes alone: one mask in one slot, and a sentence for any other prompt."""

import numpy as np
import pytest
import torch

from stages.runtime.doors import opened
from stages.segmenters.box_segmenter import hard_logits
from stages.segmenters.segmenter import BOXES_ALONE, SEGMENTERS, SHAPES, Asked, Segmenter
from stages.settings.propose import Propose

CPU = torch.device("cpu")
WITHOUT_WEIGHTS = ["filled", "ellipse", "grabcut"]


def segmenter(name: str, pixels: np.ndarray) -> Segmenter:
    made: Segmenter = opened(SEGMENTERS[name].module).opened_segmenter(
        getattr(Propose(), name, None), device=CPU
    )
    made.embed(pixels)
    return made


def boxed(*box: float, points: bool = False) -> Asked:
    point = np.float32([[12.0, 12.0]]) if points else None
    return Asked(point, np.ones(1, np.int32) if points else None, np.float32(box))


def test_the_door_knows_who_answers_boxes_alone() -> None:
    assert set(SHAPES) < set(BOXES_ALONE) < set(SEGMENTERS)


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_nobody_asks_nothing(name: str, picture: np.ndarray) -> None:
    assert list(segmenter(name, picture).ask([], multimask=True)) == []
    assert opened(SEGMENTERS[name].module).model_digest(getattr(Propose(), name, None)) == ""


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_a_box_has_one_mask_whatever_is_wanted(name: str, picture: np.ndarray) -> None:
    asker = segmenter(name, picture)
    prompts = [boxed(8, 8, 40, 32), boxed(8, 8, 40, 32, points=True)]
    for several in (True, False):
        for answered in asker.ask(prompts, multimask=several, logits=True):
            assert answered.masks.shape == (1, *picture.shape[:2])
            assert answered.masks.dtype == bool
            assert answered.logits is not None
            assert answered.logits.dtype == np.float32
            np.testing.assert_array_equal(answered.logits > 0, answered.masks)
            assert answered.predicted_iou.tolist() == answered.stability.tolist() == [1.0]
            assert answered.masks.any()
            assert not answered.masks[0, 32:].any()
    [plain] = asker.ask(prompts[:1], multimask=False)
    assert plain.logits is None


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_a_point_alone_is_refused(name: str, picture: np.ndarray) -> None:
    point = Asked(np.float32([[5, 5]]), np.ones(1, np.int32), None)
    with pytest.raises(ValueError, match=rf"{name} answers boxes alone.*prepare\.labels: box"):
        list(segmenter(name, picture).ask([point], multimask=True))


def test_hard_logits_are_sure_of_both_sides() -> None:
    mask = np.array([[True, False]])
    probability = 1 / (1 + np.exp(-hard_logits(mask)))
    assert probability[0] == pytest.approx([1, 0], abs=1e-4)
