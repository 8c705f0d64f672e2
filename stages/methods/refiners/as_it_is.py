"""Select's choice is the pseudo-label, mined by BMS where that is wanted; nothing is learned.

SAPNet, Table 4, first rows.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stages.learning.bags import image_bags
from stages.learning.refinement import unrefined
from stages.methods.kit import Kit
from stages.methods.labelling import Labeller
from stages.runtime.device import Device
from stages.settings.refine import Refine

PACKAGES = ("torch", "numpy", "pycocotools", "opencv-python-headless")


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages alone: there are no weights."""
    return {"packages": PACKAGES}


def opened_refiner(kit: Kit, device: Device) -> "AsItIs":
    """The refiner; it has no network, so `device` is not asked."""
    return AsItIs(kit)


class AsItIs:
    """Pseudo-labels of one image after the other."""

    def __init__(self, kit: Kit):
        self.order, self.settings = kit.order, kit.refine or Refine()
        self.labeller = Labeller(kit)

    def labels(
        self,
        image: Mapping[str, Any],
        labels: pa.Table,
        proposals: pa.Table,
        scores: pa.Table,
    ) -> tuple[pa.Table, pa.Table]:
        """Rows of the tables `pseudo_labels` and `trail`."""
        bags = image_bags(image, labels, proposals, scores, self.order)
        answer = unrefined(bags, self.settings)
        return self.labeller.rows(image, labels, proposals, bags, answer)
