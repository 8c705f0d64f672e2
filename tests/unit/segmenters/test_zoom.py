"""SAM asked again about a box, close up."""

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam

from stages.segmenters.tiny import build_vit_tiny
from stages.segmenters.zoom import Window, Zoom, window_about


@pytest.fixture(scope="module")
def sam() -> Sam:
    torch.manual_seed(0)
    return build_vit_tiny().requires_grad_(False)


@pytest.mark.parametrize(
    ("box", "least", "wanted"),
    [
        ([90, 90, 110, 100], 10, Window(80, 75, 40)),  # twice the longer side, about the middle
        ([90, 90, 110, 100], 60, Window(70, 65, 60)),  # at least so large
        ([0, 0, 20, 20], 10, Window(0, 0, 40)),  # moved inside the image
        ([180, 130, 200, 150], 10, Window(160, 110, 40)),
        ([0, 0, 200, 150], 10, Window(0, 0, 200)),  # never more than the longer side
        ([90, 60, 110, 100], 1024, Window(0, 0, 200)),  # a small image: all of it
    ],
)
def test_the_window_lies_about_the_box(box: list[float], least: int, wanted: Window) -> None:
    assert window_about(np.array(box), 150, 200, scale=2.0, least=least) == wanted


def picture() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (15, 20, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)


def test_probabilities_lie_in_the_window_alone(sam: Sam) -> None:
    box = np.array([150.0, 100.0, 190.0, 140.0])
    seen = Zoom(sam, window=2.0, margin=1.3).probability(picture(), box)
    window = window_about(box, 150, 200, scale=2.0, least=sam.image_encoder.img_size)
    assert seen.shape == (150, 200)
    assert seen.dtype == np.float32
    outside = np.ones((150, 200), dtype=bool)
    window.cut(outside)[:] = False
    assert (seen[outside] == 0).all()
    assert (window.cut(seen) > 0).all()
    assert seen.max() <= 1


def test_the_mirrored_image_gets_the_mirrored_answer(sam: Sam) -> None:
    zoom, image = Zoom(sam, window=2.0, margin=1.3), picture()
    box = np.array([40.0, 30.0, 80.0, 90.0])
    there = np.array([200 - 80.0, 30.0, 200 - 40.0, 90.0])
    seen = zoom.probability(image, box)
    mirrored = zoom.probability(np.ascontiguousarray(image[:, ::-1]), there)
    np.testing.assert_allclose(seen, mirrored[:, ::-1], atol=1e-5)


def test_an_image_smaller_than_sams_input_is_asked_whole(sam: Sam) -> None:
    image = picture()[:40, :60]
    seen = Zoom(sam, window=2.0, margin=1.3).probability(image, np.array([5.0, 5.0, 20.0, 30.0]))
    assert seen.shape == (40, 60)
    assert (seen > 0).all()
