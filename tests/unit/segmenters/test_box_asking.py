"""A segmenter asked with boxes: one mask for each, kept from run to run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.geometry.masks import rle_areas, rles_to_masks
from stages.segmenters.answers_kept import Kept
from stages.segmenters.box_asking import KeptBoxes
from stages.segmenters.sam import SamSegmenter
from stages.settings.segmenters.sam import Settings
from stages.tables.boxed import BOXED

IMAGE = {"image_id": 1, "digest": "d", "height": 48, "width": 64, "orientation": 1}
BOXES = np.array([[8.0, 4.0, 40.0, 36.0], [20.5, 10.0, 63.0, 47.0]])


@pytest.fixture
def asker(sam: Sam, tmp_path: Path) -> Callable[..., KeptBoxes]:
    def made(**facts: Any) -> KeptBoxes:
        folder = tmp_path / "run" / "answers"
        kept = Kept(folder, tmp_path / "run" / "refine" / "shard.parquet", BOXED, facts)
        return KeptBoxes(lambda: SamSegmenter(sam, Settings()), kept, clean=0.0)

    return made


def test_nothing_is_asked_about_no_box(asker: Callable[..., KeptBoxes]) -> None:
    asked = asker().masks(IMAGE, np.zeros((0, 4)), lambda: pytest.fail("was read"))
    assert asked == []


def test_a_box_gets_the_single_mask_of_the_stock_predictor(
    asker: Callable[..., KeptBoxes], sam: Sam, picture: np.ndarray
) -> None:
    stock = SamPredictor(sam)
    stock.set_image(picture)
    found = asker().masks(IMAGE, BOXES, lambda: picture)
    for box, answer in zip(BOXES, found, strict=True):
        masks, scores, _ = stock.predict(box=box, multimask_output=False)
        assert answer.predicted_iou == pytest.approx(scores[0], abs=1e-4)
        mine = rles_to_masks([answer.rle])[0].astype(bool)
        assert (mine & masks[0]).sum() >= 0.99 * (mine | masks[0]).sum()
        assert rle_areas([answer.rle])[0] > 0


def test_an_answer_is_kept_until_boxes_or_facts_are_others(
    asker: Callable[..., KeptBoxes], picture: np.ndarray
) -> None:
    first = asker().masks(IMAGE, BOXES, lambda: picture)
    again = asker()
    assert again.masks(IMAGE, BOXES, lambda: pytest.fail("was read")) == first
    assert (again.kept.asked, again.kept.found) == (0, 1)
    again.masks(IMAGE, BOXES[:1], lambda: picture)
    other = asker(model="another")
    other.masks(IMAGE, BOXES, lambda: picture)
    assert (again.kept.asked, other.kept.asked) == (1, 1)
