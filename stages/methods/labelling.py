"""From what a refiner chose for an image to rows of `pseudo_labels` and `trail`.

Shared by the refiners of bags: the masks (vote, zoom, cleaning), and what is written of the way.
Column `mask_quality` is the IoU that the segmenter itself predicts for the proposal that a mask
started from: an estimate of its own work, measured by nobody.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from stages.geometry.masks import Rle, rle_of
from stages.labels.by_instance import labels_of_instances
from stages.learning.bags import ImageBags
from stages.learning.labelled import Labelled, labelled_bags
from stages.learning.pseudo_masks import Closer, PseudoMask, pseudo_masks
from stages.learning.refinement import Refinement
from stages.methods.kit import Kit
from stages.mil.bms import RULES
from stages.photographs.reading import photograph
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from stages.tables.trail import TRAIL


class Labeller:
    """Rows of one image after the other."""

    def __init__(self, kit: Kit):
        assert kit.refine is not None
        self.settings, self.folder, self.zoom = kit.refine, kit.image_folder, kit.zoom

    def rows(
        self,
        image: Mapping[str, Any],
        labels: pa.Table,
        proposals: pa.Table,
        bags: ImageBags,
        answer: Refinement,
        *,
        factor: float = 1.0,
    ) -> tuple[pa.Table, pa.Table]:
        """Rows of the tables `pseudo_labels` and `trail` of one image.

        Parameters
        ----------
        image, labels, proposals : rows of the tables, masks included. bags : cut from them.
        answer : in px of another grid; factor : its pixels per pixel of the image.
        """
        rles = masks_of(proposals, bags)
        known = labelled_bags(labels)
        masks = pseudo_masks(
            bags,
            answer,
            rles,
            self.settings,
            factor=factor,
            closer=self._closer(image),
            given=[known[bag_id].box for bag_id in bags.bag_ids],
        )
        boxes = answer.boxes(factor)
        rows = pseudo_label_rows(image, labels, bags, answer, boxes["prm_bms"], rles, masks)
        return rows, trail_rows(bags, answer, boxes)

    def _closer(self, image: Mapping[str, Any]) -> Closer | None:
        """What the segmenter sees close up about boxes in the image, or None."""
        zoom = self.zoom
        if zoom is None:
            return None

        def pixels() -> np.ndarray:
            return photograph(self.folder, image)

        return lambda boxes: zoom.rles(image, boxes, pixels)


def masks_of(proposals: pa.Table, bags: ImageBags) -> list[list[Rle]]:
    """Per object the masks of its bag."""
    size = (int(bags.size[0]), int(bags.size[1]))
    rles = iter([rle_of(counts, *size) for counts in proposals.column("rle").to_pylist()])
    return [list(itertools.islice(rles, int(length))) for length in bags.lengths]


def pseudo_label_rows(
    image: Mapping[str, Any],
    labels: pa.Table,
    bags: ImageBags,
    answer: Refinement,
    boxes: list[list[float]],
    rles: list[list[Rle]],
    masks: list[PseudoMask],
) -> pa.Table:
    """Table `pseudo_labels` of one image.

    Parameters
    ----------
    boxes : refined ones, xyxy px of the image. rles : per object the masks of its bag.
    masks : the pseudo-label of each object.
    """
    known, all_labels = labelled_bags(labels), labels_of_instances(labels)
    size = {name: image[name] for name in ("image_id", "height", "width")}
    return rows_table(
        PSEUDO_LABELS,
        [
            {
                **size,
                "instance_id": bag_id,
                "label_ids": [row["label_id"] for row in all_labels[bag_id]],
                **_box(known[bag_id], boxes[i]),
                **_mask(i, bags, answer, masks[i]),
                "extra_rles": [rles[i][slot]["counts"] for slot in answer.extra[i]],
            }
            for i, bag_id in enumerate(bags.bag_ids)
        ],
    )


def _box(known: Labelled, refined: list[float]) -> dict[str, Any]:
    box = known.box or refined
    given = known.box is not None
    return {"category_id": known.category_id, "box": box, "box_given": given}


def _mask(i: int, bags: ImageBags, answer: Refinement, mask: PseudoMask) -> dict[str, Any]:
    assert bags.bag_scores is not None
    slot = int(answer.chosen[i])
    return {
        "rle": mask.rle["counts"],
        "mask_source": mask.source,
        "proposal_id": slot,
        "score": float(bags.bag_scores[i].clamp(0, 1)),
        "mask_quality": float(bags.quality[i, slot]),
        "mask_weight": 1.0,
    }


def trail_rows(
    bags: ImageBags, answer: Refinement, boxes: Mapping[str, list[list[float]]]
) -> pa.Table:
    """Table `trail` of one image: select's choice, the refined box, and what BMS made of it.

    Parameters
    ----------
    boxes : per step, by name, the box of each object, xyxy px of the image.
    """
    assert bags.chosen is not None
    assert bags.scores is not None
    of_choice = bags.scores.gather(1, bags.chosen[:, None])[:, 0]
    rows = []
    for i, bag_id in enumerate(bags.bag_ids):
        ids = {"image_id": bags.image_id, "instance_id": bag_id}
        steps = (  # name, proposal, score, note
            ("psm", bags.chosen[i], of_choice[i], ""),
            ("prm", answer.chosen_select[i], answer.score[i], ""),
            ("prm_bms", answer.chosen[i], None, RULES[int(answer.rules[i])]),
        )
        for step, (name, slot, score, note) in enumerate(steps):
            row = {**ids, "step": step, "name": name, "box": boxes[name][i], "note": note}
            row |= {"proposal_id": int(slot), "score": None if score is None else float(score)}
            rows.append(row)
    return rows_table(TRAIL, rows)
