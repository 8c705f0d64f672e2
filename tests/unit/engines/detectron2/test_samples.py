"""Samples in detectron2's terms: nothing is lost on the way, everything is resized alike."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from stages.engines.engine import INSTALL
from stages.engines.step_reader import StepReader
from stages.engines.training_images import Sample
from stages.engines.training_labels import Labels
from stages.settings.train import MultiMask, Train
from tests.rectangles import SIDE, write_rectangles

pytest.importorskip("detectron2", reason=f"detectron2 is not installed; see {INSTALL}")

from stages.engines.detectron2.config import build_network, config_of
from stages.engines.detectron2.heads import EXTRA_MASKS, IGNORED
from stages.engines.detectron2.samples import MappedReader, SampleMapper


def settings(side: int = SIDE, **more: Any) -> Train:
    small = {"short_side": side, "long_side": side, "fpn_channels": 64, "rois_per_image": 16}
    return Train(**{**small, "batch_images": 2, "flip": 0.0, **more})


def mapped(path: Path, plan: Train) -> list[dict[str, Any]]:
    reader = MappedReader(StepReader(path.parent, Labels(path), plan, 0), SampleMapper(plan))
    inputs = reader(0)
    assert [image["image_id"] for image in inputs.images] == inputs.image_ids
    return inputs.images


def without_masks(path: Path, *, every: int) -> Path:
    """Takes the mask of each `every`-th annotation away."""
    data = json.loads(path.read_text())
    for number, entry in enumerate(data["annotations"]):
        if number % every == 0:
            del entry["segmentation"]
    path.write_text(json.dumps(data))
    return path


def test_an_image_without_objects_stays() -> None:
    empty = Sample(
        image_id=4,
        pixels=torch.rand(3, 40, 60),
        boxes=torch.zeros(0, 4),
        labels=torch.zeros(0, dtype=torch.int64),
        masks=torch.zeros(0, 40, 60, dtype=torch.uint8),
        mask_weight=torch.zeros(0),
        extra_masks=torch.zeros(0, 0, 40, 60, dtype=torch.uint8),
        extra_valid=torch.zeros(0, 0, dtype=torch.bool),
        ignore_masks=torch.zeros(0, 0, 40, 60, dtype=torch.uint8),
    )
    found = SampleMapper(settings(80, long_side=100))(empty)
    assert found["image"].shape == (3, 67, 100)  # the long side is the limit
    assert len(found["instances"]) == 0
    assert found["instances"].gt_masks.tensor.shape == (0, 67, 100)


def test_at_their_own_size_pixels_boxes_and_masks_are_unchanged(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    samples = StepReader(tmp_path, Labels(path), settings(), 0)(0).samples
    for sample, found in zip(samples, mapped(path, settings()), strict=True):
        instances = found["instances"]
        assert found["image"].dtype == torch.uint8
        assert torch.equal(found["image"].float() / 255, sample.pixels)
        assert torch.equal(instances.gt_boxes.tensor, sample.boxes)
        assert torch.equal(instances.gt_masks.tensor, sample.masks.bool())
        assert torch.equal(instances.gt_classes, sample.labels - 1)
        assert not any(instances.has(name) for name in (*EXTRA_MASKS, IGNORED))


def test_boxes_and_masks_are_resized_with_the_image(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    for found in mapped(path, settings(SIDE * 2)):
        instances = found["instances"]
        assert found["image"].shape == (3, SIDE * 2, SIDE * 2)
        hulls = instances.gt_masks.get_bounding_boxes().tensor
        assert torch.equal(hulls, instances.gt_boxes.tensor)


def test_annotations_without_a_mask_reach_the_heads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = without_masks(write_rectangles(tmp_path), every=2)
    plan = settings()
    images = mapped(path, plan)
    assert [image["instances"].gt_mask_weight.tolist() for image in images] == [[0, 1]] * 2
    network = build_network(config_of(plan, 3), torch.device("cpu"))
    stock = network.roi_heads.label_and_sample_proposals
    seen: list[int] = []

    def look(proposals: Any, targets: Any) -> Any:
        seen.extend(len(target) for target in targets)
        return stock(proposals, targets)

    monkeypatch.setattr(network.roi_heads, "label_and_sample_proposals", look)
    from detectron2.utils.events import EventStorage

    with EventStorage():
        losses = network(images)
    assert seen == [2, 2]
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_extra_masks_travel_in_fields_of_their_own(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    data = json.loads(path.read_text())
    whole = data["annotations"][1]["segmentation"]
    for entry in data["annotations"]:
        entry["extra_masks"] = [whole] if entry["id"] % 2 else []
    path.write_text(json.dumps(data))
    plan = settings(SIDE // 2, multi_mask=MultiMask(enabled=True))
    for found in mapped(path, plan):
        instances = found["instances"]
        assert instances.gt_extra_valid.tolist() == [[True, False, False], [False] * 3]
        first = instances.get(EXTRA_MASKS[0]).tensor
        assert first.shape == (2, SIDE // 2, SIDE // 2)
        assert first[0].any()
        assert not first[1].any()


def test_ignored_pixels_travel_in_a_field_of_their_own(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    data = json.loads(path.read_text())
    for entry in data["annotations"][1::2]:
        entry["ignore_mask"] = entry["segmentation"]
    path.write_text(json.dumps(data))
    for found in mapped(path, settings(SIDE * 3 // 4)):
        ignored = found["instances"].get(IGNORED).tensor
        assert not ignored[0].any()
        assert torch.equal(ignored[1], found["instances"].gt_masks.tensor[1])
