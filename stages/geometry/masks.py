"""Masks and their COCO run-length codes: the fast exact path of pycocotools.

An RLE is {"size": [height, width], "counts": bytes}. Boxes and areas come from the code, not from
the pixels, which is hundreds of times faster and gives the same numbers. hotcoco encodes where it
is installed: the same bytes as pycocotools, so no result depends on which of the two it was, and
provenance need not name it.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from stages.geometry.polygons import usable_polygons

try:
    from hotcoco.mask import encode
except ImportError:
    encode = coco_mask.encode

Rle = dict[str, Any]
LONGEST_SHIFT = 30  # of a run's digits, 5 bits each: a run has 32 bits
AREA_CHUNK = 255  # pycocotools 2.0.11 overflows on 256 or more areas with numpy 2.4


def masks_to_rles(masks: np.ndarray | Sequence[np.ndarray]) -> list[Rle]:
    """Encode n masks, (height, width) each, of bool, or of uint8 in {0, 1}.

    Codes run down the columns. numpy turns a mask slowly and encoders slower, OpenCV in cache-sized
    blocks; one mask at a time also stays in the cache.
    """
    return [encode(cv2.transpose(_pixels(mask)).T) for mask in masks]


def _pixels(mask: np.ndarray) -> Any:  # hotcoco's stubs want two dimensions said
    return mask.view(np.uint8) if mask.dtype == bool else mask.astype(np.uint8, copy=False)


def rles_to_masks(rles: Sequence[Rle]) -> np.ndarray:
    """Decode to (n, height, width) uint8 in {0, 1}; n must be at least 1."""
    columns = coco_mask.decode(list(rles)).T  # (n, width, height), as codes run
    found = np.empty((len(columns), *columns.shape[:0:-1]), dtype=np.uint8)
    for turned, mask in zip(columns, found, strict=True):
        cv2.transpose(turned, dst=mask)
    return found


def rle_of(counts: bytes, height: int, width: int) -> Rle:
    """The RLE with these counts."""
    return {"size": [height, width], "counts": counts}


def written_rle(rle: Rle) -> dict[str, Any]:
    """The RLE as COCO JSON holds it: its counts as text."""
    return {"size": rle["size"], "counts": rle["counts"].decode("ascii")}


def rle_runs(counts: bytes) -> np.ndarray:
    """Lengths of the runs of a code, (n,) int64 px, the background's first.

    Raises
    ------
    ValueError : bytes that no code has, or an end within a number.

    Source: rleFrString of COCO's maskApi.c, which reads on beyond such an end.
    """
    if not counts:
        return np.zeros(0, dtype=np.int64)
    digits = np.frombuffer(counts, dtype=np.uint8).astype(np.int64) - 48  # 5 bits; 32: one more
    ends = np.flatnonzero(digits & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if digits.min() < 0 or digits.max() > 63 or digits[-1] & 32:
        raise ValueError("the counts of an RLE are no COCO code.")
    shifts = 5 * (np.arange(len(digits)) - np.repeat(starts, ends - starts + 1))
    if shifts.max() > LONGEST_SHIFT:
        raise ValueError("the counts of an RLE have a run beyond 32 bits.")
    runs = np.add.reduceat((digits & 31) << shifts, starts)
    runs -= np.where(digits[ends] & 16, 32 << shifts[ends], 0)  # the sign
    runs[1::2], runs[2::2] = runs[1::2].cumsum(), runs[2::2].cumsum()  # stored as differences
    return runs


def rle_areas(rles: Sequence[Rle]) -> np.ndarray:
    """Areas, (n,) int64 px^2."""
    starts = range(0, len(rles), AREA_CHUNK)
    areas = [coco_mask.area(list(rles[s : s + AREA_CHUNK])) for s in starts]
    return np.concatenate(areas).astype(np.int64) if areas else np.zeros(0, dtype=np.int64)


def rle_boxes(rles: Sequence[Rle]) -> np.ndarray:
    """Bounding boxes, (n, 4) float32 xyxy px, half-open; all zero for an empty mask."""
    if not rles:
        return np.zeros((0, 4), dtype=np.float32)
    boxes = np.asarray(coco_mask.toBbox(list(rles)), dtype=np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def rle_iou(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """IoU of each pair of masks, (n, m) float64 in [0, 1]; all masks of one size."""
    if not first or not second:
        return np.zeros((len(first), len(second)))
    crowd = [0] * len(second)
    return np.asarray(coco_mask.iou(list(first), list(second), crowd)).reshape(len(first), -1)


def rle_cover(first: Sequence[Rle], second: Sequence[Rle]) -> np.ndarray:
    """Share of each first mask that each second one covers, (n, m) float64 in [0, 1].

    0 for an empty first mask. COCO's IoU with a crowd divides by the area of the first mask.
    """
    if not first or not second:
        return np.zeros((len(first), len(second)))
    crowd = [1] * len(second)
    shares = np.asarray(coco_mask.iou(list(first), list(second), crowd)).reshape(len(first), -1)
    return np.asarray(np.nan_to_num(shares))


def segmentation_to_rle(segmentation: Any, height: int, width: int) -> Rle:
    """COCO polygons, uncompressed RLE or compressed RLE (string or bytes counts) to an RLE.

    Parts of polygons that cover nothing are left out, see `usable_polygons`.

    Raises
    ------
    ValueError : neither of these, polygons that are not usable, another size than the image's, or
        runs that do not fill it; the end of a sentence.
    """
    shape = checked_segmentation(segmentation, height, width)
    if isinstance(shape, list):
        return coco_mask.merge(coco_mask.frPyObjects(shape, height, width))  # type: ignore[no-any-return]
    if isinstance(shape["counts"], list):
        return coco_mask.frPyObjects(shape, height, width)  # type: ignore[no-any-return]
    return rle_of(shape["counts"], height, width)


def checked_segmentation(segmentation: Any, height: int, width: int) -> Any:
    """What a stranger's COCO segmentation holds, fit for pycocotools; nothing is drawn.

    Returns
    -------
    Usable polygons, an uncompressed RLE, or a compressed one with bytes counts.

    Raises
    ------
    ValueError : as `segmentation_to_rle`.
    """
    if isinstance(segmentation, list) and segmentation:
        return usable_polygons(segmentation, height, width)[0]
    if not isinstance(segmentation, dict) or "counts" not in segmentation:
        raise ValueError("segmentation is neither a list of polygons nor an RLE.")
    size, counts = segmentation.get("size"), segmentation["counts"]
    if size not in ([height, width], (height, width)):
        raise ValueError(f"RLE of size {str(size)[:60]}, image of {[height, width]}.")
    if isinstance(counts, list):
        runs = _whole_runs(counts)
        _check_runs(runs, height, width)
        return {"size": [height, width], "counts": runs.tolist()}
    data = _code(counts)
    _check_runs(rle_runs(data), height, width)
    return rle_of(data, height, width)


def _code(counts: Any) -> bytes:
    """The bytes of compressed counts."""
    if isinstance(counts, str) and counts.isascii():
        return counts.encode("ascii")
    if isinstance(counts, bytes):
        return counts
    raise ValueError("the counts of an RLE are no COCO code.")


def _whole_runs(counts: list[Any]) -> np.ndarray:
    """Runs that were written out, (n,) int64 px."""
    if not all(type(run) is int and 0 <= run < 1 << 32 for run in counts):
        raise ValueError("the runs of an RLE are no whole numbers from 0 on.")
    return np.array(counts, dtype=np.int64)


def _check_runs(runs: np.ndarray, height: int, width: int) -> None:
    """Runs that fill their image: others break pycocotools' memory, or keep it for ever."""
    if runs.min(initial=0) < 0:
        raise ValueError("the runs of an RLE are no whole numbers from 0 on.")
    if runs.sum() != height * width:
        raise ValueError(f"RLE of {runs.sum()} px, image of {height} x {width} px.")
