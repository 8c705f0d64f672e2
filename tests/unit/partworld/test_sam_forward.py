import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.partworld.sam_forward import decode, dense_head, encode
from stages.partworld.sam_scenes import shrink_image
from stages.partworld.scenes import render_scene
from stages.segmenters.tiny import PROMPT_DIM, build_vit_tiny


@pytest.fixture(scope="module")
def sam() -> Sam:
    torch.manual_seed(0)
    return build_vit_tiny()


@pytest.mark.parametrize("kind", ["point", "three points", "box"])
def test_batched_decoding_equals_the_stock_predictor(sam: Sam, kind: str) -> None:
    scenes = [render_scene(0, "val", index).image for index in range(2)]
    images = torch.stack([torch.tensor(shrink_image(s)).permute(2, 0, 1) for s in scenes])
    points = torch.tensor([[[30.0, 40.0]], [[90.0, 20.0]], [[64.0, 100.0]]])
    if kind == "three points":
        points = torch.cat([points, points + 5, points - 5], dim=1)
    boxes = torch.cat([points[:, 0], points[:, 0] + 20], dim=1)
    image_of = torch.tensor([1, 0, 1])
    prompt = {"boxes": boxes} if kind == "box" else {"points": points}
    with torch.no_grad():
        masks, quality = decode(sam, encode(sam, images), image_of, **prompt)
    predictor = SamPredictor(sam)
    for n, image in enumerate(image_of.tolist()):
        predictor.set_image(scenes[image])
        asked = (None, None, boxes[n : n + 1])
        if kind != "box":
            asked = (points[n : n + 1], torch.ones(1, points.shape[1]), None)
        _, many, low = predictor.predict_torch(*asked, multimask_output=True)
        torch.testing.assert_close(masks[n, 1:].reshape(low[0].shape), low[0], atol=2e-4, rtol=0)
        torch.testing.assert_close(quality[n, 1:], many[0], atol=2e-5, rtol=0)
        _, one, low = predictor.predict_torch(*asked, multimask_output=False)
        torch.testing.assert_close(masks[n, :1].reshape(low[0].shape), low[0], atol=2e-4, rtol=0)
        torch.testing.assert_close(quality[n, :1], one[0], atol=2e-5, rtol=0)


def test_dense_head_answers_on_the_mask_grid() -> None:
    assert dense_head(PROMPT_DIM)(torch.zeros(2, PROMPT_DIM, 16, 16)).shape == (2, 8, 64, 64)
