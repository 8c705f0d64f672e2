"""For tests of stock models: a training on rectangles, opened by a program of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as codec

from stages import predict_held_out, train
from stages.geometry.boxes import xywh_to_xyxy
from tests.rectangles import CATEGORIES, write_rectangles

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {
    "short_side": 96,  # px: the images are enlarged
    "long_side": 96,
    "rois_per_image": 16,
    "iterations": 12,
    "batch_images": 2,
    "warmup": 0,
    "score_threshold": 0.02,
    "detections_per_image": 10,
}
NAMES = {category["id"]: category["name"] for category in CATEGORIES}
PREDICTIONS = "predictions.json"
FLAGS = {
    "model": "model.pt",
    "log": "log.jsonl",
    "facts": "training.json",
    "stock-weights": "stock/model_final.pth",
    "stock-config": "stock/config.yaml",
    "stock-metrics": "stock/metrics.json",
}


def trained(folder: Path, **settings: Any) -> Path:
    """Trains on the rectangles in `folder` and predicts them; returns the folder of the outputs."""
    train.main(words_of(folder, **settings))
    predict_held_out.main(asked_of(folder, **settings))
    return folder / "out"


def words_of(folder: Path, **settings: Any) -> list[str]:
    """The command line of that training; draws the rectangles."""
    labels, out = write_rectangles(folder), folder / "out"
    words = [f"--image-folder={folder}", f"--labels={labels}", "--device=cpu", "--seed=3"]
    words += [f"--out-{flag}={out / name}" for flag, name in FLAGS.items()]
    return [*words, "--settings", json.dumps({**SETTINGS, **settings})]


def asked_of(folder: Path, **settings: Any) -> list[str]:
    """The command line that asks that detector about the same rectangles."""
    words = [f"--model={folder / 'out' / 'model.pt'}", f"--out={folder / 'out' / PREDICTIONS}"]
    words += [f"--val-image-folder={folder}", f"--val-annotations={folder / 'labels.json'}"]
    return [*words, "--device=cpu", "--train-settings", json.dumps({**SETTINGS, **settings})]


def predicted(out: Path) -> list[dict[str, Any]]:
    """Our detections, in the terms of the examples."""
    found = json.loads((out / PREDICTIONS).read_text())
    return [
        {
            "image": f"{entry['image_id']}.png",
            "class": NAMES[entry["category_id"]],
            "score": entry["score"],
            "box": xywh_to_xyxy(np.array([entry["bbox"]]))[0].tolist(),
            "mask_area": int(codec.area(entry["segmentation"])),
        }
        for entry in found
    ]


def opened_by(example: str, out: Path) -> list[dict[str, Any]]:
    """What an example finds; -I keeps the working folder and PYTHONPATH from it, thus `stages`."""
    images = [f"{number}.png" for number in range(1, 6)]
    program = (
        "import runpy, sys, torch; torch.set_num_threads(1); sys.argv = sys.argv[1:];"
        "runpy.run_path(sys.argv[0], run_name='__main__');"
        "assert not any(name.split('.')[0] == 'stages' for name in sys.modules)"
    )
    command = [sys.executable, "-I", "-c", program, str(ROOT / "examples" / example)]
    done = subprocess.run(
        [*command, str(out / "stock"), *images],
        capture_output=True,
        text=True,
        cwd=out.parent,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_same(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Boxes are written to 0.01 px and scores to 1e-6; classes and masks are the same."""
    assert len(ours) == len(theirs) > 10
    for one, other in zip(ours, theirs, strict=True):
        same = ("image", "class", "mask_area")
        assert [one[key] for key in same] == [other[key] for key in same]
        assert abs(one["score"] - other["score"]) < 1e-6
        assert max(abs(a - b) for a, b in zip(one["box"], other["box"], strict=True)) < 0.02
