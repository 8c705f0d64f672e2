"""What a detector says of one training image, as rows of tables; the same for every engine."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from stages.geometry.boxes import xywh_to_xyxy
from stages.tables.label_scores import LABEL_SCORES
from stages.tables.predictions import PREDICTIONS
from stages.tables.table import boxes_of, empty_table, rows_table

if TYPE_CHECKING:
    from stages.engines.engine import Detector


def predictions_table(
    detector: "Detector", image: Mapping[str, Any], pixels: np.ndarray, *, least: float
) -> pa.Table:
    """Table `predictions` of one image, the surest first.

    Parameters
    ----------
    image : row of table `images`. pixels : (height, width, 3) uint8 RGB. least : score.
    """
    found = [one for one in detector.results(image["image_id"], pixels) if one["score"] >= least]
    found.sort(key=lambda one: -one["score"])  # stable: equal ones stay as the detector has them
    size = {name: image[name] for name in ("image_id", "height", "width")}
    rows = [
        {
            **size,
            "prediction_id": number,
            "category_id": one["category_id"],
            "box": xywh_to_xyxy(np.array([one["bbox"]], dtype=np.float64))[0].tolist(),
            "score": one["score"],
            "rle": one["segmentation"]["counts"].encode(),
        }
        for number, one in enumerate(found)
    ]
    return rows_table(PREDICTIONS, rows)


def label_scores_table(
    detector: "Detector", pixels: np.ndarray, labels: pa.Table | None
) -> pa.Table:
    """Table `label_scores` of one image.

    Parameters
    ----------
    pixels : (height, width, 3) uint8 RGB. labels : rows of table `pseudo_labels` of this image with
        category_id and box, or None.

    Raises
    ------
    ValueError : a label's class is not among those that the detector knows.
    """
    if labels is None or not len(labels):
        return empty_table(LABEL_SCORES)
    sure = detector.probabilities(pixels, boxes_of(labels))
    columns = {category: column for column, category in enumerate(detector.category_ids)}
    rows = []
    for row, label in zip(sure, labels.to_pylist(), strict=True):
        if label["category_id"] not in columns:
            raise ValueError(
                f"image {label['image_id']}: a label has class {label['category_id']}, which the "
                f"detector did not learn (it knows {sorted(columns)}). Train it again."
            )
        ids = {name: label[name] for name in ("image_id", "instance_id")}
        rows.append({**ids, "score": float(row[columns[label["category_id"]]])})
    return rows_table(LABEL_SCORES, rows)
