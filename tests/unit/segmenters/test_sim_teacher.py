"""SIM's teacher behind the door: a soft mask for each box, and none for what gets no location."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.box_supervision.box_crops import covering_crop
from stages.runtime.provenance import sha256_of
from stages.segmenters.answers import answers_of
from stages.segmenters.segmenter import Answered, Asked
from stages.segmenters.sim_teacher import SimTeacher, model_digest, opened_segmenter
from tests.teacher_set import save, settings_of, started

CPU = torch.device("cpu")
BOXES = [[4.0, 5, 40, 30], [10.5, 2.25, 33.1, 44.9], [-5, -5, 20, 20], [50, 30, 64, 48]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(started(), tmp_path_factory.mktemp("model") / "model.pt")


def opened(model: Path, **changes: Any) -> SimTeacher:
    return opened_segmenter(settings_of(**changes), device=CPU, model=model)


def ask(
    segmenter: SimTeacher, picture: np.ndarray, boxes: Sequence[Sequence[float]], **more: Any
) -> list[Answered]:
    segmenter.embed(picture)
    asked = [Asked(None, None, np.array(box, dtype=np.float32)) for box in boxes]
    return list(segmenter.ask(asked, **{"multimask": False, "logits": True, **more}))


def soft(answer: Answered) -> np.ndarray:
    assert answer.logits is not None
    return np.asarray(1 / (1 + np.exp(-answer.logits[0].astype(np.float64))))


def test_no_prompt_no_answer(model: Path, picture: np.ndarray) -> None:
    assert ask(opened(model), picture, []) == []


@pytest.mark.parametrize("multimask", [False, True])
def test_one_mask_for_each_box_inside_it(model: Path, picture: np.ndarray, multimask: bool) -> None:
    found = ask(opened(model, threshold=0.3), picture, BOXES, multimask=multimask)
    assert len(found) == len(BOXES)
    for answer, box in zip(found, BOXES, strict=True):
        assert answer.masks.shape == (1, 48, 64)
        x0, y0, x1, y1 = covering_crop(np.array(box), 48, 64)
        outside = soft(answer)
        assert outside[y0:y1, x0:x1].std() > 0  # soft, not the box
        outside[y0:y1, x0:x1] = 0
        assert outside.max() < 0.001
        assert 0 <= answer.predicted_iou[0] <= 1
        assert 0 <= answer.stability[0] <= 1
    assert ask(opened(model), picture, BOXES[:1], logits=False)[0].logits is None


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_probabilities_come_with_the_mask(
    model: Path, picture: np.ndarray, threshold: float
) -> None:
    segmenter = opened(model, threshold=threshold)
    for answer in ask(segmenter, picture, BOXES, logits=False):
        assert answer.chances is not None
        assert np.array_equal(answer.chances > threshold, answer.masks)
        (kept,) = answers_of(answer, np.zeros(2), share=0)
        assert (kept.soft is not None) == bool(answer.masks.any())


@pytest.mark.parametrize(
    "box",
    [[20.0, 20, 20.4, 20.4], [200, 200, 240, 240], [-30, 5, -2, 40], [8, 8, 8, 8]],
    ids=["tiny", "beside", "left", "flat"],
)
def test_a_box_without_a_location_has_an_empty_mask(
    model: Path, picture: np.ndarray, box: list[float]
) -> None:
    first, other = ask(opened(model), picture, [box, BOXES[0]])
    assert not first.masks.any()
    assert first.predicted_iou.tolist() == [0]
    assert np.isfinite(soft(first)).all()
    alone = ask(opened(model), picture, BOXES[:1])[0]
    assert np.array_equal(soft(other), soft(alone))


def test_a_box_asked_twice_is_answered_twice(model: Path, picture: np.ndarray) -> None:
    first, again = ask(opened(model), picture, [BOXES[0], BOXES[0]])
    assert np.array_equal(soft(first), soft(again))


def test_mu_0_is_the_mean_and_a_large_one_the_best_location(
    model: Path, picture: np.ndarray
) -> None:
    box = np.array(BOXES[1])
    segmenter = opened(model, mu=0)
    segmenter.embed(picture)
    (places,) = segmenter.places(box[None])
    assert len(places) > 1
    assert segmenter.seen is not None
    with torch.no_grad():
        masks = segmenter.network.logits(segmenter.seen, 0, places).sigmoid().numpy()
    assert np.allclose(segmenter.chances(box, places), masks.mean(0), atol=1e-6)
    sharp = opened(model, mu=1e4)
    sharp.embed(picture)
    asked = torch.from_numpy(box * sharp._factors()).float()
    predicted = segmenter.seen.boxes(0, places)
    lower, upper = (f(predicted, asked) for f in (torch.maximum, torch.minimum))
    inner = (upper[:, 2:] - lower[:, :2]).clamp(min=0).prod(1)
    area = (predicted[:, 2:] - predicted[:, :2]).prod(1)
    iou = inner / (area + (asked[2:] - asked[:2]).prod() - inner)
    assert np.allclose(sharp.chances(box, places), masks[int(iou.argmax())], atol=1e-3)


def test_a_map_is_pasted_where_its_cells_lie(model: Path) -> None:
    """A ramp along x stays a ramp: at each pixel its own x, in px of the network's input."""
    segmenter = opened(model, size=32)  # half the image's size
    segmenter.embed(np.zeros((64, 96, 3), dtype=np.uint8))
    ramp = np.tile((np.arange(24, dtype=np.float32) + 0.5) * 2, (16, 1))  # cells of 2 px
    whole = segmenter._pasted(ramp, (10, 4, 90, 60))
    wanted = (np.arange(96) + 0.5) / 2
    assert np.abs(whole[20, 10:90] - wanted[10:90]).max() < 0.05
    assert (whole[:, :10] == 0).all()
    assert (whole[60:] == 0).all()


@pytest.mark.parametrize("size", [(48, 64), (50, 90), (33, 200), (300, 128)])
def test_features_have_a_cell_for_each_stride(model: Path, size: tuple[int, int]) -> None:
    segmenter = opened(model)
    segmenter.embed(np.full((*size, 3), 90, dtype=np.uint8))
    features = segmenter.mask_features()
    cells = tuple(int(np.ceil(side / segmenter.stride - 1e-9)) for side in size)
    assert features.shape == (16, *cells)
    assert features.dtype == np.float32
    factor = min(64 / min(size), 128 / max(size))
    assert segmenter.stride == pytest.approx(4 / factor)


def test_points_are_refused(model: Path, picture: np.ndarray) -> None:
    segmenter = opened(model)
    segmenter.embed(picture)
    point = Asked(np.zeros((1, 2), np.float32), np.ones(1, np.int32), None)
    with pytest.raises(ValueError, match=r"sim, which answers boxes.*prepare\.labels: box"):
        list(segmenter.ask([point], multimask=True))


def test_an_image_comes_first(model: Path) -> None:
    with pytest.raises(RuntimeError, match="no image was embedded"):
        opened(model).mask_features()


def test_the_digest_is_that_of_the_model(model: Path, tmp_path: Path) -> None:
    assert model_digest(settings_of(), model) == sha256_of(model)
    with pytest.raises(ValueError, match=r"model is missing\. Run snakemake"):
        model_digest(settings_of(), tmp_path / "none.pt")
