"""SAM behind the door: batches of what is alike, short memory, weights that are checked."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.runtime.provenance import sha256_of
from stages.segmenters.sam import SamSegmenter, model_digest, opened_segmenter
from stages.segmenters.segmenter import Asked
from stages.segmenters.tiny import IMAGE_SIDE, build_vit_tiny
from stages.settings.segmenters.sam import Settings

ONE = Asked(np.array([[10.0, 10.0]], np.float32), np.array([1]), None)
BESIDE = Asked(np.array([[10, 10], [40, 20]], np.float32), np.array([1, 0]), None)
BOX = Asked(None, None, np.array([8, 4, 40, 36], np.float32))
BOTH = Asked(ONE.points, ONE.signs, BOX.box)


@pytest.fixture
def segmenter(sam: Sam, picture: np.ndarray) -> Callable[..., SamSegmenter]:
    """A segmenter that has seen the picture."""

    def made(**values: Any) -> SamSegmenter:
        found = SamSegmenter(sam, Settings(**values))
        found.embed(picture)
        return found

    return made


def test_no_prompt_has_no_answer(segmenter: Callable[..., SamSegmenter]) -> None:
    assert list(segmenter().ask([], multimask=True)) == []


@pytest.mark.parametrize("asked", [ONE, BESIDE, BOX, BOTH], ids=["point", "two", "box", "both"])
@pytest.mark.parametrize("multimask", [True, False])
def test_each_prompt_is_answered_as_the_stock_predictor_does(
    asked: Asked,
    multimask: bool,
    segmenter: Callable[..., SamSegmenter],
    sam: Sam,
    picture: np.ndarray,
) -> None:
    (answered,) = segmenter().ask([asked], multimask=multimask, logits=True)
    stock = SamPredictor(sam)
    stock.set_image(picture)
    logits, scores, _ = stock.predict(
        asked.points,
        asked.signs,
        box=asked.box,
        multimask_output=multimask,
        return_logits=True,
    )
    np.testing.assert_allclose(answered.logits, logits, atol=1e-4)
    np.testing.assert_array_equal(answered.masks, answered.logits > 0)
    np.testing.assert_allclose(answered.predicted_iou, scores, atol=1e-5)
    assert answered.masks.shape == (3 if multimask else 1, 48, 64)


def test_stability_is_the_iou_of_the_mask_at_two_thresholds(
    segmenter: Callable[..., SamSegmenter],
) -> None:
    (answered,) = segmenter(stability_offset=0.5).ask([ONE], multimask=True, logits=True)
    assert answered.logits is not None
    for logits, seen in zip(answered.logits, answered.stability, strict=True):
        high, low = (logits > 0.5).sum(), (logits > -0.5).sum()
        assert seen == pytest.approx(high / low if low else 0.0, abs=1e-6)


def test_prompts_of_other_shapes_are_answered_in_their_order(
    segmenter: Callable[..., SamSegmenter],
) -> None:
    asker = segmenter(prompts_per_batch=4)
    mixed = [ONE, BOX, ONE, BESIDE, BOTH, BOX]
    for asked, answered in zip(mixed, asker.ask(mixed, multimask=True), strict=True):
        (alone,) = asker.ask([asked], multimask=True)
        np.testing.assert_allclose(answered.predicted_iou, alone.predicted_iou, atol=1e-5)
        assert answered.logits is None


def test_no_more_than_a_batch_is_asked_before_its_answers_are_taken(
    segmenter: Callable[..., SamSegmenter], monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, batches = segmenter(prompts_per_batch=2), list[int]()
    stock = asker._ask_batch

    def counted(prompts: Any, **more: Any) -> Any:
        batches.append(len(prompts))
        return stock(prompts, **more)

    monkeypatch.setattr(asker, "_ask_batch", counted)
    answers = asker.ask([ONE] * 5, multimask=True)
    next(answers)
    assert batches == [2]
    assert len(list(answers)) == 4
    assert batches == [2, 2, 1]


@pytest.mark.parametrize(
    ("height", "width", "multimask", "most"),
    [(480, 640, True, 8), (3000, 4000, True, 2), (4000, 6000, True, 1), (4000, 6000, False, 3)],
)
def test_on_a_large_photograph_fewer_prompts_are_asked_at_once(
    height: int, width: int, multimask: bool, most: int, segmenter: Callable[..., SamSegmenter]
) -> None:
    asker = segmenter(prompts_per_batch=8, mask_memory=512)
    asker.size = (height, width)
    batches = list[int]()
    asker._ask_batch = lambda prompts, **_: batches.append(len(prompts)) or prompts  # type: ignore
    assert len(list(asker.ask([ONE] * 9, multimask=multimask))) == 9
    assert batches[0] == most


def test_a_short_gpu_halves_the_batch_and_loses_nothing(
    segmenter: Callable[..., SamSegmenter], monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = segmenter(prompts_per_batch=4)
    stock = asker._ask_batch

    def short(prompts: Any, **more: Any) -> Any:
        if len(prompts) > 1:
            raise torch.cuda.OutOfMemoryError
        return stock(prompts, **more)

    monkeypatch.setattr(asker, "_ask_batch", short)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    assert len(list(asker.ask([ONE] * 5, multimask=True))) == 5
    assert asker.batch == 1


def test_half_precision_changes_the_embedding_and_nothing_else(
    segmenter: Callable[..., SamSegmenter],
) -> None:
    whole, half = segmenter(), segmenter(precision="bfloat16")
    seen = half.predictor.features
    assert seen.dtype == torch.float32
    assert not torch.equal(seen, whole.predictor.features)
    torch.testing.assert_close(seen, whole.predictor.features, atol=0.1, rtol=0.1)
    assert whole.side == IMAGE_SIDE


def test_the_door_opens_checked_weights_alone(tmp_path: Path) -> None:
    path = tmp_path / "tiny.pth"
    torch.save(build_vit_tiny().state_dict(), path)
    digest = sha256_of(path)
    assert model_digest(Settings(checkpoint=str(path))) == digest
    opened = opened_segmenter(Settings(checkpoint=str(path)), device=torch.device("cpu"))
    assert opened.side == IMAGE_SIDE
    with pytest.raises(ValueError, match="its sha256 is"):
        model_digest(Settings(checkpoint=str(path), sha256="0" * 64))
    with pytest.raises(ValueError, match="is missing"):
        model_digest(Settings(checkpoint=str(tmp_path / "none.pth")))
