"""The detector of the round before judges each label: it stays, or what was detected replaces it.

Not in the papers; for any recipe over rounds. Which detection may stand for an object, and when it
is believed, is said in `stages.labels.relabelling`. The box of such a detection is asked of the
segmenter, close up (`refine.zoom`), since a detector's own masks are coarse; an answer that could
not stand for the object gives way to the detector's own mask. The detector learned from these very
labels, so it tells outliers among them and not errors that most of them share; with `cross_fit` it
has not learned from those of the image that it judges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from stages.geometry.masks import Rle, masks_to_rles, rle_boxes, rle_iou, rle_of
from stages.labels.known import NOTHING, known_objects
from stages.labels.relabelling import (
    Known,
    Limits,
    agreed_score,
    could_stand,
    is_better,
    majority,
    surest,
)
from stages.learning.shard import walked
from stages.methods.crossed import check_judge
from stages.methods.kit import Kit
from stages.photographs.reading import photograph
from stages.runtime.device import Device
from stages.runtime.provenance import fingerprint
from stages.tables.headers import read_header
from stages.tables.label_scores import LABEL_SCORES
from stages.tables.predictions import PREDICTIONS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from stages.tables.trail import TRAIL

PACKAGES = ("torch", "numpy", "pycocotools", "opencv-python-headless")
Row = dict[str, Any]


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages, and how the tables of the round before were made, the same for all its shards."""
    assert kit.former is not None
    files = (kit.former.labels, kit.former.predictions, kit.former.scores)
    headers = [read_header(path) for path in files]
    check_judge(kit.block.cross_fit, headers[1], kit.former.predictions)
    made = [{k: v for k, v in header.items() if k != "shard"} for header in headers]
    return {"packages": PACKAGES, "former": [fingerprint(header) for header in made]}


def opened_refiner(kit: Kit, device: Device) -> "Relabel":
    """The refiner; it has no network of its own, so `device` is not asked."""
    return Relabel(kit)


@dataclass(frozen=True, slots=True)
class Judged:
    """An object and its label of the round before.

    image : row of table `images`. row : of table `pseudo_labels`, as the round before left it.
    rle : its mask. sure : how likely the detector thinks its class to be in its box.
    proposals : rows of table `proposals` of the image.
    """

    image: Mapping[str, Any]
    row: Row
    rle: Rle
    known: Known
    sure: float
    proposals: pa.Table

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image, px."""
        return self.row["height"], self.row["width"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A detection that could stand for an object.

    row : of table `predictions`. rle : its own mask. overlap : IoU of that with the label.
    """

    row: Row
    rle: Rle
    overlap: float


class Relabel:
    """Pseudo-labels of one image after the other, along rising ids."""

    def __init__(self, kit: Kit):
        assert kit.former is not None
        self.kit, self.keys = kit, kit.block
        self.limits = Limits(self.keys.box_fit, self.keys.overlap, self.keys.near)
        names = PSEUDO_LABELS.schema.names
        self.former = walked(kit.former.labels, PSEUDO_LABELS, names)
        self.predictions = walked(kit.former.predictions, PREDICTIONS, PREDICTIONS.schema.names)
        self.scores = walked(kit.former.scores, LABEL_SCORES, LABEL_SCORES.schema.names)

    def labels(
        self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table, scores: pa.Table
    ) -> tuple[pa.Table, pa.Table]:
        """Rows of the tables `pseudo_labels` and `trail`."""
        image_id = image["image_id"]
        former = _rows(self.former.rows(image_id))
        sure = {row["instance_id"]: row["score"] for row in _rows(self.scores.rows(image_id))}
        seen = _rows(self.predictions.rows(image_id))
        known = known_objects(labels)
        rows, trail = [], []
        for row in former:
            number, rle = row["instance_id"], rle_of(row["rle"], row["height"], row["width"])
            if row["mask_source"] != "given":  # which is nobody's business
                mine = known.get(number, NOTHING)
                made, steps = self._judged(
                    Judged(image, row, rle, mine, sure[number], proposals), seen
                )
                rows.append(made)
                trail += steps
        return rows_table(PSEUDO_LABELS, rows), rows_table(TRAIL, trail)

    def _judged(self, one: Judged, seen: Sequence[Row]) -> tuple[Row, list[Row]]:
        """A label of the round before as it is now, and the steps to it."""
        is_bad = not could_stand([one.rle], one.known, one.rle, self.limits)[0]
        found = self._candidate(one, seen)
        taken = found if found is not None and self._is_believed(one, found, is_bad) else None
        made = dict(one.row)
        if taken is not None:
            made |= self._replaced(one, taken)
        if self.keys.rescore != "none":
            made["score"] = max(one.sure, taken.row["score"]) if taken is not None else one.sure
        if self.keys.rescore == "agreement":
            made["score"] = agreed_score(made["score"], overlaps_of(one, made, found))
        notes = ("bad" if is_bad else "", "", "kept" if taken is None else "replaced")
        return made, steps_of(one, made, found, notes)

    def _is_believed(self, one: Judged, found: Candidate, is_bad: bool) -> bool:
        """Whether a detection replaces the label; the majority hears each."""
        score = found.row["score"]
        return self.keys.rule == "majority" or is_better(
            found.overlap, score, one.sure, is_bad=is_bad, limits=self.limits
        )

    def _candidate(self, one: Judged, seen: Sequence[Row]) -> Candidate | None:
        """The surest detection of its class that could stand for an object."""
        mine = [row for row in seen if row["category_id"] == one.row["category_id"]]
        rles = [rle_of(row["rle"], *one.size) for row in mine]
        allowed = could_stand(rles, one.known, one.rle, self.limits)
        number = surest(allowed, np.array([row["score"] for row in mine]))
        if number is None:
            return None
        overlap = float(rle_iou([rles[number]], [one.rle])[0, 0])
        return Candidate(mine[number], rles[number], overlap)

    def _replaced(self, one: Judged, found: Candidate) -> Row:
        """What a label becomes where the detection is believed."""
        stands, source = self._stand_in(one, found)
        if self.keys.rule == "majority":
            voted = majority([one.rle, found.rle, stands])
            stands, source = masks_to_rles(voted[None])[0], "vote"
        x0, y0, x1, y1 = hull = rle_boxes([stands])[0].tolist()
        keeps = one.row["box_given"] or x1 <= x0 or y1 <= y0  # three may have no pixel in common
        return {
            "rle": stands["counts"],
            "box": one.row["box"] if keeps else hull,
            "mask_source": source,
            "mask_quality": min(float(found.row["score"]), 1.0),
            "proposal_id": None,
            "extra_rles": [],
            "ignore_rle": None,
            "mask_weight": 1.0,
        }

    def _stand_in(self, one: Judged, found: Candidate) -> tuple[Rle, str]:
        """The mask that stands for a detection, and its source."""
        if self.keys.mask == "proposal":
            rows = [row for row in _rows(one.proposals) if row["valid"]]
            bag = [row for row in rows if row["bag_id"] == one.row["instance_id"]]
            rles = [rle_of(row["rle"], *one.size) for row in bag]
            if rles:
                return rles[int(rle_iou(rles, [found.rle])[:, 0].argmax())], "proposal"
        if self.keys.mask == "close_up" and self.kit.zoom is not None:
            close = self._close_up(one, found)
            if could_stand([close], one.known, one.rle, self.limits)[0]:
                return close, "zoom"
        return found.rle, "detector"

    def _close_up(self, one: Judged, found: Candidate) -> Rle:
        """What the segmenter sees in the detection's box."""
        assert self.kit.zoom is not None
        box = np.array([found.row["box"]], dtype=np.float32)
        folder = self.kit.image_folder
        (counts,) = self.kit.zoom.rles(one.image, box, lambda: photograph(folder, one.image))
        return rle_of(counts, *one.size)


def overlaps_of(one: Judged, made: Row, found: Candidate | None) -> tuple[float, float]:
    """IoU of a detection with the label as it was and as it is now; 0 without a detection."""
    if found is None:
        return 0.0, 0.0
    now = rle_of(made["rle"], *one.size)
    return found.overlap, float(rle_iou([found.rle], [now])[0, 0])


def _rows(table: pa.Table | None) -> list[Row]:
    return [] if table is None else table.to_pylist()


def steps_of(
    one: Judged, made: Row, found: Candidate | None, notes: tuple[str, str, str]
) -> list[Row]:
    """Rows of table `trail`: the label until now, the detection, and what became of it."""
    ids = {"image_id": one.row["image_id"], "instance_id": one.row["instance_id"]}
    seen = found.row if found else {"box": None, "score": None}
    steps = (
        ("label", one.row["box"], one.sure),
        ("detection", seen["box"], seen["score"]),
        ("relabel", made["box"], None),
    )
    return [
        {**ids, "step": number, "name": name, "box": box, "score": score, "note": note}
        for number, ((name, box, score), note) in enumerate(zip(steps, notes, strict=True))
    ]
