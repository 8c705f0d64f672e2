"""Detections as COCO results: the same for every engine, written image by image, in parts."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.geometry.boxes import xyxy_to_xywh
from stages.geometry.masks import masks_to_rles, written_rle
from stages.runtime.atomic import replacing
from stages.runtime.progress import Progress


def results_of(
    image_id: int,
    boxes: np.ndarray,
    labels: np.ndarray,
    scores: np.ndarray,
    masks: np.ndarray,
    category_ids: Sequence[int],
) -> list[dict[str, Any]]:
    """COCO results of one image: bbox xywh px, mask as RLE with string counts.

    Parameters
    ----------
    boxes : (n, 4) xyxy px. labels : (n,) from 1; label k is category_ids[k - 1].
    scores : (n,) in [0, 1]. masks : (n, h, w) bool.
    """
    corners = xyxy_to_xywh(boxes.astype(np.float64)).tolist()
    rows = zip(corners, labels.tolist(), scores.tolist(), masks_to_rles(masks), strict=True)
    return [
        {
            "image_id": image_id,
            "category_id": category_ids[label - 1],
            "bbox": [round(value, 2) for value in box],
            "score": round(score, 6),
            "segmentation": written_rle(rle),
        }
        for box, label, score, rle in rows
    ]


def write_part(path: Path, results: Iterable[list[dict[str, Any]]], progress: Progress) -> None:
    """Write the results of some images, image by image, a line of JSON for each result."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for found in results:
            file.writelines(json.dumps(result, allow_nan=False) + "\n" for result in found)
            progress.step()


def write_results(path: Path, parts: Iterable[Path]) -> int:
    """Write COCO's list of results out of such parts, one per line; returns their number."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("[")
        for part in parts:
            with part.open(encoding="utf-8") as lines:
                for line in lines:
                    file.write((",\n" if count else "\n") + line.rstrip("\n"))
                    count += 1
        file.write("\n]\n")
    return count
