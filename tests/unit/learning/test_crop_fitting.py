"""BoxCaseg learns from boxes and masks, resumes to the same bytes, and refuses what is short."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.learning.crop_fitting import CropLearner, facts_of_fit, trained
from stages.learning.model_file import load_model
from stages.runtime.provenance import sha256_of
from stages.segmenters.boxcaseg import opened_segmenter
from stages.segmenters.segmenter import Asked
from stages.settings.overrides import laid_over
from tests.crop_set import SMALL, CropSet, build_crop_set, log_of, propose


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    return build_crop_set(tmp_path_factory.mktemp("crops"), images=12, salient=7)


def fit(
    drawn: CropSet, out: Path, changes: dict[str, Any] | None = None, **more: Any
) -> tuple[bytes, list[dict[str, float]]]:
    block = laid_over(SMALL, changes or {})
    trained(drawn.args(out, **more), propose(block), {"stage": "stages.fit_propose"})
    return out.read_bytes(), log_of(out)


def test_model_and_log_are_complete(drawn: CropSet, tmp_path: Path) -> None:
    _, log = fit(drawn, tmp_path / "model.pt")
    assert [line["step"] for line in log] == [1, 2, 3, 4]  # 7 masks, 4 of them a step, 2 epochs
    parts = ("mil", "smooth", "pixel")
    for line in log:
        assert line["loss"] == pytest.approx(sum(line[part] for part in parts), abs=1e-5)
        assert 0 <= line["box_filled_weak"] <= 1
        assert 0 <= line["box_filled"] <= 1
        assert line["images"] == 8
    assert log[0]["lr"] == 0.003
    assert log[2]["lr"] == pytest.approx(0.003 * 0.5**0.9)  # poly
    _, header = load_model(tmp_path / "model.pt")
    assert header == {"stage": "stages.fit_propose"}
    assert {path.name for path in tmp_path.iterdir()} == {"model.pt", "model.jsonl"}


def test_equal_seeds_give_equal_bytes_and_others_do_not(drawn: CropSet, tmp_path: Path) -> None:
    first, _ = fit(drawn, tmp_path / "first.pt", seed=3)
    assert fit(drawn, tmp_path / "again.pt", seed=3)[0] == first
    assert fit(drawn, tmp_path / "other.pt", seed=4)[0] != first
    weights = {"training": {"workers": 1}}
    state, _ = load_model(tmp_path / "first.pt")
    fit(drawn, tmp_path / "read_ahead.pt", weights, seed=3)
    ahead, _ = load_model(tmp_path / "read_ahead.pt")
    assert all(torch.equal(ahead[key], value) for key, value in state.items())


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_killed_training_ends_with_the_same_bytes(
    drawn: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, optimizer: str
) -> None:
    changes = {"training": {"optimizer": optimizer}}
    wanted, _ = fit(drawn, tmp_path / "whole.pt", changes)
    steps = list[int]()
    monkeypatch.setattr(CropLearner, "loss", counted(CropLearner.loss, steps, limit=at))
    with pytest.raises(KeyboardInterrupt):
        fit(drawn, tmp_path / "killed.pt", changes)
    assert not (tmp_path / "killed.pt").exists()
    monkeypatch.undo()
    seen, log = fit(drawn, tmp_path / "killed.pt", changes)
    assert seen == wanted
    assert [line["step"] for line in log] == [1, 2, 3, 4]


def counted(loss: Callable[..., Any], steps: list[int], *, limit: int) -> Callable[..., Any]:
    def cut(*args: Any, **kwargs: Any) -> Any:
        if len(steps) == limit:
            raise KeyboardInterrupt
        steps.append(len(steps))
        return loss(*args, **kwargs)

    return cut


@pytest.mark.parametrize(
    ("heads", "salient", "parts"),
    [
        ("weak_only", False, {"mil", "smooth"}),
        ("salient_only", True, {"pixel"}),
        ("weak_salient", True, {"mil", "smooth", "pixel"}),
        ("weak_transferred", True, {"mil", "smooth", "pixel"}),
    ],
)
def test_each_row_of_table_4_is_trained(
    drawn: CropSet, tmp_path: Path, heads: str, salient: bool, parts: set[str]
) -> None:
    _, log = fit(drawn, tmp_path / "model.pt", {"heads": heads}, salient=salient)
    seen = set(log[-1]) & {"mil", "smooth", "pixel"}
    assert seen == parts
    state, _ = load_model(tmp_path / "model.pt")
    found = {key.split(".")[1] for key in state if key.startswith("heads.")}
    whole = {"weak", "salient", "transferred"}
    assert found == {name for name in whole if name in heads}


@pytest.mark.long
def test_it_learns_more_than_the_box(tmp_path: Path) -> None:
    """Half of a diamond's box is diamond, so that box as mask has IoU 0.5."""
    shapes = build_crop_set(tmp_path / "shapes", images=24, salient=28)
    changes = {"training": {"epochs": 14, "lr": 0.005}}
    _, log = fit(shapes, tmp_path / "model.pt", changes)
    assert log[-1]["loss"] < log[0]["loss"] / 2
    assert mean_iou(shapes, tmp_path / "model.pt") > 0.7


def mean_iou(shapes: CropSet, model: Path) -> float:
    import cv2

    segmenter = opened_segmenter(propose(SMALL).boxcaseg, device=torch.device("cpu"), model=model)
    found = []
    for number, truth in shapes.truth.items():
        segmenter.embed(cv2.imread(str(shapes.folder / f"{number}.png"))[:, :, ::-1])
        rows, columns = np.flatnonzero(truth.any(1)), np.flatnonzero(truth.any(0))
        box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
        (answer,) = segmenter.ask([Asked(None, None, box)], multimask=True)
        mask = answer.masks[0]
        found.append((mask & truth).sum() / (mask | truth).sum())
    return float(np.mean(found))


def test_heads_that_need_masks_say_so(drawn: CropSet, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"heads is all.*dataset\.salient.*heads: weak_only"):
        fit(drawn, tmp_path / "model.pt", salient=False)


def test_labels_without_boxes_are_refused(tmp_path: Path) -> None:
    points = build_crop_set(tmp_path / "points", images=2, salient=1, kind="point")
    with pytest.raises(ValueError, match=r"no boxes to learn from\. Set prepare\.labels: box"):
        fit(points, tmp_path / "model.pt")


def test_a_loss_that_is_not_finite_names_what_was_shown(
    drawn: CropSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        CropLearner, "loss", lambda self, batch: (torch.tensor(float("nan")), {"images": 8})
    )
    with pytest.raises(ValueError, match=r"the loss is nan.*\.png"):
        fit(drawn, tmp_path / "model.pt")


def test_weights_that_the_backbone_starts_from_are_told(tmp_path: Path) -> None:
    assert "model_sha256" not in facts_of_fit(propose(SMALL))
    (tmp_path / "start.pth").write_bytes(b"weights")
    block = propose({**SMALL, "checkpoint": str(tmp_path / "start.pth")})
    assert facts_of_fit(block)["model_sha256"] == sha256_of(tmp_path / "start.pth")
