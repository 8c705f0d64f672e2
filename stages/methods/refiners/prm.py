"""PRM's box of each object, mined by BMS, and the proposal closest to it.

SAPNet, Sec. 3.4: the exported mask is always one of SAM's. Departures, each a config key:
the bag may vote for the mask (`refine.vote`), and the segmenter may be asked again about the
refined box (`refine.zoom`).
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stages.learning.bags import image_bags
from stages.learning.batches import one_image, scaled
from stages.learning.opening import feature_facts, fitted_network, open_inputs
from stages.learning.refine_step import heads, refine_image
from stages.methods.kit import Kit
from stages.methods.labelling import Labeller
from stages.runtime.device import Device
from stages.runtime.provenance import sha256_of
from stages.settings.refine import Refine

PACKAGES = ("pycocotools", "opencv-python-headless")


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages, and checksums of the trained network and of the features' weights.

    Raises
    ------
    ValueError : there is no model, or a weight file is missing.
    """
    if kit.model is None:
        raise ValueError("refine.method prm needs --model, and none was given. Run fit_refine.")
    facts = feature_facts(kit.select.psm.features, kit.propose)
    packages = tuple(dict.fromkeys([*facts.pop("packages"), *PACKAGES]))
    return {"packages": packages, "fitted": sha256_of(kit.model), **facts}


def opened_refiner(kit: Kit, device: Device) -> "Prm":
    """The refiner with its network on `device`; raises ValueError where the model does not fit."""
    return Prm(kit, device)


class Prm:
    """Pseudo-labels of one image after the other."""

    def __init__(self, kit: Kit, device: Device):
        assert kit.model is not None
        self.select, self.settings, self.order = kit.select, kit.refine or Refine(), kit.order
        features = kit.select.psm.features
        self.inputs = open_inputs(
            features, kit.propose, folder=kit.image_folder, device=device(), cache=kit.embeddings
        )
        columns = heads(len(kit.category_ids), self.select, self.settings)
        self.network = fitted_network(kit.model, features, self.inputs, columns)
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
        pixels, large = one_image(image, self.inputs), scaled(bags, self.inputs)
        answer = refine_image(self.network, pixels, large, self.settings, self.select)
        factor = self.inputs.factor(bags.size)
        return self.labeller.rows(image, labels, proposals, bags, answer, factor=factor)
