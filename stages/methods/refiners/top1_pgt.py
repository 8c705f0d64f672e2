"""Of each tag the best detection alone: WeakSAM's baseline (Table 5)."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stages.methods.detections import detections_of
from stages.methods.kit import Kit
from stages.methods.tag_labelling import Chosen, TagLabeller, chosen_of
from stages.mil.pgt import normalised_scores, top1_pgt
from stages.runtime.device import Device

PACKAGES = ("torch", "numpy", "pycocotools", "opencv-python-headless")


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages alone: there are no weights but the segmenter's."""
    return {"packages": PACKAGES}


def opened_refiner(kit: Kit, device: Device) -> "Top1Pgt":
    """The refiner; it has no network of its own, so `device` is not asked."""
    return Top1Pgt(kit)


class Top1Pgt:
    """Pseudo-labels of one image after the other."""

    def __init__(self, kit: Kit):
        self.labeller = TagLabeller(kit)

    def labels(
        self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table, scores: pa.Table
    ) -> tuple[pa.Table, pa.Table]:
        """Rows of the tables `pseudo_labels` and `trail`."""
        chosen: list[Chosen] = []
        for found in detections_of(image, labels, proposals, scores):
            normalised = normalised_scores(found.scores, norm="max")
            chosen += chosen_of(found, top1_pgt(found.scores), normalised)
        return self.labeller.rows(image, proposals, chosen)
