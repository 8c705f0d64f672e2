"""The benchmark of RoI drop tells wrong labels from sound ones, and drops by the rules given."""

import json
from pathlib import Path

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
    **{"predictions": "predictions.json", "stock-weights": "model_final.pth"},
    **{"stock-config": "config.yaml", "stock-metrics": "metrics.json"},
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
    assert strict[-1].split() == ["rule", "100.0", "100.0", "100.0"]
    assert loose[-1].split() == ["rule", "0.0", "0.0", "0.0"]


def test_a_roi_is_as_sound_as_the_label_it_holds() -> None:
    labels, matched = torch.tensor([1, 2, 0, 1]), torch.tensor([0, 1, 0, 1])
    found = bench_roi_drop.kinds_of(labels, matched, np.array([0.49, 0.5]))
    assert [bench_roi_drop.KINDS[k] for k in found] == ["wrong", "sound", "background", "sound"]
