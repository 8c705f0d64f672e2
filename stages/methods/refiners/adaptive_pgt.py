"""Adaptive pseudo ground truth: of each tag the detections that stand out, as many as there are.

WeakSAM, Sec. 3.4 and Alg. 2, in the two-phase reading of `stages.mil.pgt`; nothing is learned.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stages.methods.detections import detections_of
from stages.methods.kit import Kit
from stages.methods.tag_labelling import Chosen, TagLabeller, chosen_of
from stages.mil.pgt import adaptive_pgt, normalised_scores
from stages.runtime.device import Device

PACKAGES = ("torch", "numpy", "pycocotools", "opencv-python-headless")


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages alone: there are no weights but the segmenter's."""
    return {"packages": PACKAGES}


def opened_refiner(kit: Kit, device: Device) -> "AdaptivePgt":
    """The refiner; it has no network of its own, so `device` is not asked."""
    return AdaptivePgt(kit)


class AdaptivePgt:
    """Pseudo-labels of one image after the other."""

    def __init__(self, kit: Kit):
        self.keys, self.labeller = kit.block, TagLabeller(kit)

    def labels(
        self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table, scores: pa.Table
    ) -> tuple[pa.Table, pa.Table]:
        """Rows of the tables `pseudo_labels` and `trail`."""
        chosen: list[Chosen] = []
        for found in detections_of(image, labels, proposals, scores):
            normalised = normalised_scores(found.scores, norm=self.keys.norm)
            numbers = adaptive_pgt(
                found.boxes, normalised, score=self.keys.score, overlap=self.keys.overlap
            )
            chosen += chosen_of(found, numbers, normalised)
        return self.labeller.rows(image, proposals, chosen)
