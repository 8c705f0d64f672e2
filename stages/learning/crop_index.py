"""What BoxCaseg learns from: the boxes of all images, and pairs of salient images and masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stages.box_supervision.composition import overlapping
from stages.photographs.salient import is_single, salient_pairs, salient_sample
from stages.runtime.program import Sentence
from stages.segmenters.crop_network import HEADS
from stages.settings.segmenters.boxcaseg import Settings
from stages.tables.images import IMAGES
from stages.tables.table import read_table, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS

Pair = tuple[Path, Path]  # files of an image and of its mask
BOX_COLUMNS = ("image_id", "label_id", "kind", "box", "status")


@dataclass(frozen=True, slots=True)
class SalientSet:
    """Where salient images lie, and which of them count.

    images, masks : folders. listed : file that names the images to take; None: all.
    single : share of a mask that its largest part must have; 0: all masks count. The authors chose
        images of one object by hand.
    """

    images: Path
    masks: Path
    listed: Path | None = None
    single: float = 0.0


@dataclass(frozen=True, slots=True)
class CropIndex:
    """What there is to learn from.

    Attributes
    ----------
    images : rows of table `images` by id. of : (n,) id of the image of each box, rising.
    boxes : (n, 4) float64 xyxy px. crowded : (n,) bool, which overlap another of their image.
    salient : pairs of an image's file and its mask's.
    """

    images: Mapping[int, Mapping[str, Any]]
    of: np.ndarray
    boxes: np.ndarray
    crowded: np.ndarray
    salient: Sequence[Pair]

    def tally(self) -> Sentence:
        """How much there is, for the log."""
        return f"{len(self.boxes)} boxes, {len(self.salient)} salient images"


def opened_crops(
    images: Path, weak_labels: Path, settings: Settings, *, salient: SalientSet | None
) -> CropIndex:
    """The boxes and salient images that the chosen heads learn from.

    Raises
    ------
    ValueError : there are no boxes, or no salient set where a head needs one.
    """
    heads = HEADS[settings.heads]
    rows = {row["image_id"]: row for row in read_table(images, IMAGES).to_pylist()}
    found = _boxes(weak_labels) if "weak" in heads else {}
    iou = settings.training.overlap_iou
    boxes = np.concatenate([np.zeros((0, 4)), *found.values()])
    crowded = [overlapping(of_image, iou=iou) for of_image in found.values()]
    return CropIndex(
        rows,
        np.repeat(list(found), [len(of_image) for of_image in found.values()]).astype(np.int64),
        boxes,
        np.concatenate([np.zeros(0, dtype=bool), *crowded]),
        _pairs(settings, salient),
    )


def _boxes(weak_labels: Path) -> dict[int, np.ndarray]:
    """Boxes (n, 4) of each image that has any.

    Raises
    ------
    ValueError : there is not one.
    """
    labels = read_table(weak_labels, WEAK_LABELS, columns=BOX_COLUMNS)
    found = dict[int, np.ndarray]()
    for image_id, rows in rows_by_image(labels).items():
        boxes = [row["box"] for row in rows.to_pylist() if _is_box(row)]
        if boxes:
            found[image_id] = np.array(boxes, dtype=np.float64)
    if not found:
        raise ValueError(
            f"{weak_labels}: there are no boxes to learn from. Set prepare.labels: box, which "
            "makes boxes of all masks, or take a segmenter that needs no training."
        )
    return found


def _is_box(row: Mapping[str, Any]) -> bool:
    return bool(row["kind"] == "box" and row["status"] != "deleted")


def _pairs(settings: Settings, salient: SalientSet | None) -> list[Pair]:
    """Pairs of files; none where only the weak head is trained."""
    if settings.heads == "weak_only":
        return []
    if salient is None:
        raise ValueError(
            f"propose.boxcaseg.heads is {settings.heads}, whose heads learn from salient images "
            "with masks, but there are none. Set dataset.salient to a folder of images and one of "
            "masks (such as DUTS-TR), or propose.boxcaseg.heads: weak_only."
        )
    pairs = salient_pairs(salient.images, salient.masks, salient.listed)
    kept = [pair for pair in pairs if _counts(pair, salient.single)]
    if not kept:
        raise ValueError(
            f"{salient.masks}: in none of {len(pairs)} masks has the largest part "
            f"{salient.single:g} of the foreground. Lower dataset.salient.single."
        )
    return spread(kept, settings.training.salient_images)


def spread(pairs: Sequence[Pair], count: int | None) -> list[Pair]:
    """So many of the pairs, spread evenly over their order; all where there are no more, or None.

    Source: BoxCaseg (CVPR 2021), Table 3, which does not say which images it took.
    """
    if count is None or count >= len(pairs):
        return list(pairs)
    return [pairs[place * len(pairs) // count] for place in range(count)]


def _counts(pair: Pair, single: float) -> bool:
    return not single or is_single(salient_sample(*pair)[1], single)
