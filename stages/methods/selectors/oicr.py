"""OICR and MIST: a network that has learned from image tags scores every proposal for each tag.

WeakSAM, Sec. 3.3. Nothing is thresholded: each proposal has a row for each class of its image,
and `selected` marks what survives the class's NMS. Departures are in `stages.learning.tag_scores`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.learning.bags import BAG_COLUMNS
from stages.learning.batches import one_image, scaled
from stages.learning.opening import feature_facts, open_inputs, with_weights
from stages.learning.tag_bags import TagBags, tag_bags
from stages.learning.tag_network import open_tag_network
from stages.learning.tag_scores import Detections, detections
from stages.methods.kit import Kit
from stages.runtime.device import Device
from stages.runtime.provenance import sha256_of
from stages.tables.selections import SELECTIONS
from stages.tables.table import table_of
from stages.tables.weak_labels import TAG_BAG

COLUMNS = BAG_COLUMNS


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages, and checksums of the trained network and of the features' weights.

    Raises
    ------
    ValueError : there is no model, or a weight file is missing.
    """
    if kit.model is None:
        raise ValueError(
            f"select.method {kit.select.method} needs --model, and none was given. Run fit_select."
        )
    features = feature_facts(kit.block.features, kit.propose)
    return {"fitted": sha256_of(kit.model), **features}


def opened_selector(kit: Kit, device: Device) -> "TagSelector":
    """The selector with its network on `device`; raises ValueError where the model does not fit."""
    return TagSelector(kit, device)


class TagSelector:
    """Scores of one image after the other."""

    def __init__(self, kit: Kit, device: Device):
        assert kit.model is not None
        self.settings, self.order = kit.block, kit.order
        self.inputs = open_inputs(
            self.settings.features,
            kit.propose,
            folder=kit.image_folder,
            device=device(),
            cache=kit.embeddings,
        )
        fresh = open_tag_network(self.inputs, self.settings, len(kit.category_ids))
        self.network = with_weights(fresh, kit.model)

    def scores(self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table) -> pa.Table:
        """Rows of table `selections`: one for each proposal and class in the tags."""
        bags = tag_bags(image, labels, proposals, self.order, min_side=self.settings.min_side)
        views = [
            (one_image(image, self.inputs, flip=flip), scaled(bags, self.inputs, flip=flip))
            for flip in ((False, True) if self.settings.flip else (False,))
        ]
        found = detections(self.network, views, self.settings)
        factor = self.inputs.factor(bags.size) if self.settings.regression else None
        return detection_rows(bags, found, sorted(self.order), factor=factor)


def detection_rows(
    bags: TagBags, found: Detections, category_ids: list[int], *, factor: float | None
) -> pa.Table:
    """Table `selections` of one image: rows by proposal, then class.

    Parameters
    ----------
    bags : on the image's own grid. category_ids : all classes, in the order of the bags' tags.
    factor : pixels of the detections' grid per pixel of the image; None where no box was moved.
    """
    rows, classes = found.score.shape
    ids = np.array(category_ids)[found.classes.cpu().numpy()]
    size = rows * classes
    columns: dict[str, Any] = {
        "image_id": np.full(size, bags.image_id),
        "bag_id": np.full(size, TAG_BAG),
        "proposal_id": np.repeat(np.arange(rows, dtype=np.int32), classes),
        "category_id": np.tile(ids, rows).astype(np.int32),
        "score": flat(found.score),
        "selected": flat(found.selected),
        "bag_score": np.tile(found.phi.cpu().numpy(), rows),
        "score_cls": flat(found.cls),
        "score_ins": flat(found.ins),
        "score_dis": [None] * size,
        "box": [None] * size if factor is None else _boxes(found.boxes, bags, factor),
    }
    return table_of(SELECTIONS, columns)


def flat(values: torch.Tensor) -> np.ndarray:
    """(r, t) to (r t,)."""
    array: np.ndarray = values.cpu().numpy().reshape(-1)
    return array


def _boxes(boxes: torch.Tensor, bags: TagBags, factor: float) -> list[list[float]]:
    """(r, t, 4) px of another grid to px of the image, cut at its border once more."""
    height, width = bags.size
    made = boxes.cpu().double().reshape(-1, 4) / factor
    limit = made.new_tensor([width, height, width, height])
    cut: list[list[float]] = torch.minimum(made.clamp(min=0), limit).tolist()
    return cut
