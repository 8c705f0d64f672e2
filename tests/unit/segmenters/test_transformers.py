"""Models of transformers behind the door, held against the library's own way of asking them."""

import functools
import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.segmenters import sam
from stages.segmenters.families import FAMILIES, family_of
from stages.segmenters.segmenter import Asked
from stages.segmenters.transformers import TransformersSegmenter, model_digest, opened_segmenter
from stages.segmenters.zoom import Zoom
from stages.settings.segmenters.sam import Settings as Sam
from stages.settings.segmenters.transformers import Settings

library = pytest.importorskip("transformers", reason="transformers is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402

from tests.tiny_transformers import MADE, OF_TIMM, SIDE, TINY_SAM, saved, saved_tiny_sam  # noqa: E402

CPU = torch.device("cpu")
ONE = Asked(np.array([[10.5, 10.25]], np.float32), np.array([1]), None)
TWO = Asked(np.array([[50.5, 30.25]], np.float32), np.array([1]), None)
BESIDE = Asked(np.array([[10, 10], [40, 20]], np.float32), np.array([1, 0]), None)
BOX = Asked(None, None, np.array([8, 4, 40, 36], np.float32))
BOTH = Asked(ONE.points, ONE.signs, BOX.box)
ASKED = {"points": [ONE, TWO], "beside": [BESIDE], "boxes": [BOX, BOX], "both": [BOTH]}
NO_TIMM = pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
NAMES = [pytest.param(name, marks=NO_TIMM) if name in OF_TIMM else name for name in MADE]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a family's tiny model; never write into it."""
    base = tmp_path_factory.mktemp("families")

    def folder(name: str) -> Path:
        return base / name if (base / name).exists() else saved(name, base / name)

    return folder


@pytest.fixture
def segmenter(
    folders: Callable[[str], Path], picture: np.ndarray
) -> Callable[..., TransformersSegmenter]:
    """A segmenter that has seen the picture."""

    def made(name: str, **values: Any) -> TransformersSegmenter:
        found = opened_segmenter(Settings(path=str(folders(name)), **values), device=CPU)
        found.embed(picture)
        return found

    return made


@functools.cache
def stock_model(folder: Path) -> tuple[Any, Any]:
    family = family_of(folder, "path")
    model = getattr(library, family.model).from_pretrained(folder).eval()
    return model, getattr(library, family.processor).from_pretrained(folder)


@torch.no_grad()
def stock(
    folder: Path, pixels: np.ndarray, prompts: list[Asked], *, multimask: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (prompts, slots, height, width) and scores as the library's manual gets them."""
    model, processor = stock_model(folder)
    given: dict[str, Any] = {}
    if prompts[0].points is not None:
        given["input_points"] = [[p.points.tolist() for p in prompts if p.points is not None]]
        given["input_labels"] = [[p.signs.tolist() for p in prompts if p.signs is not None]]
    if prompts[0].box is not None:
        given["input_boxes"] = [[p.box.tolist() for p in prompts if p.box is not None]]
    inputs = processor(images=pixels, return_tensors="pt", **given)
    sizes = [inputs.pop(k) for k in ("original_sizes", "reshaped_input_sizes") if k in inputs]
    told = model(**inputs, multimask_output=multimask)
    (logits,) = processor.post_process_masks(told.pred_masks, *sizes, binarize=False)
    return logits.numpy(), told.iou_scores[0].numpy()


@pytest.mark.parametrize("kind", ASKED)
@pytest.mark.parametrize("multimask", [True, False], ids=["multi", "single"])
@pytest.mark.parametrize("name", NAMES)
def test_prompts_are_answered_as_the_library_answers_them(
    name: str,
    multimask: bool,
    kind: str,
    segmenter: Callable[..., TransformersSegmenter],
    folders: Callable[[str], Path],
    picture: np.ndarray,
) -> None:
    prompts = ASKED[kind]
    answers = list(segmenter(name).ask(prompts, multimask=multimask, logits=True))
    logits, scores = stock(folders(name), picture, prompts, multimask=multimask)
    assert len(answers) == len(prompts)
    for answered, raw, iou in zip(answers, logits, scores, strict=True):
        assert answered.masks.shape == (3 if multimask else 1, 48, 64)
        np.testing.assert_array_equal(answered.logits, raw)
        np.testing.assert_array_equal(answered.masks, raw > 0)
        np.testing.assert_array_equal(answered.predicted_iou, iou)
    share = (logits > 0).mean()
    assert 0.02 < share < 0.98, "the masks of this model say nothing"


@pytest.mark.parametrize("multimask", [True, False], ids=["multi", "single"])
def test_the_shipped_sam_answers_alike_through_either_library(
    tmp_path: Path, multimask: bool, picture: np.ndarray
) -> None:
    """Trained weights, and two implementations that share no code."""
    path = str(saved_tiny_sam(tmp_path / "x"))
    theirs = opened_segmenter(Settings(path=path), device=CPU)
    ours = sam.opened_segmenter(Sam(checkpoint=str(TINY_SAM)), device=CPU)
    prompts = [ONE, BOX, BOTH, BESIDE, TWO]
    large = picture.repeat(2, axis=0).repeat(2, axis=1)
    for asker in (theirs, ours):
        asker.embed(large)
    answers = (asker.ask(prompts, multimask=multimask, logits=True) for asker in (theirs, ours))
    for seen, wanted in zip(*answers, strict=True):
        np.testing.assert_allclose(seen.logits, wanted.logits, atol=1e-3)
        assert ((seen.masks != wanted.masks) & (np.abs(wanted.logits) > 1e-3)).sum() == 0
        np.testing.assert_allclose(seen.predicted_iou, wanted.predicted_iou, atol=1e-5)
        np.testing.assert_allclose(seen.stability, wanted.stability, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_embedded_once_for_all_its_prompts(
    name: str, segmenter: Callable[..., TransformersSegmenter], monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = segmenter(name, prompts_per_batch=2)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("the image was embedded again")

    monkeypatch.setattr(type(asker.loaded.model), "get_image_embeddings", never)
    monkeypatch.setattr(type(asker.loaded.model.vision_encoder), "forward", never)
    mixed = [ONE, BOX, ONE, BESIDE, BOTH, BOX, TWO]
    for asked, answered in zip(mixed, asker.ask(mixed, multimask=True), strict=True):
        (alone,) = asker.ask([asked], multimask=True)
        np.testing.assert_allclose(answered.predicted_iou, alone.predicted_iou, atol=1e-5)
        assert (answered.masks != alone.masks).mean() < 1e-3
        assert answered.logits is None


@pytest.mark.parametrize("name", NAMES)
def test_stability_is_the_iou_of_the_mask_at_two_thresholds(
    name: str, segmenter: Callable[..., TransformersSegmenter]
) -> None:
    asker = segmenter(name, stability_offset=0.5)
    (answered,) = asker.ask([ONE], multimask=True, logits=True)
    assert answered.logits is not None
    for logits, seen in zip(answered.logits, answered.stability, strict=True):
        high, low = (logits > 0.5).sum(), (logits > -0.5).sum()
        assert seen == pytest.approx(high / low if low else 0.0, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_changes_the_embedding_and_nothing_else(
    name: str, segmenter: Callable[..., TransformersSegmenter]
) -> None:
    whole, half = segmenter(name), segmenter(name, precision="bfloat16")
    seen, wanted = _last(half), _last(whole)
    assert seen.dtype == torch.float32
    assert not torch.equal(seen, wanted)
    torch.testing.assert_close(seen, wanted, atol=0.3, rtol=0.1)


def _last(asker: TransformersSegmenter) -> torch.Tensor:
    found = asker.embedding["image_embeddings"]
    return found if isinstance(found, torch.Tensor) else found[-1]


@pytest.mark.parametrize("name", NAMES)
def test_a_segmenter_is_asked_again_close_up(
    name: str, segmenter: Callable[..., TransformersSegmenter], picture: np.ndarray
) -> None:
    large = picture.repeat(3, axis=0).repeat(3, axis=1)
    zoom = Zoom(segmenter(name), window=2.0, margin=1.1)
    seen = zoom.probability(large, np.array([60.0, 50, 80, 75]))
    assert seen.shape == large.shape[:2]
    assert (seen > 0).sum() == SIDE**2, "the smallest window is what the model sees"


def test_who_asks_for_the_same_folder_shares_one_model(
    segmenter: Callable[..., TransformersSegmenter],
) -> None:
    assert segmenter("sam").loaded is segmenter("sam", prompts_per_batch=1).loaded


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails."""

    def refused(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_fetched(name: str, folders: Callable[[str], Path]) -> None:
    assert opened_segmenter(Settings(path=str(folders(name))), device=CPU).side == SIDE


def test_every_family_names_classes_of_the_library() -> None:
    for family in FAMILIES.values():
        assert hasattr(library, family.model)
        assert hasattr(library, family.processor)


@pytest.mark.parametrize("name", ["sam", "sam2"])
def test_a_folder_of_an_older_version_answers_alike(
    name: str, tmp_path: Path, segmenter: Callable[..., TransformersSegmenter], picture: np.ndarray
) -> None:
    folder = saved(name, tmp_path / "x")
    processor = getattr(library, family_of(folder, "k").processor).from_pretrained(folder)
    (folder / "processor_config.json").unlink()
    processor.image_processor.save_pretrained(folder)
    assert (folder / "preprocessor_config.json").exists()
    older = opened_segmenter(Settings(path=str(folder)), device=CPU)
    older.embed(picture)
    for new, old in zip(
        segmenter(name).ask([ONE, BOX], multimask=True),
        older.ask([ONE, BOX], multimask=True),
        strict=True,
    ):
        np.testing.assert_array_equal(new.masks, old.masks)


def test_an_image_of_three_columns_is_no_stack_of_channels(
    segmenter: Callable[..., TransformersSegmenter],
) -> None:
    for name in ("sam", "sam2"):
        asker = segmenter(name)
        asker.embed(np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3))
        (answered,) = asker.ask(
            [Asked(None, None, np.array([0, 0, 4, 3], np.float32))], multimask=True
        )
        assert answered.masks.shape == (3, 3, 5)


def test_a_folder_of_weights_alone_is_refused(tmp_path: Path) -> None:
    folder = saved("sam", tmp_path / "x")
    (folder / "processor_config.json").unlink()
    with pytest.raises(ValueError, match=r"neither of preprocessor_config\.json and processor"):
        model_digest(Settings(path=str(folder)))


def test_weights_that_are_missing_are_never_drawn(tmp_path: Path) -> None:
    folder = saved("sam", tmp_path / "x")
    weights = load_file(folder / "model.safetensors")
    del weights["mask_decoder.iou_token.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"lacks 1 weights of SamModel.*iou_token"):
        opened_segmenter(Settings(path=str(folder)), device=CPU)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    folder = saved("sam", tmp_path / "x")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"mlp_dim": 32', '"mlp_dim": 48'))
    with pytest.raises(ValueError, match=r"does not open as SamModel"):
        opened_segmenter(Settings(path=str(folder)), device=CPU)


def test_a_processor_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = saved("sam2", tmp_path / "x")
    library.Sam2Processor(
        library.Sam2ImageProcessor(size={"height": 32, "width": 32})
    ).save_pretrained(folder)
    with pytest.raises(ValueError, match=r"prepares images of 32 px for a model of 64 px"):
        opened_segmenter(Settings(path=str(folder)), device=CPU)


def test_a_model_that_answers_no_prompts_is_refused(tmp_path: Path) -> None:
    folder = saved("sam", tmp_path / "x")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        config.replace('"model_type": "sam"', '"model_type": "vit"')
    )
    with pytest.raises(ValueError, match=r"a model of type vit, which answers no prompts.*sam_hq"):
        opened_segmenter(Settings(path=str(folder)), device=CPU)
