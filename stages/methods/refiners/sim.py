"""SIM's self-correction: the teacher's mask of each box, fused with the semantic map of its class.

SIM (CVPR 2023), Eq. 1 and 7. In come the teacher's soft masks (table proposals), its mask features,
looked up anew, and the prototypes that fit_refine has made; out goes for each object what is surely
its mask, and what no loss is to look at. Only within the box: outside of it there is nothing. An
object for which the teacher found no positive has an empty mask that nobody trusts; one of a class
without prototypes has the teacher's mask alone, as all have with `alpha: 1`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.box_supervision.fusion import decided, dynamic_threshold, fused
from stages.box_supervision.semantic_map import (
    enlarged,
    semantic_probability,
    similarity,
    unit_vectors,
)
from stages.learning.prototype_model import load_prototypes
from stages.learning.teacher_pixels import TaughtObject, Teacher, opened_teacher, taught_objects
from stages.methods.fused_labelling import Corrected, corrected_rows
from stages.methods.kit import Kit
from stages.photographs.reading import photograph
from stages.runtime.device import Device
from stages.runtime.provenance import sha256_of
from stages.segmenters.on_demand import OnDemand
from stages.settings.refiners.sim import Settings

PACKAGES = ("torch", "numpy", "pycocotools", "opencv-python-headless")


def facts_of_method(kit: Kit) -> dict[str, Any]:
    """Packages, and checksums of the prototypes and of the teacher, where they are asked.

    Raises
    ------
    ValueError : one of them is missing.
    """
    if kit.block.alpha == 1:
        return {"packages": PACKAGES}
    if kit.model is None or kit.propose_model is None:
        raise ValueError(
            "refine.method sim needs --model and --propose-model, and one was not given. Run "
            "fit_propose and fit_refine, or set refine.sim.alpha: 1."
        )
    teacher = _segmenter(kit, lambda: torch.device("cpu"))
    packages = (*PACKAGES, *sorted(teacher.packages - set(PACKAGES)))
    return {"packages": packages, "fitted": sha256_of(kit.model), "asked_sha256": teacher.digest}


def _segmenter(kit: Kit, device: Device) -> OnDemand:
    return OnDemand(kit.propose, device, kit.propose_model)


def opened_refiner(kit: Kit, device: Device) -> "Sim":
    """The refiner, its teacher opened when due; raises ValueError where prototypes do not fit."""
    return Sim(kit, device)


class Sim:
    """Pseudo-labels of one image after the other."""

    def __init__(self, kit: Kit, device: Device):
        self.keys: Settings = kit.block
        self.folder = kit.image_folder
        self.prototypes = None
        if self.keys.alpha < 1:
            assert kit.model is not None
            self.prototypes = load_prototypes(kit.model, kit.category_ids)
            self.teacher = cache(lambda: opened_teacher(_segmenter(kit, device)))

    def labels(
        self, image: Mapping[str, Any], labels: pa.Table, proposals: pa.Table, scores: pa.Table
    ) -> tuple[pa.Table, pa.Table]:
        """Rows of the tables `pseudo_labels` and `trail`."""
        objects = taught_objects(image, labels, proposals, scores)
        maps = self._semantic_maps(image, objects)
        found = [
            corrected(one, semantic, self.keys) for one, semantic in zip(objects, maps, strict=True)
        ]
        return corrected_rows(image, labels, found)

    def _semantic_maps(
        self, image: Mapping[str, Any], objects: Sequence[TaughtObject]
    ) -> list[np.ndarray | None]:
        """M_S of each object's box; None where there is none, or no mask to correct."""
        known = [self._prototypes_of(one) for one in objects]
        if all(prototypes is None for prototypes in known):
            return [None] * len(objects)
        teacher = self.teacher()
        teacher.embed(photograph(self.folder, image))
        classes = {
            one.category_id: prototypes
            for one, prototypes in zip(objects, known, strict=True)
            if prototypes is not None
        }
        grids = similarity_grids(teacher, classes)
        return [
            None
            if prototypes is None
            else semantic_probability(
                enlarged(grids[one.category_id], teacher.stride, *one.part), tau=self.keys.tau
            )
            for one, prototypes in zip(objects, known, strict=True)
        ]

    def _prototypes_of(self, one: TaughtObject) -> np.ndarray | None:
        if self.prototypes is None or not one.chances.any():
            return None
        return self.prototypes.of(one.category_id)


def similarity_grids(teacher: Teacher, classes: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Largest cosine of each cell with the prototypes of each class, by category_id.

    Parameters
    ----------
    teacher : of the image that was embedded last. classes : (L, D) prototypes by category_id.

    Raises
    ------
    ValueError : the prototypes are of another teacher.
    """
    features = unit_vectors(teacher.mask_features().transpose(1, 2, 0))  # (h, w, D)
    for prototypes in classes.values():
        if prototypes.shape[1] != features.shape[2]:
            raise ValueError(
                f"the prototypes have {prototypes.shape[1]} numbers each, but the teacher's "
                f"features {features.shape[2]}. Rerun with -R fit_refine."
            )
    return {number: similarity(features, rows) for number, rows in classes.items()}


def corrected(one: TaughtObject, semantic: np.ndarray | None, keys: Settings) -> Corrected:
    """The mask of an object, fused and cut into what is sure.

    Parameters
    ----------
    semantic : M_S of the object's part of the image, or None: the teacher's mask stands alone.
    """
    limits, whole = keys.thresholds, np.ones(one.chances.shape, dtype=bool)
    chances = one.chances if semantic is None else fused(semantic, one.chances, alpha=keys.alpha)
    high = limits.high
    if limits.mode == "dynamic":
        bounds = limits.high_min, limits.high_max
        high = dynamic_threshold(chances, one.chances, whole, sure=keys.sure, limits=bounds)
    mask = decided(chances, whole, high=high, low=limits.low)
    score = float(one.chances[mask.foreground].mean()) if mask.foreground.any() else 0.0
    return Corrected(
        one, semantic, mask, high, score, is_trusted=score > 0 and score >= keys.min_score
    )
