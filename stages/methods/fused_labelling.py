"""From SIM's corrected masks to rows of `pseudo_labels` and `trail`.

The score of a mask is the teacher's mean probability in its foreground; that is also how good it is
thought to be. The trail tells what the teacher had proposed, how much of the class there is in the
box, and by which threshold the fused mask was cut.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from stages.box_supervision.fusion import Decided
from stages.geometry.masks import Rle, masks_to_rles, rle_areas, rle_boxes
from stages.labels.by_instance import labels_of_instances
from stages.learning.teacher_pixels import TaughtObject
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from stages.tables.trail import TRAIL


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of an object; masks and maps are of its part of the image.

    Attributes
    ----------
    semantic : M_S, or None where there was no map. high : threshold of the foreground.
    score : mean M_I of the foreground, 0 to 1; 0 where it is empty. is_trusted : whether its mask
        is; its box is always.
    """

    one: TaughtObject
    semantic: np.ndarray | None
    mask: Decided
    high: float
    score: float
    is_trusted: bool


def corrected_rows(
    image: Mapping[str, Any], labels: pa.Table, found: Sequence[Corrected]
) -> tuple[pa.Table, pa.Table]:
    """Rows of both tables of one image.

    Parameters
    ----------
    image : row of table `images`. labels : its rows of table `weak_labels`.
    found : its objects, by rising bag_id.
    """
    known = labels_of_instances(labels)
    rows, trail = [], []
    for each in found:
        ids = {"image_id": image["image_id"], "instance_id": each.one.bag_id}
        mask, undecided = (
            _whole(part, each.one, image) for part in (each.mask.foreground, each.mask.undecided)
        )
        label_ids = [row["label_id"] for row in known[each.one.bag_id]]
        rows.append({**ids, "label_ids": label_ids, **_label(image, each, mask, undecided)})
        trail += [{**ids, **step} for step in _steps(each, mask)]
    return rows_table(PSEUDO_LABELS, rows), rows_table(TRAIL, trail)


def _whole(part: np.ndarray, one: TaughtObject, image: Mapping[str, Any]) -> Rle:
    """A mask of an object's part as one of the image."""
    mask = np.zeros((1, image["height"], image["width"]), dtype=bool)
    mask[0][one.part] = part
    return masks_to_rles(mask)[0]


def _label(image: Mapping[str, Any], each: Corrected, mask: Rle, undecided: Rle) -> dict[str, Any]:
    return {
        "category_id": each.one.category_id,
        "box": each.one.box.tolist(),
        "box_given": each.one.given,
        "rle": mask["counts"],
        **{name: image[name] for name in ("height", "width")},
        "score": each.score,
        "mask_quality": each.score,
        "mask_source": "fused",
        "proposal_id": each.one.proposal["proposal_id"],
        "extra_rles": [],
        "ignore_rle": undecided["counts"] if rle_areas([undecided])[0] else None,
        "mask_weight": float(each.is_trusted),
    }


def _steps(each: Corrected, mask: Rle) -> list[dict[str, Any]]:
    """Steps of the trail: what the teacher proposed, the map of the class, and both fused."""
    proposal, semantic = each.one.proposal, each.semantic
    has_positive, is_empty = bool(each.one.chances.any()), not rle_areas([mask])[0]
    teacher = {
        "box": list(proposal["box"]) if has_positive else None,
        "proposal_id": proposal["proposal_id"],
        "score": float(proposal["predicted_iou"]),
        "note": "" if has_positive else "no positive",
    }
    of_class = {
        "score": None if semantic is None else float(semantic.mean()),
        "note": "no map" if semantic is None and has_positive else "",
    }
    of_both = {
        "box": None if is_empty else rle_boxes([mask])[0].tolist(),
        "score": each.high,
        "note": "" if each.is_trusted else "empty" if is_empty else "low score",
    }
    named = {"teacher": teacher, "semantic": of_class, "fused": of_both}
    return [{"step": k, "name": name, **step} for k, (name, step) in enumerate(named.items())]
