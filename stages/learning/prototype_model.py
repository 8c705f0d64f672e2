"""The file of SIM's prototypes: of each class up to L directions, with the pixels behind them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.box_supervision.semantic_map import is_filled
from stages.learning.model_file import load_model, to_bytes
from stages.runtime.atomic import write_bytes


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Prototypes of all classes.

    Attributes
    ----------
    vectors : (C, L, D) float, of length 1, or 0 where no pixel was found. counts : (C, L) int,
        pixels of the last pass. category_ids : (C,) of each class.
    """

    vectors: np.ndarray
    counts: np.ndarray
    category_ids: tuple[int, ...]

    def known(self) -> np.ndarray:
        """(C,) bool: classes with a prototype at least."""
        return np.asarray(is_filled(self.vectors).any(axis=1))

    def of(self, category_id: int) -> np.ndarray | None:
        """(L, D) of a class, or None where no pixel was found for it."""
        vectors = self.vectors[self.category_ids.index(category_id)]
        return vectors if is_filled(vectors).any() else None


def save_prototypes(path: Path, prototypes: Prototypes, header: Mapping[str, Any]) -> None:
    """Write them with what they depend on."""
    state = {
        "prototypes": torch.from_numpy(prototypes.vectors.astype(np.float32)),
        "counts": torch.from_numpy(prototypes.counts.astype(np.int64)),
        "category_ids": torch.tensor(prototypes.category_ids, dtype=torch.int64),
    }
    write_bytes(path, to_bytes({"state": state, "header": json.dumps(header, sort_keys=True)}))


def load_prototypes(path: Path, category_ids: Sequence[int]) -> Prototypes:
    """The prototypes of these classes.

    Raises
    ------
    ValueError : missing, no such file, of other classes, or not finite.
    """
    state = load_model(path)[0]
    found = [state.get(key) for key in ("prototypes", "counts", "category_ids")]
    if not all(isinstance(each, torch.Tensor) for each in found) or not _fit(*found):
        raise ValueError(f"{path}: holds no prototypes. Remove it and run snakemake again.")
    vectors, counts, own = (each.numpy() for each in found if each is not None)
    if own.tolist() != list(category_ids):
        raise ValueError(
            f"{path}: prototypes of {len(own)} classes, but the run's {len(category_ids)} are "
            "others. Rerun with -R fit_refine."
        )
    if not np.isfinite(vectors).all():
        raise ValueError(f"{path}: the prototypes are damaged. Remove it and run snakemake again.")
    return Prototypes(vectors, counts, tuple(category_ids))


def _fit(vectors: Any, counts: Any, own: Any) -> bool:
    """Whether tensors of a file are of types and sizes that belong together."""
    sizes = vectors.dim() == 3, vectors.shape[:2] == counts.shape, own.shape == vectors.shape[:1]
    return all(sizes) and vectors.dtype == torch.float32
