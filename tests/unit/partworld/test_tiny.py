from pathlib import Path

import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator, SamPredictor
from segment_anything.modeling import Sam

from stages.partworld.scenes import render_scene
from stages.segmenters.tiny import IMAGE_SIDE, build_vit_tiny

SHIPPED = Path("workflow/resources/vit_tiny.pth")


@pytest.fixture(scope="module")
def sam() -> Sam:
    torch.manual_seed(0)
    return build_vit_tiny()


def test_it_is_a_stock_sam_in_eval_mode(sam: Sam) -> None:
    assert type(sam) is Sam
    assert not sam.training
    assert sam.mask_threshold == 0
    assert sam.image_encoder.img_size == IMAGE_SIDE
    assert sam.mask_decoder.num_mask_tokens == 4


def test_the_stock_predictor_answers_three_masks_and_one(sam: Sam) -> None:
    predictor = SamPredictor(sam)
    predictor.set_image(np.zeros((100, 180, 3), np.uint8))
    masks, quality, low = predictor.predict(np.array([[20.0, 30.0]]), np.ones(1))
    assert masks.shape == (3, 100, 180)
    assert quality.shape == (3,)
    assert low.shape == (3, 64, 64)
    one, _, _ = predictor.predict(box=np.array([5, 5, 60, 60.0]), multimask_output=False)
    assert one.shape == (1, 100, 180)


def test_weights_make_a_round_trip_in_half_precision(sam: Sam, tmp_path: Path) -> None:
    path = tmp_path / "tiny.pth"
    torch.save({name: value.half() for name, value in sam.state_dict().items()}, path)
    assert path.stat().st_size < 8 * 2**20
    other = build_vit_tiny()
    other.load_state_dict(torch.load(path, weights_only=True), strict=True)
    for name, value in other.state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, sam.state_dict()[name], atol=2e-2, rtol=1e-3)


@pytest.fixture(scope="module")
def shipped() -> Sam:
    model = build_vit_tiny()
    model.load_state_dict(torch.load(SHIPPED, weights_only=True), strict=True)
    return model


def test_the_shipped_weights_find_a_lone_object(shipped: Sam) -> None:
    predictor, best = SamPredictor(shipped), []
    for index in range(12):
        scene = render_scene(1, "sam-heldout", index)
        predictor.set_image(scene.image)
        for item in scene.instances:
            if item.is_crowd or item.difficulty not in ("single", "part"):
                continue
            truth = scene.mask(item)
            y, x = (float(np.median(axis)) for axis in np.nonzero(truth))
            masks, _, _ = predictor.predict(np.array([[x, y]]), np.ones(1))
            shared, union = (masks & truth).sum((1, 2)), (masks | truth).sum((1, 2))
            best.append((shared / union).max())
    assert np.mean(best) > 0.6


def test_the_automatic_generator_finds_masks_with_the_shipped_weights(shipped: Sam) -> None:
    generator = SamAutomaticMaskGenerator(
        shipped, points_per_side=6, pred_iou_thresh=0.6, stability_score_thresh=0.7
    )
    found = generator.generate(render_scene(1, "sam-heldout", 0).image)
    assert len(found) >= 3
    assert all(item["segmentation"].any() for item in found)
