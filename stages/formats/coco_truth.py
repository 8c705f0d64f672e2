"""Labels of any format as the annotations of a COCO instances file, for training and scoring.

Labels without a mask or a box have no place in it, and are counted.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stages.formats.format import Label
from stages.formats.mask_decoding import decoded_mask
from stages.formats.standing import in_px
from stages.geometry.boxes import xyxy_to_xywh
from stages.geometry.masks import Rle, rle_areas, rle_boxes, written_rle
from stages.runtime.faults import Faults
from stages.runtime.program import Sentence

NUMBER = "number_in_image"  # of an annotation whose file has no ids: the label_id of its weak label
BARE: Sentence = "labels with neither a mask nor a box"
EMPTY: Sentence = "masks without pixels"


class Truths:
    """Makes annotations of labels, one after the other.

    Parameters
    ----------
    has_ids : ids of labels are the file's own; else annotations are numbered from 1.
    faults : takes masks that cannot be decoded, and boxes without an area.

    Attributes
    ----------
    left_out : how many labels have no annotation, by the reason.
    written : how many have one.
    """

    def __init__(self, *, has_ids: bool, faults: Faults):
        self.has_ids, self.faults = has_ids, faults
        self.left_out = Counter[str]()
        self.written = 0

    def annotations(
        self, labels: Sequence[Label], images: Mapping[int, Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """COCO annotations of the labels whose image is there.

        Parameters
        ----------
        images : {id: {height, width, ...}}.
        """
        for label in labels:
            image = images.get(label.image_id)
            shape = None
            if image is not None:
                with self.faults.caught("faulty masks and boxes", label.place):
                    shape = self._shape(label, image["height"], image["width"])
            if shape is not None:
                self.written += 1
                yield {**self._ids(label), "category_id": label.category_id, **shape}

    def _ids(self, label: Label) -> dict[str, int]:
        if self.has_ids:
            return {"id": label.id, "image_id": label.image_id}
        return {"id": self.written, "image_id": label.image_id, NUMBER: label.id}

    def _shape(self, label: Label, height: int, width: int) -> dict[str, Any] | None:
        """Keys bbox, area, iscrowd and segmentation; None for a label that has nothing of them."""
        label = in_px(label, width, height)
        rle = None if label.mask is None else decoded_mask(label.mask, height, width)
        if rle is not None and not rle_areas([rle])[0]:
            self.left_out[EMPTY] += 1
            return None
        if rle is None and label.box is None:
            self.left_out[BARE] += 1
            return None
        box = _box(label, rle)
        area = float(box[2] * box[3]) if rle is None else int(rle_areas([rle])[0])
        mask = {} if rle is None else {"segmentation": written_rle(rle)}
        return {"bbox": box, "area": area, "iscrowd": int(label.is_crowd), **mask}


def _box(label: Label, rle: Rle | None) -> list[float]:
    """The given box, else the mask's, [x, y, width, height] px.

    Raises
    ------
    ValueError : the given box has no area that is a number.
    """
    if label.box is not None:
        x0, y0, x1, y1 = label.box
        sides = x1 - x0, y1 - y0
        if not (min(sides) > 0 and math.isfinite(sides[0] * sides[1])):
            raise ValueError(f"its box {label.box} has no area. Correct or remove it.")
        return [x0, y0, *sides]
    assert rle is not None
    found: list[float] = xyxy_to_xywh(rle_boxes([rle]))[0].tolist()
    return found
