"""Detections as COCO results: the same for every engine, written image by image, in parts."""

import json
import zlib
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
    """Write the results of some images, image by image, a line of JSON for each result.

    The last line says how many there are, and their CRC-32.
    """
    count, check = 0, 0
    with replacing(path) as temporary, temporary.open("w", encoding="ascii") as file:
        for found in results:
            for result in found:
                line = json.dumps(result, allow_nan=False) + "\n"
                file.write(line)
                count, check = count + 1, zlib.crc32(line.encode("ascii"), check)
            progress.step()
        file.write(json.dumps([count, check]) + "\n")


def is_whole(path: Path) -> bool:
    """Whether a part is there as it was written."""
    try:
        *lines, last = path.read_bytes().splitlines(keepends=True)
        return bool(json.loads(last) == [len(lines), zlib.crc32(b"".join(lines))])
    except (OSError, ValueError, RecursionError):
        return False


def write_results(path: Path, parts: Iterable[Path]) -> int:
    """Write COCO's list of results out of such parts, one per line; returns their number."""
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("[")
        for part in parts:
            for line in part.read_text(encoding="ascii").splitlines()[:-1]:
                file.write((",\n" if count else "\n") + line)
                count += 1
        file.write("\n]\n")
    return count
