"""P2BNet's boxes as prompts: where a network that learned from points sees a point's object.

SAPNet, Sec. 4.2: SAM is asked with the labelled point and, apart from it, with the box that an
enhancer makes of it, which is P2BNet (Chen et al., ECCV 2022). The point itself is asked by the
source `labels`. An object whose box is given needs no other.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.geometry.boxes import clip_boxes
from stages.learning.batches import one_image, scaled
from stages.learning.inputs import Inputs
from stages.learning.own_weights import put, state_of
from stages.learning.p2b_network import facts_of_network, opened_network
from stages.learning.p2b_network import modules_of as modules_of_network
from stages.learning.p2b_step import image_boxes
from stages.learning.point_bags import PointBags, point_bags
from stages.learning.two_branch import TwoBranch
from stages.methods.kit import LookingKit
from stages.runtime.provenance import sha256_of
from stages.settings.box_networks.p2b import Settings as Network
from stages.settings.prompters.p2b import Settings
from stages.tables.prompts import PROMPTS
from stages.tables.table import rows_table

MODULE = "stages.learning.p2b_network"


def facts_of_method(kit: LookingKit) -> dict[str, Any]:
    """Packages, and checksums of the trained network and of what it looks through.

    Raises
    ------
    ValueError : there is no model, or a weight file is missing.
    """
    model = kit.fitted("p2b")
    return {"fitted": sha256_of(model), **facts_of_network(kit.fit, kit.propose, fresh=False)}


def modules_of(kit: LookingKit) -> tuple[str, ...]:
    """The network's module, and those that its settings choose."""
    return (MODULE, *modules_of_network(kit.fit, kit.propose))


def opened_prompter(settings: Settings, kit: LookingKit, device: torch.device) -> "P2b":
    """The prompter with its network on `device`; raises ValueError where the model does not fit."""
    assert kit.model is not None
    classes = list(kit.classes.values())
    state = state_of(kit.model, classes)
    network, inputs = opened_network(
        kit.fit,
        kit.propose,
        classes=len(classes),
        folder=kit.image_folder,
        device=device,
        cache=kit.embeddings,
    )
    put(network, state, kit.model, name="p2b")
    return P2b(network, inputs, kit.fit.p2b, rounds=settings.rounds, order=kit.order)


class P2b:
    """Boxes of one image after the other.

    Parameters
    ----------
    rounds : how often a box is refined. order : column of each class, by category_id.
    """

    kinds = frozenset({"point"})

    def __init__(
        self,
        network: TwoBranch,
        inputs: Inputs,
        settings: Network,
        *,
        rounds: int,
        order: Mapping[int, int],
    ):
        self.network, self.inputs, self.settings = network, inputs, settings
        self.rounds, self.order = rounds, order

    def prompts(self, image: dict[str, Any], labels: pa.Table) -> pa.Table:
        """Rows of table `prompts`: a box for each object with a point.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        """
        bags = point_bags(image, labels, self.order)
        boxes = self.boxes(image, bags) if bags.bag_ids else np.zeros((0, 4))
        rows = [
            {
                **{"image_id": image["image_id"], "bag_id": bag_id, "prompt_id": 0},
                **{"kind": "box", "box": box},
            }
            for bag_id, box in zip(bags.bag_ids, boxes.tolist(), strict=True)
        ]
        return rows_table(PROMPTS, rows)

    def boxes(self, image: Mapping[str, Any], bags: PointBags) -> np.ndarray:
        """(n, 4) xyxy px of the image itself; bags : at least one, in the same px."""
        there, pixels = scaled(bags, self.inputs), one_image(image, self.inputs)
        found = image_boxes(self.network, pixels, there, self.settings, rounds=self.rounds)
        own = found.cpu().numpy() / self.inputs.factor((image["height"], image["width"]))
        return clip_boxes(own, image["height"], image["width"])
