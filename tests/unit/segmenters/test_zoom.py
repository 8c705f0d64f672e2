"""A segmenter asked again about a box, close up."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.geometry.masks import rle_of, rles_to_masks
from stages.segmenters.answers_kept import Kept
from stages.segmenters.on_demand import OnDemand
from stages.segmenters.sam import SamSegmenter
from stages.segmenters.tiny import build_vit_tiny
from stages.segmenters.zoom import KeptZoom, Window, Zoom, window_about, zoom_facts
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.settings.segmenters.sam import Settings
from stages.tables.zoomed import ZOOMED


@pytest.fixture
def segmenter(sam: Sam) -> SamSegmenter:
    return SamSegmenter(sam, Settings())


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


def scene() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (15, 20, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)


def test_probabilities_lie_in_the_window_alone(segmenter: SamSegmenter) -> None:
    box = np.array([150.0, 100.0, 190.0, 140.0])
    seen = Zoom(segmenter, window=2.0, margin=1.3).probability(scene(), box)
    window = window_about(box, 150, 200, scale=2.0, least=segmenter.side)
    assert seen.shape == (150, 200)
    assert seen.dtype == np.float32
    outside = np.ones((150, 200), dtype=bool)
    window.cut(outside)[:] = False
    assert (seen[outside] == 0).all()
    assert (window.cut(seen) > 0).all()
    assert seen.max() <= 1


def test_the_mirrored_image_gets_the_mirrored_answer(segmenter: SamSegmenter) -> None:
    zoom, image = Zoom(segmenter, window=2.0, margin=1.3), scene()
    box = np.array([40.0, 30.0, 80.0, 90.0])
    there = np.array([200 - 80.0, 30.0, 200 - 40.0, 90.0])
    seen = zoom.probability(image, box)
    mirrored = zoom.probability(np.ascontiguousarray(image[:, ::-1]), there)
    np.testing.assert_allclose(seen, mirrored[:, ::-1], atol=1e-5)


def test_an_image_smaller_than_sams_input_is_asked_whole(segmenter: SamSegmenter) -> None:
    image = scene()[:40, :60]
    seen = Zoom(segmenter, window=2.0, margin=1.3).probability(
        image, np.array([5.0, 5.0, 20.0, 30.0])
    )
    assert seen.shape == (40, 60)
    assert (seen > 0).all()


def test_the_probability_is_the_mean_of_the_crop_and_its_mirror_image(
    segmenter: SamSegmenter, sam: Sam
) -> None:
    box = np.array([10.0, 8.0, 30.0, 40.0])
    image = scene()[:60, :80]
    seen = Zoom(segmenter, window=2.0, margin=1.0).probability(image, box)
    wanted = np.zeros((60, 80))
    for flip in (False, True):
        stock = SamPredictor(sam)
        stock.set_image(np.ascontiguousarray(image[:, ::-1] if flip else image))
        asked = np.array([80 - box[2], box[1], 80 - box[0], box[3]]) if flip else box
        logits, _, _ = stock.predict(box=asked, multimask_output=False, return_logits=True)
        probability = 1 / (1 + np.exp(-logits[0].astype(np.float64)))
        wanted += (probability[:, ::-1] if flip else probability) / 2
    np.testing.assert_allclose(seen, wanted, atol=1e-5)


IMAGE = {"image_id": 4, "digest": "d", "height": 150, "width": 200, "orientation": 1}
BOXES = np.array([[150.0, 100.0, 190.0, 140.0], [40.0, 30.0, 80.0, 90.0]])


@pytest.fixture
def close_up(tmp_path: Path, segmenter: SamSegmenter) -> Callable[..., KeptZoom]:
    """Close-ups whose answers are kept; what they open is counted in `opened`."""

    def made(opened: list[str], **facts: object) -> KeptZoom:
        out = tmp_path / "refine" / "shard-0000-of-0001.parquet"
        kept = Kept(tmp_path / "answers", out, ZOOMED, facts)

        def open_it() -> SamSegmenter:
            opened.append("segmenter")
            return segmenter

        return KeptZoom(open_it, kept, window=2.0, margin=1.3)

    return made


def test_an_image_without_boxes_is_not_asked_about(close_up: Callable[..., KeptZoom]) -> None:
    assert close_up([]).rles(IMAGE, np.zeros((0, 4)), lambda: pytest.fail("was read")) == []


def test_close_ups_are_kept_until_a_box_moves(
    close_up: Callable[..., KeptZoom], segmenter: SamSegmenter
) -> None:
    opened: list[str] = []
    first = close_up(opened).rles(IMAGE, BOXES, scene)
    zoom = Zoom(segmenter, window=2.0, margin=1.3)
    for counts, box in zip(first, BOXES, strict=True):
        mask = rles_to_masks([rle_of(counts, 150, 200)])[0]
        np.testing.assert_array_equal(mask, zoom.probability(scene(), box) > 0.5)
    assert close_up(opened).rles(IMAGE, BOXES, lambda: pytest.fail("was read")) == first
    assert len(opened) == 1
    close_up(opened).rles(IMAGE, BOXES + 1e-6, scene)
    close_up(opened).rles({**IMAGE, "digest": "e"}, BOXES, scene)
    close_up(opened, window=3.0).rles(IMAGE, BOXES, scene)
    assert len(opened) == 4


def test_facts_name_the_segmenter_the_window_and_no_path(tmp_path: Path) -> None:
    path = tmp_path / "tiny.pth"
    torch.save(build_vit_tiny().state_dict(), path)

    def facts(*, window: float = 2.0, **values: object) -> object:
        block = {"sam": {"checkpoint": str(path), **values}, "chunk": 3}
        settings = from_values(Propose, block, "propose")
        segmenter = OnDemand(settings, lambda: pytest.fail("was opened"))
        found = zoom_facts(segmenter, window=window, margin=1.3)
        assert str(tmp_path) not in str(found)
        assert any(name.startswith("stages.segmenters.zoom@") for name in found["code"])
        return found

    assert facts() == facts()
    assert facts() != facts(window=2.5)
    assert facts() != facts(precision="bfloat16")
