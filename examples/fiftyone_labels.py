"""FiftyOne's Keypoints and Detections as a CSV that Maskmill reads: a row for each point and box.

    python examples/fiftyone_labels.py my-dataset ground_truth photographs > labels.csv

FiftyOne has shares of the image's sides; Maskmill's CSV has px. A key point that is missing is NaN.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COLUMNS = "file_name label x y x0 y0 x1 y1 image_width image_height".split()


def rows(samples: Any, field: str, folder: Path) -> Iterator[dict[str, Any]]:
    """A row for each labelled point and box of the samples, whose photographs lie in `folder`."""
    for sample in samples:
        labels, metadata = sample[field], sample.metadata
        width, height = metadata.width, metadata.height
        image = {"file_name": Path(sample.filepath).relative_to(folder).as_posix()}
        image |= {"image_width": width, "image_height": height}
        for keypoint in getattr(labels, "keypoints", None) or []:
            for x, y in keypoint.points:
                if x == x:  # not NaN
                    yield {**image, "label": keypoint.label, "x": x * width, "y": y * height}
        for detection in getattr(labels, "detections", None) or []:
            x, y, w, h = detection.bounding_box
            box = {"x0": x * width, "y0": y * height}
            box |= {"x1": (x + w) * width, "y1": (y + h) * height}
            yield {**image, "label": detection.label, **box}


if __name__ == "__main__":
    import fiftyone as fo

    dataset = fo.load_dataset(sys.argv[1])
    dataset.compute_metadata()
    writer = csv.DictWriter(sys.stdout, COLUMNS)
    writer.writeheader()
    writer.writerows(rows(dataset, sys.argv[2], Path(sys.argv[3]).absolute()))
