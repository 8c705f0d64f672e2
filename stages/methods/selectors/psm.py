"""PSM, the proposal selection module: a trained network scores every proposal of a bag.

SAPNet, Sec. 3.2, Eq. 3. Departures, each a config key: S_dis may be applied here alone
(`select.psm.pdg.apply: selection`), and the segmenter's predicted IoU may multiply the score
(`select.psm.quality_exponent`; the paper has 0).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from stages.learning.bags import BAG_COLUMNS, ImageBags, image_bags
from stages.learning.batches import one_image, scaled
from stages.learning.opening import feature_facts, fitted_network, open_inputs
from stages.learning.select_step import Selection, heads, select_image
from stages.methods.kit import Kit
from stages.runtime.device import Device
from stages.runtime.provenance import sha256_of
from stages.settings.refine import Refine
from stages.tables.selections import SELECTIONS
from stages.tables.table import table_of

COLUMNS = BAG_COLUMNS


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages, and checksums of the trained network and of the features' weights.

    Raises
    ------
    ValueError : there is no model, or a weight file is missing.
    """
    if kit.model is None:
        raise ValueError("select.method psm needs --model, and none was given. Run fit_select.")
    features = feature_facts(kit.select.psm.features, kit.propose)
    return {"fitted": sha256_of(kit.model), **features}


def opened_selector(kit: Kit, device: Device) -> "Psm":
    """The selector with its network on `device`; raises ValueError where the model does not fit."""
    return Psm(kit, device)


class Psm:
    """Scores of one image after the other."""

    def __init__(self, kit: Kit, device: Device):
        assert kit.model is not None
        self.select, self.order = kit.select, kit.order
        features = kit.select.psm.features
        self.inputs = open_inputs(
            features, kit.propose, folder=kit.image_folder, device=device(), cache=kit.embeddings
        )
        columns = heads(len(kit.category_ids), kit.select, Refine())
        self.network = fitted_network(kit.model, features, self.inputs, columns)

    def scores(self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table) -> pa.Table:
        """Rows of table `selections`: S_cls, S_ins, S_dis and the score that decides."""
        bags = image_bags(image, labels, proposals, None, self.order)
        pixels = one_image(image, self.inputs)
        answer = select_image(self.network, pixels, scaled(bags, self.inputs), self.select)
        return selection_rows(bags, answer, sorted(self.order))


def selection_rows(bags: ImageBags, selection: Selection, category_ids: list[int]) -> pa.Table:
    """Table `selections` of one image: a row per proposal, padding left out.

    Parameters
    ----------
    category_ids : all classes, in the order of the bags' labels.
    """
    real = np.arange(bags.boxes.shape[1]) < bags.lengths.cpu().numpy()[:, None]  # (n, m)
    objects, slots = np.nonzero(real)
    chosen = selection.chosen.cpu().numpy()
    columns: dict[str, Any] = {
        "image_id": np.full(len(slots), bags.image_id),
        "bag_id": np.array(bags.bag_ids)[objects],
        "proposal_id": slots.astype(np.int32),
        "category_id": np.array(category_ids)[bags.labels.cpu().numpy()][objects],
        "selected": slots == chosen[objects],
        "bag_score": selection.bag_score.cpu().numpy()[objects].clip(0, 1),
        "box": [None] * len(slots),
    }
    for name in ("score_cls", "score_ins", "score_dis", "score"):
        columns[name] = getattr(selection, name).cpu().numpy()[objects, slots]
    return table_of(SELECTIONS, columns)
