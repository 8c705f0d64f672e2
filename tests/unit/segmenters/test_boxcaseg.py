"""BoxCaseg behind the door: exactly the box is asked about, and its answer pasted back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.box_supervision.box_crops import covering_crop
from stages.runtime.provenance import sha256_of
from stages.segmenters.answers import answers_of
from stages.segmenters.boxcaseg import BoxCaseg, head_maps, model_digest, opened_segmenter
from stages.segmenters.crop_network import CropNetwork
from stages.segmenters.segmenter import Answered, Asked
from stages.segmenters.soft_answers import answered
from tests.crop_set import SMALL, propose

CPU = torch.device("cpu")
BOXES = [[4.0, 5, 40, 30], [10.5, 2.25, 33.1, 44.9], [-5, -5, 20, 20], [60, 40, 64, 48]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = CropNetwork(propose(SMALL).boxcaseg)
    path = tmp_path_factory.mktemp("model") / "model.pt"
    torch.save({"state": network.state_dict(), "header": "{}"}, path)
    return path


def opened(model: Path, **changes: Any) -> BoxCaseg:
    block = propose({**SMALL, **changes}).boxcaseg
    return opened_segmenter(block, device=CPU, model=model)


def asked(boxes: Sequence[Sequence[float]]) -> list[Asked]:
    return [Asked(None, None, np.array(box, dtype=np.float32)) for box in boxes]


def ask(segmenter: BoxCaseg, picture: np.ndarray, **more: Any) -> list[Answered]:
    segmenter.embed(picture)
    return list(segmenter.ask(asked(BOXES), **{"multimask": False, **more}))


def test_no_prompt_no_answer(model: Path, picture: np.ndarray) -> None:
    segmenter = opened(model)
    segmenter.embed(picture)
    assert list(segmenter.ask([], multimask=True)) == []


@pytest.mark.parametrize("multimask", [False, True])
def test_one_mask_for_each_box_inside_it(model: Path, picture: np.ndarray, multimask: bool) -> None:
    found = ask(opened(model), picture, multimask=multimask)
    assert len(found) == len(BOXES)
    for answer, box in zip(found, BOXES, strict=True):
        assert answer.masks.shape == (1, 48, 64)
        assert answer.logits is None
        x0, y0, x1, y1 = covering_crop(np.array(box), 48, 64)
        outside = answer.masks[0].copy()
        outside[y0:y1, x0:x1] = False
        assert not outside.any()
        assert answer.masks.any()  # stretched: each crop has a pixel of 1
        assert 0.5 < answer.predicted_iou[0] <= 1
        assert 0 <= answer.stability[0] <= 1
        (kept,) = answers_of(answer, np.zeros(2, np.float32), share=0)
        assert (kept.slot, kept.area) == (0, int(answer.masks.sum()))


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_logits_are_above_0_in_the_mask_alone(
    model: Path, picture: np.ndarray, threshold: float
) -> None:
    for answer in ask(opened(model, threshold=threshold), picture, logits=True):
        assert answer.logits is not None
        assert np.isfinite(answer.logits).all()
        assert ((answer.logits > 0) == answer.masks).mean() > 0.999  # a tie of rounding aside


def test_batches_change_nothing_but_rounding(model: Path, picture: np.ndarray) -> None:
    one = ask(opened(model, prompts_per_batch=1), picture)
    many = ask(opened(model, prompts_per_batch=8), picture)
    for a, b in zip(one, many, strict=True):
        assert (a.masks != b.masks).mean() < 0.001


def test_a_margin_shows_more_than_the_box(model: Path, picture: np.ndarray) -> None:
    box = np.array([20.0, 10, 40, 30])
    crop, _ = head_maps(opened(model, margin=1.5), picture, box)
    assert crop == (15, 5, 45, 35)


def test_the_heads_of_a_box_can_be_looked_at(model: Path, picture: np.ndarray) -> None:
    crop, maps = head_maps(opened(model), picture, np.array(BOXES[0]))
    assert crop == (4, 5, 40, 30)
    assert list(maps) == ["weak", "salient", "transferred", "mixed"]
    for chances in maps.values():
        assert chances.shape == (48, 48)
        assert chances.min() >= 0
        assert chances.max() <= 1


def test_without_stretching_a_crop_may_hold_nothing(model: Path, picture: np.ndarray) -> None:
    sure = ask(opened(model, minmax=False, threshold=0.99), picture)
    assert not any(answer.masks.any() for answer in sure)
    assert all(answer.predicted_iou[0] == 0 for answer in sure)
    kept = ask(opened(model, flat=1.0, threshold=0.99), picture)
    assert not any(answer.masks.any() for answer in kept)


def test_points_are_refused(model: Path, picture: np.ndarray) -> None:
    segmenter = opened(model)
    segmenter.embed(picture)
    point = Asked(np.zeros((1, 2), np.float32), np.ones(1, np.int32), None)
    with pytest.raises(ValueError, match=r"boxcaseg, which answers boxes.*prepare\.labels: box"):
        list(segmenter.ask([point], multimask=True))


def test_quality_and_stability_by_hand() -> None:
    chances = np.zeros((4, 4), dtype=np.float32)
    chances[1:3, 1:3] = [[0.9, 0.6], [0.45, 0.1]]
    found = answered(chances, (1, 1, 3, 3), threshold=0.5, offset=1.0, logits=True)
    assert found.masks[0].sum() == 2
    assert found.predicted_iou[0] == pytest.approx(0.75)
    assert found.stability[0] == pytest.approx(1 / 3)  # logits above 1: 0.9; above -1: 3 pixels
    assert found.logits is not None
    assert found.logits[0, 1, 1] == pytest.approx(np.log(9), abs=1e-4)


def test_the_digest_is_that_of_the_model(model: Path, tmp_path: Path) -> None:
    block = propose(SMALL).boxcaseg
    assert model_digest(block, model) == sha256_of(model)
    with pytest.raises(ValueError, match=r"model is missing\. Run snakemake"):
        model_digest(block, tmp_path / "none.pt")
