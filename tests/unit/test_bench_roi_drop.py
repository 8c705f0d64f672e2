"""The benchmark of RoI drop tells wrong labels from sound ones, and drops by the rules given."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import bench_roi_drop
from stages import train
from stages.settings.train import RoiDrop
from tests.rectangles import write_rectangles

SMALL = {
    **{"short_side": 64, "long_side": 64, "fpn_channels": 16, "rois_per_image": 16},
    **{"iterations": 1, "batch_images": 2},
}
FLAGS = {
    **{"model": "model.pt", "log": "log.jsonl", "facts": "training.json"},
    **{"stock-weights": "model_final.pth", "stock-config": "config.yaml"},
    "stock-metrics": "metrics.json",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight objects; of the labels, one has its box elsewhere."""
    folder = tmp_path_factory.mktemp("world")
    images, out = folder / "partworld/train/images", folder / "few/train/torchvision"
    for path in (images, out, folder / "few/export"):
        path.mkdir(parents=True)
    truth = json.loads(write_rectangles(images).read_text())
    (folder / "partworld/train/annotations.json").write_text(json.dumps(truth))
    truth["annotations"][0]["bbox"] = [0, 0, 64, 64]
    labels = folder / "few/export/pseudo_labels.json"
    labels.write_text(json.dumps(truth))
    words = [f"--out-{flag}={out / name}" for flag, name in FLAGS.items()]
    words += [f"--image-folder={images}", f"--labels={labels}", "--device=cpu"]
    train.main([*words, "--settings", json.dumps(SMALL)])
    return folder


def printed(world: Path, drop: RoiDrop, capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench_roi_drop, "RULES", {"rule": drop})
        bench_roi_drop.main([str(world), "--variants", "few"])
    return capsys.readouterr().out.splitlines()


def test_rules_that_nothing_passes_drop_all_and_those_that_all_pass_none(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = printed(world, RoiDrop(mode="any", cls=1e-9, reg=1e-9), capsys)
    loose = printed(world, RoiDrop(mode="any", cls=1e9, reg=1e9), capsys)
    assert "few: 1 worlds; wrong labels 12.5" in strict  # one of eight
    name, wrong, sound, unseen, background = strict[-1].split()
    assert (name, wrong, sound, background) == ("rule", "100.0", "100.0", "100.0")
    assert unseen in ("0.0", "100.0")  # a RoI need not lie on the one object without a label
    assert loose[-1].split() == ["rule", "0.0", "0.0", "0.0", "0.0"]


BOX = [[0, 0, 10, 10], [20, 20, 40, 40], [0, 0, 2, 2], [50, 50, 60, 60]]


def test_a_roi_is_as_sound_as_the_label_it_holds() -> None:
    labels, matched = torch.tensor([1, 2, 0, 1]), torch.tensor([0, 1, 0, 1])
    missed = np.array([[0, 0, 2, 3], [20, 20, 40, 40]], np.float32)
    boxes = np.array(BOX, np.float32)
    found = bench_roi_drop.kinds_of(labels, matched, np.array([0.49, 0.5]), boxes, missed)
    assert [bench_roi_drop.KINDS[k] for k in found] == ["wrong", "sound", "unseen", "sound"]
    nothing = np.zeros((0, 4), np.float32)
    found = bench_roi_drop.kinds_of(labels * 0, matched * 0, np.zeros(0), boxes, nothing)
    assert {bench_roi_drop.KINDS[k] for k in found} == {"background"}


def entry(number: int, category: int, *bbox: float) -> dict[str, Any]:
    return {"id": number, "category_id": category, "bbox": list(bbox)}


def test_a_label_born_of_a_tag_is_of_the_object_of_its_class_that_it_fits_best() -> None:
    objects = [entry(7, 1, 0, 0, 10, 10), entry(8, 1, 20, 0, 10, 10), entry(9, 2, 40, 0, 10, 10)]
    labels = [entry(1, 1, 20, 0, 10, 5), entry(7, 2, 0, 0, 10, 10), entry(8, 1, 20, 0, 8, 10)]
    fits, missed = bench_roi_drop.facts_of_image(labels, objects, by_id=False)
    np.testing.assert_allclose(fits, [0.5, 0, 0.8])
    np.testing.assert_allclose(missed, [[0, 0, 10, 10], [40, 0, 50, 10]])
    fits, missed = bench_roi_drop.facts_of_image(labels, objects, by_id=True)
    np.testing.assert_allclose(fits, [0, 1, 0.8])
    np.testing.assert_allclose(missed, [[40, 0, 50, 10]])
    fits, missed = bench_roi_drop.facts_of_image([], objects, by_id=False)
    assert (len(fits), len(missed)) == (0, 3)
