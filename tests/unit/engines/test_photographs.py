"""Each engine on real photographs, with ground-truth masks as labels: 20 steps, killed in between.

The photographs are those that COCO_TINY points at.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO

from stages.engines.engine import is_importable, open_engine
from stages.engines.step_reader import StepReader
from stages.engines.training_labels import Labels
from stages.settings.train import Train

pytestmark = pytest.mark.coco_tiny
IMAGES, SHOWN, KILLED, CHECKPOINT = 8, 3, 12, 10
SETTINGS = {
    "short_side": 128,
    "long_side": 192,
    "fpn_channels": 64,
    "rois_per_image": 32,
    "iterations": 20,
    "batch_images": 4,
    "warmup": 0,
    "checkpoint_every": CHECKPOINT,
    "score_threshold": 0.0,
    "detections_per_image": 5,
}


def subset(name: str, number: int, out: Path) -> dict[str, Any]:
    """The first photographs of a split that have objects, written to `out`."""
    folder = Path(os.environ["COCO_TINY"]) / "annotations"
    data: dict[str, Any] = json.loads((folder / f"instances_{name}.json").read_text())
    labelled = {entry["image_id"] for entry in data["annotations"] if not entry["iscrowd"]}
    data["images"] = [entry for entry in data["images"] if entry["id"] in labelled][:number]
    kept = {entry["id"] for entry in data["images"]}
    data["annotations"] = [entry for entry in data["annotations"] if entry["image_id"] in kept]
    out.write_text(json.dumps(data))
    return data


@pytest.mark.long
@pytest.mark.parametrize("name", ["torchvision", "detectron2"])
def test_20_steps_on_photographs_lower_the_loss_and_survive_a_kill(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_importable(name):
        pytest.skip(f"{name} is not installed")
    torch.set_num_threads(1)
    photographs, cpu = Path(os.environ["COCO_TINY"]), torch.device("cpu")
    subset("train2017", IMAGES, tmp_path / "labels.json")
    labels, settings = Labels(tmp_path / "labels.json"), Train(**SETTINGS, engine=name)
    engine, out = open_engine(settings), tmp_path / "parts" / "model.pt"
    out.parent.mkdir()
    given: dict[str, Any] = {"image_folder": photographs / "train2017", "device": cpu, "seed": 0}
    given["header"] = {"categories": labels.categories}
    stock, read = StepReader.__call__, []

    def watched(self: Any, step: int) -> Any:
        read.append(step)
        if step == KILLED and read.count(step) == 1:
            raise KeyboardInterrupt
        return stock(self, step)

    monkeypatch.setattr(StepReader, "__call__", watched)
    with pytest.raises(KeyboardInterrupt):
        engine.train(settings, labels, out, **given)
    assert not out.exists()
    log = [json.loads(line) for line in engine.train(settings, labels, out, **given).splitlines()]
    assert read[KILLED + 1] == CHECKPOINT
    assert [entry["step"] for entry in log] == list(range(1, 21))
    losses = [entry["loss"] for entry in log]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-5:]) < np.mean(losses[:5])

    images = subset("val2017", SHOWN, tmp_path / "val.json")["images"]
    place: dict[str, Any] = {"image_folder": photographs / "val2017", "device": cpu}
    found = [r for image in engine.predict(settings, out, images, **place) for r in image]
    (tmp_path / "predictions.json").write_text(json.dumps(found))
    results = COCO(str(tmp_path / "val.json")).loadRes(str(tmp_path / "predictions.json"))
    assert len(results.getAnnIds()) == len(found) > 0
    sizes = {image["id"]: (image["height"], image["width"]) for image in images}
    for entry in results.anns.values():
        assert results.annToMask(entry).shape == sizes[entry["image_id"]]
        assert 0 <= entry["score"] <= 1
