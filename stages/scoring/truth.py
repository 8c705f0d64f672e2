"""Ground-truth objects with masks, for scoring; who looks at them says so.

`evaluate` and `prepare` do, and `train` at those of validation images, where its key asks for it.
"""

from pathlib import Path
from typing import Any

import numpy as np

from stages.formats.coco import labelled, read_coco
from stages.formats.coco_truth import NUMBER
from stages.geometry.boxes import xywh_to_xyxy, xyxy_to_xywh
from stages.geometry.codes import MOST_PIXELS
from stages.geometry.masks import Rle, rle_areas, rle_boxes, segmentation_to_rle
from stages.metrics.object_quality import TrueObject
from stages.runtime.json_files import read_json

LARGEST = 1e15  # of a coordinate or a score; what is beyond, NaN among it, is none


class Truth:
    """Objects of a COCO file by image; masks are decoded when an image is asked for.

    without_mask : number of objects that have a box alone; they are left out.
    """

    def __init__(self, path: Path):
        file = read_coco(path)
        self.path = path
        self.without_mask = 0
        self._sizes = {item["id"]: (item["height"], item["width"]) for item in file.images}
        self._annotations: dict[int, list[dict[str, Any]]] = {}
        for entry in labelled(file.annotations):
            if entry.get("segmentation"):
                self._annotations.setdefault(entry["image_id"], []).append(entry)
            else:
                self.without_mask += 1

    def objects(self, image_id: int) -> dict[int, TrueObject]:
        """The image's objects by the id of their weak label, without crowds.

        Raises
        ------
        ValueError : a mask that does not fit its image.
        """
        found = {}
        for entry in self._annotations.get(image_id, []):
            rle = true_mask(entry, self._sizes[image_id], self.path)
            if not rle_areas([rle])[0]:
                continue  # a polygon without pixels is no mask
            found[_number(entry)] = TrueObject(
                entry["category_id"], rle, true_box(entry, rle), _difficulty(entry)
            )
        return found


def _number(entry: dict[str, Any]) -> int:
    """The id of the weak label; other data sets may have anything under the key of translate's."""
    number = entry.get(NUMBER)
    return number if type(number) is int else int(entry["id"])


def _difficulty(entry: dict[str, Any]) -> str | None:
    """Text alone is a name; other data sets may have numbers under this key."""
    value = entry.get("difficulty")
    return value if isinstance(value, str) and value else None


def true_mask(entry: dict[str, Any], size: tuple[int, int], path: Path) -> Rle:
    """The mask of a COCO annotation that has one; `size`: height and width of its image.

    Raises
    ------
    ValueError : a mask that does not fit its image.
    """
    try:
        return segmentation_to_rle(entry["segmentation"], *size)
    except ValueError as error:
        raise ValueError(f"{path}: annotation {entry['id']}: {error}") from None


def true_box(entry: dict[str, Any], rle: Rle) -> np.ndarray:
    """The box of a COCO annotation, (4,) float64 xyxy px; without one that of its mask."""
    if entry.get("bbox"):
        return xywh_to_xyxy(np.array(entry["bbox"], dtype=np.float64))
    return np.asarray(rle_boxes([rle])[0], dtype=np.float64)


def scoring_truth(path: Path) -> dict[str, Any]:
    """A COCO file as pycocotools' evaluation wants it: every object with bbox, area and iscrowd.

    Returns
    -------
    COCO dictionary; `segmentation` is there for all objects or for none.
    """
    file = read_coco(path)
    sizes = {item["id"]: (item["height"], item["width"]) for item in file.images}
    masked = all(entry.get("segmentation") for entry in file.annotations)
    made = []
    for entry in file.annotations:
        rle = true_mask(entry, sizes[entry["image_id"]], path) if masked else None
        made.append(_complete(entry, rle, path))
    return {"images": file.images, "categories": file.categories, "annotations": made}


def _complete(entry: dict[str, Any], rle: Rle | None, path: Path) -> dict[str, Any]:
    if rle is None and not entry.get("bbox"):
        raise ValueError(f"{path}: annotation {entry['id']} has neither bbox nor segmentation.")
    hull = xyxy_to_xywh(rle_boxes([rle]))[0].tolist() if rle else []
    box = entry.get("bbox") or hull
    area = entry.get("area") or (int(rle_areas([rle])[0]) if rle else box[2] * box[3])
    kept = {name: entry[name] for name in ("id", "image_id", "category_id")}
    shape = {"segmentation": rle} if rle else {}
    return {**kept, "bbox": box, "area": area, "iscrowd": entry.get("iscrowd", 0), **shape}


def read_results(path: Path) -> list[dict[str, Any]]:
    """COCO results: image_id, category_id, bbox, score, segmentation each.

    Raises
    ------
    ValueError : missing, no JSON, no list, values that are none, or a mask that is no RLE.
    """
    results = read_json(path, "COCO results", "train")
    if not isinstance(results, list):
        raise ValueError(f"{path}: no COCO results: its top level is no list. Rerun train.")
    for number, result in enumerate(results):
        place = f"{path}: result {number}"
        _check_values(result, place)
        _check_mask(result.get("segmentation"), place)
    return results


def _check_values(result: Any, place: str) -> None:
    """Ids, box and score are there, and finite."""
    known = result if isinstance(result, dict) else {}
    ids = [known.get(name) for name in ("image_id", "category_id")]
    box = known.get("bbox")
    numbers = [*(box if isinstance(box, list) else []), known.get("score")]
    is_finite = all(type(n) in (int, float) and -LARGEST < n < LARGEST for n in numbers)
    if not is_finite or len(numbers) != 5 or not all(type(number) is int for number in ids):
        raise ValueError(
            f"{place}: no COCO result with image_id, category_id, bbox and score, all finite. "
            "Rerun train."
        )


def _check_mask(mask: Any, place: str) -> None:
    """A result may go without a mask; one with it says the size of its image."""
    size = mask.get("size") if isinstance(mask, dict) else None
    if mask is None:
        return
    if not isinstance(size, list) or len(size) != 2:
        raise ValueError(f"{place}: its segmentation is no RLE with a size. Rerun train.")
    try:
        segmentation_to_rle(mask, *_sides(size))
    except ValueError as error:
        raise ValueError(f"{place}: {str(error).rstrip('.')}. Rerun train.") from None


def _sides(size: list[Any]) -> tuple[int, int]:
    """Height and width of an image that could be, px."""
    if not all(type(side) is int and side > 0 for side in size) or size[0] * size[1] > MOST_PIXELS:
        raise ValueError(f"its RLE is of size {str(size)[:60]}")
    return size[0], size[1]
