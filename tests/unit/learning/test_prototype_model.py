"""The file of prototypes round-trips, and others are refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stages.learning.model_file import load_model
from stages.learning.prototype_model import Prototypes, load_prototypes, save_prototypes

VECTORS = np.zeros((3, 2, 4))
VECTORS[0, :, 1] = 1
VECTORS[2, 1, 3] = -1
COUNTS = np.array([[3, 1], [0, 0], [0, 5]])


def saved(folder: Path, **changes: object) -> Path:
    path = folder / "model.pt"
    state = {
        "prototypes": torch.from_numpy(VECTORS).float(),
        "counts": torch.from_numpy(COUNTS),
        "category_ids": torch.tensor([10, 20, 30]),
        **changes,
    }
    kept = {key: value for key, value in state.items() if value is not None}
    torch.save({"state": kept, "header": "{}"}, path)
    return path


def test_it_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    save_prototypes(path, Prototypes(VECTORS, COUNTS, (10, 20, 30)), {"seed": 3})
    seen = load_prototypes(path, [10, 20, 30])
    assert (seen.vectors == VECTORS).all()
    assert seen.vectors.dtype == np.float32
    assert (seen.counts == COUNTS).all()
    assert load_model(path)[1] == {"seed": 3}


def test_a_class_without_pixels_has_none() -> None:
    prototypes = Prototypes(VECTORS, COUNTS, (10, 20, 30))
    assert prototypes.known().tolist() == [True, False, True]
    assert prototypes.of(20) is None
    found = prototypes.of(30)
    assert found is not None
    assert (found == VECTORS[2]).all()
    nothing = Prototypes(np.zeros((3, 2, 0)), COUNTS * 0, (10, 20, 30))  # no pixel anywhere
    assert nothing.of(10) is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prototypes": None}, "holds no prototypes"),
        ({"counts": torch.zeros(3, 5)}, "holds no prototypes"),
        ({"prototypes": "text"}, "not a model file"),
        ({"category_ids": torch.tensor([10, 20, 31])}, r"others\. Rerun with -R fit_refine"),
        ({"category_ids": torch.tensor([10, 20])}, "holds no prototypes"),
        ({"prototypes": torch.from_numpy(VECTORS)}, "holds no prototypes"),
        ({"prototypes": torch.full((3, 2, 4), torch.nan)}, "are finite"),
        ({"prototypes": torch.zeros(3, 2)}, "holds no prototypes"),
    ],
    ids=["none", "other counts", "text", "other class", "fewer", "float64", "NaN", "flat"],
)
def test_others_are_refused(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    path = saved(tmp_path, **changes)
    with pytest.raises(ValueError, match=sentence):
        load_prototypes(path, [10, 20, 30])


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="model file is missing"):
        load_prototypes(tmp_path / "none.pt", [10])
