"""The example for FiftyOne, run with a stand-in for the library: its CSV holds the labels."""

import os
import subprocess
import sys
from pathlib import Path

from stages.formats.delimited import read
from stages.runtime.faults import Faults

ROOT = Path(__file__).resolve().parents[2]
STAND_IN = """
from types import SimpleNamespace as Of


class Sample(dict):
    filepath = "{folder}/sub/a.png"
    metadata = None


class Dataset(list):
    def compute_metadata(self):
        for sample in self:
            sample.metadata = Of(width=200, height=100)


def load_dataset(name):
    assert name == "my-dataset"
    nan = float("nan")
    points = Of(keypoints=[Of(label="cat", points=[(0.25, 0.5), (nan, nan)])])
    boxes = Of(detections=[Of(label="dog", bounding_box=[0.5, 0.25, 0.25, 0.5])])
    return Dataset(Sample(labels=labels) for labels in (points, boxes, None))
"""


def test_keypoints_and_detections_of_fiftyone_become_points_and_boxes(tmp_path: Path) -> None:
    (tmp_path / "fiftyone.py").write_text(STAND_IN.format(folder=tmp_path / "images"))
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "examples" / "fiftyone_labels.py",
            "my-dataset",
            "labels",
            "images",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (tmp_path / "labels.csv").write_text(done.stdout)
    faults = Faults()
    found = read(tmp_path / "labels.csv", tmp_path / "images", faults)
    faults.check()
    (image,) = found.images
    assert (image["file_name"], image["width"], image["height"]) == ("sub/a.png", 200, 100)
    names = {entry["id"]: entry["name"] for entry in found.categories}
    labels = [(names[label.category_id], label.point, label.box) for label in found.labels]
    assert labels == [("cat", (50, 50), None), ("dog", None, (100, 25, 150, 75))]
