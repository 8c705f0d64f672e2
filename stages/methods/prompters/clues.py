"""Peaks of maps as prompts: where a network that knows an image's tags sees their classes.

WeakSAM, Sec. 3.1 and 3.2. Of coarse and fine maps each peak is a prompt, and all peaks of a class
and map at once are another; of cross-attention, which does not tell objects by their class, the
centres of clusters are. Departures: a joint prompt of a single peak would ask the same again and is
left out; an image without peaks asks nothing, where the released code asks about (100, 100). Points
lie in the middle of their pixel.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.labels.tags import tags_of
from stages.learning.clue_models import fitted_clues
from stages.learning.clue_networks import CLASS_MAPS, ClueProvider, Looks
from stages.learning.prompt_networks import NETWORKS
from stages.methods.kit import LookingKit
from stages.mil.peaks import Peak, clustered, peak_points
from stages.runtime.doors import opened
from stages.runtime.provenance import sha256_of
from stages.runtime.randomness import Purpose, rng_of
from stages.settings.prompters.clues import Settings
from stages.tables.prompts import PROMPTS
from stages.tables.table import rows_table
from stages.tables.weak_labels import TAG_BAG

Row = dict[str, Any]
MIDDLE = 0.5  # px from the corner of a pixel


def facts_of_method(kit: LookingKit) -> dict[str, Any]:
    """Packages, and checksums of the trained network and of what it looks through.

    Raises
    ------
    ValueError : there is no model, or a weight file is missing.
    """
    model = kit.fitted("clues")
    network = opened(NETWORKS[kit.fit.network].module)
    facts = network.facts_of_network(kit.fit, kit.propose, fresh=False)
    return {"fitted": sha256_of(model), **facts}


def modules_of(kit: LookingKit) -> tuple[str, ...]:
    """The network's module, and those that its settings choose."""
    module = NETWORKS[kit.fit.network].module
    return (module, *opened(module).modules_of(kit.fit, kit.propose))


def opened_prompter(settings: Settings, kit: LookingKit, device: torch.device) -> "Clues":
    """The prompter with its network on `device`; raises ValueError where the model does not fit."""
    assert kit.model is not None
    learner = fitted_clues(
        kit.model,
        kit.fit,
        kit.propose,
        classes=list(kit.classes.values()),
        folder=kit.image_folder,
        device=device,
        cache=kit.embeddings,
    )
    return Clues(learner, settings, order=kit.order, seed=kit.seed)


class Clues:
    """Prompts of one image after the other.

    Parameters
    ----------
    provider : of maps; any will do. order : column of each class, by category_id.
    """

    kinds = frozenset({"tag"})

    def __init__(
        self, provider: ClueProvider, settings: Settings, *, order: dict[int, int], seed: int
    ):
        self.provider, self.settings = provider, settings
        self.order, self.seed = order, seed
        self.looks = Looks(settings.maps, settings.scales, settings.flip, settings.cross_layers)

    def prompts(self, image: dict[str, Any], labels: pa.Table) -> pa.Table:
        """Rows of table `prompts`: map by map as `maps` has them, class by class, peaks falling.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        """
        categories = list(tags_of(labels))
        if not categories:
            return rows_table(PROMPTS, [])
        maps = self.provider.maps(image, [self.order[c] for c in categories], self.looks)
        rows: list[Row] = []
        for name in self.settings.maps:
            if name in CLASS_MAPS:
                rows += self._of_classes(name, maps[name], categories)
            else:
                rows += self._of_none(name, maps[name], image["image_id"])
        ids = {"image_id": image["image_id"], "bag_id": TAG_BAG}
        return rows_table(PROMPTS, [{**ids, "prompt_id": n, **row} for n, row in enumerate(rows)])

    def _of_classes(
        self, name: str, maps: Iterable[np.ndarray], categories: Sequence[int]
    ) -> list[Row]:
        rows: list[Row] = []
        found = self._peaks(maps, self.settings.kernel)
        for category, peaks in zip(categories, found, strict=True):
            known = {"category_id": category, "source_map": name}
            rows += [{**_asked([p]), "kind": "peak", "value": p.value, **known} for p in peaks]
            if self.settings.joint and len(peaks) > 1:
                rows.append({**_asked(peaks), "kind": "peaks", "value": None, **known})
        return rows

    def _of_none(self, name: str, maps: Iterable[np.ndarray], image_id: int) -> list[Row]:
        """Centres of clusters; each has the highest value of the points that it stands for."""
        found = self._peaks(maps, self.settings.cross_kernel)
        peaks = [peak for own in found for peak in own]
        points = np.array([(p.x, p.y) for p in peaks], dtype=int).reshape(-1, 2)
        rng = rng_of(self.seed, Purpose.CLUSTER, image_id)
        centres, members = clustered(points, per_cluster=self.settings.per_cluster, rng=rng)
        values = np.array([peak.value for peak in peaks])
        known = {"kind": "peak", "category_id": None, "source_map": name}
        return [
            {**_asked([Peak(int(x), int(y), 0)]), "value": values[members == k].max(), **known}
            for k, (x, y) in enumerate(centres)
        ]

    def _peaks(self, maps: Iterable[np.ndarray], kernel: int) -> list[list[Peak]]:
        keys = self.settings
        more: Any = {"threshold": keys.threshold, "most": keys.most, "distance": keys.distance}
        return peak_points(maps, kernel=kernel, **more)


def _asked(peaks: Iterable[Peak]) -> Row:
    points = [[peak.x + MIDDLE, peak.y + MIDDLE] for peak in peaks]
    return {"points": points, "point_signs": [1] * len(points)}
