"""coco_polygons: COCO with outlines in place of run-length codes, for readers that want rings.

Out goes `annotations.json`, one entry per line, with all keys of `pseudo_labels.json` but for
`segmentation`: a ring for each fragment, two digits, holes joined to their rings by cuts. The masks
in `extra_masks` and `ignore_mask`, which Maskmill alone knows, stay codes. Where the mask is not
trusted (`mask_weight` 0), the ring is the box: pycocotools and those who build on it break at an
empty list, and what is left out would be taught as background. Who trains masks had better look at
`mask_weight`.
"""

from pathlib import Path

from stages.formats.coco_writing import write_entries
from stages.formats.pseudo_label_file import Entry, PseudoLabelFile
from stages.formats.rings import box_ring, plain, rings_of
from stages.formats.writer import Counts
from stages.geometry.masks import rle_iou, segmentation_to_rle

NAME = "annotations.json"
LOW = 0.9  # IoU; what is below is counted


def write(labels: PseudoLabelFile, folder: Path) -> Counts:
    """Write the labels; see `stages.formats.writer`."""
    likeness = Likeness()
    with (folder / NAME).open("w", encoding="utf-8") as file:
        entries = map(likeness.outlined, labels.annotations())
        write_entries(file, labels.info, labels.images, labels.categories, entries)
    return {"images": len(labels.images), **likeness.counts()}


class Likeness:
    """Puts outlines in place of codes, and keeps count of how alike the masks of both are."""

    def __init__(self) -> None:
        self.masks, self.boxes, self.low = 0, 0, 0
        self.total, self.least = 0.0, 1.0

    def outlined(self, entry: Entry) -> Entry:
        """An annotation with outlines in place of its code."""
        rings = rings_of(entry)
        flat = [plain(ring.reshape(-1)) for ring in rings or [box_ring(entry)]]
        if rings:
            self.add(entry["segmentation"], flat)
        self.boxes += not rings
        return entry | {"segmentation": flat}

    def add(self, code: Entry, rings: list[list[float]]) -> None:
        """Take note of one mask, as it was and as it is written."""
        iou = float(rle_iou([segmentation_to_rle(rings, *code["size"])], [code])[0, 0])
        self.masks += 1
        self.total += iou
        self.least = min(self.least, iou)
        self.low += iou < LOW

    def counts(self) -> Counts:
        """How many annotations there were, and the IoU of outlines with codes."""
        return {
            "annotations": self.masks + self.boxes,
            "boxes in place of a mask": self.boxes,
            "mean IoU of outlines and masks": round(self.total / max(self.masks, 1), 4),
            "least": round(self.least, 4),
            f"below {LOW}": self.low,
        }
