"""Pasting: the authors' arithmetic, what occlusion leaves, and a bank that is a window of steps."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.box_supervision.pasting import hulls
from stages.engines import step_reader
from stages.engines.copy_paste import copy_paste, covered, shown_before
from stages.engines.step_reader import StepReader
from stages.engines.training_images import Sample, StepSamples
from stages.engines.training_labels import Labels
from stages.learning.trainer import images_of_step
from stages.settings.train import CopyPaste, Train
from tests.rectangles import write_rectangles

CASE = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())["copy_paste"]
FIELDS = (
    *("pixels", "boxes", "labels", "masks", "mask_weight", "extra_masks", "extra_valid"),
    "ignore_masks",
)


def rows_to_masks(rows: list[list[str]]) -> np.ndarray:
    return np.array([[list(map(int, line)) for line in mask] for mask in rows], dtype=np.uint8)


def sample_of(masks: np.ndarray, value: Any = 0.0, **changes: Any) -> Sample:
    """A sample of these masks: boxes are their hulls, pixels are all `value`."""
    number, height, width = masks.shape
    pixels = np.broadcast_to(np.float32(value), (3, height, width)).copy()
    sample = Sample(
        image_id=1,
        pixels=torch.from_numpy(pixels),
        boxes=torch.from_numpy(hulls(masks)),
        labels=torch.arange(1, number + 1),
        masks=torch.from_numpy(masks),
        mask_weight=torch.ones(number),
        extra_masks=torch.zeros(0, number, height, width, dtype=torch.uint8),
        extra_valid=torch.zeros(number, 0, dtype=torch.bool),
        ignore_masks=torch.zeros(0, number, height, width, dtype=torch.uint8),
    )
    return replace(sample, **changes)


def block(x0: int, y0: int, x1: int, y1: int, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    mask = np.zeros((1, *size), dtype=np.uint8)
    mask[0, y0:y1, x0:x1] = 1
    return mask


ALL = np.array([0])


def test_pixels_masks_and_boxes_as_in_sim() -> None:
    target = sample_of(rows_to_masks(CASE["target_masks_rows"]), CASE["image_channel_target"])
    source = sample_of(rows_to_masks(CASE["pasted_mask_rows"]), CASE["image_channel_source"])
    found = copy_paste(target, source, ALL, min_visible=0.0)
    np.testing.assert_array_equal(found.pixels[0], CASE["image_channel_out"])
    wanted = rows_to_masks(CASE["masks_out_rows"])[CASE["kept_indices"]]
    np.testing.assert_array_equal(found.masks, wanted)
    np.testing.assert_array_equal(found.boxes, CASE["boxes_out_xyxy"])
    assert found.labels.tolist() == [1, 2, 1]  # the covered third is gone, the pasted one follows
    assert found.pasted == 1


OCCLUSIONS = [  # target, weight, pasted, what is left: its box, or None
    (block(0, 0, 4, 4), 1.0, block(5, 5, 8, 8), [0, 0, 4, 4]),
    (block(0, 0, 4, 4), 1.0, block(2, 0, 6, 4), [0, 0, 2, 4]),
    (block(0, 0, 4, 4), 1.0, block(0, 0, 4, 4), None),
    (block(0, 0, 5, 4), 1.0, block(0, 0, 5, 3), [0, 3, 5, 4]),  # 25 % are left
    (block(0, 0, 5, 4), 1.0, block(0, 0, 5, 4) - block(0, 0, 1, 1), None),  # 5 % are left
    (block(0, 0, 5, 4), 0.0, block(0, 0, 5, 3), [0, 0, 5, 4]),  # an ignored mask keeps its box
    (block(0, 0, 5, 4), 0.0, block(0, 0, 5, 4) - block(0, 0, 1, 1), None),  # 95 % are covered
    (block(0, 0, 5, 4), 0.0, block(0, 0, 5, 4) - block(0, 0, 2, 1), [0, 0, 5, 4]),  # 90 %
]


@pytest.mark.parametrize(("mask", "weight", "pasted", "wanted"), OCCLUSIONS)
def test_occlusion_shrinks_boxes_or_removes_instances(
    mask: np.ndarray, weight: float, pasted: np.ndarray, wanted: list[float] | None
) -> None:
    target = sample_of(mask, mask_weight=torch.tensor([weight]))
    found = copy_paste(target, sample_of(pasted), ALL, min_visible=0.1)
    assert found.boxes[:-1].tolist() == ([wanted] if wanted else [])
    assert not (found.masks[:-1].numpy() & pasted).any()
    assert found.boxes[-1].tolist() == hulls(pasted)[0].tolist()


def test_extra_masks_lose_pixels_too_and_pasted_instances_have_none() -> None:
    extra = np.stack([block(0, 0, 8, 8), block(2, 2, 4, 4), block(0, 0, 0, 0)])  # (3, 1, h, w)
    changes = {"extra_masks": torch.from_numpy(extra)}
    changes["extra_valid"] = torch.tensor([[True, True, False]])
    target = sample_of(block(0, 0, 4, 8), **changes)
    found = copy_paste(target, sample_of(block(2, 2, 6, 6)), ALL, min_visible=0.1)
    assert found.extra_valid.tolist() == [[True, False, False], [False] * 3]
    assert found.extra_masks.shape == (3, 2, 8, 8)
    assert found.extra_masks[0, 0].sum() == 64 - 16
    assert not found.extra_masks[:, 1].any()


def with_ignored(masks: np.ndarray, *ignored: np.ndarray, value: float = 0.0) -> Sample:
    """A sample of these masks, each with its ignored pixels."""
    return sample_of(masks, value, ignore_masks=torch.from_numpy(np.stack(ignored, axis=1)))


@pytest.mark.parametrize("size", [(8, 8), (4, 12)])
def test_ignored_pixels_go_along_and_lose_what_is_covered(size: tuple[int, int]) -> None:
    masks = np.concatenate([block(0, 0, 4, 4), block(5, 6, 8, 8)])
    target = with_ignored(masks, block(2, 0, 6, 4), block(4, 6, 5, 8))
    source = with_ignored(block(0, 0, 3, 2, size), block(3, 0, 5, 3, size), value=1.0)
    found = copy_paste(target, source, ALL, min_visible=0.1)
    assert found.pasted == 1
    cover = block(0, 0, 3, 2)
    np.testing.assert_array_equal(found.ignore_masks[0, :1], block(2, 0, 6, 4) & ~cover & 1)
    np.testing.assert_array_equal(found.ignore_masks[0, 1:2], block(4, 6, 5, 8))
    np.testing.assert_array_equal(found.ignore_masks[0, 2:], block(3, 0, 5, 3))


def test_an_instance_that_is_covered_takes_its_ignored_pixels_along() -> None:
    masks = np.concatenate([block(0, 0, 4, 4), block(5, 5, 8, 8)])
    target = with_ignored(masks, block(0, 0, 1, 1), block(4, 4, 5, 8))
    source = with_ignored(block(0, 0, 4, 4), block(7, 7, 8, 8))
    found = copy_paste(target, source, ALL, min_visible=0.1)
    assert found.labels.tolist() == [2, 1]
    wanted = np.concatenate([block(4, 4, 5, 8), block(7, 7, 8, 8)])
    np.testing.assert_array_equal(found.ignore_masks[0], wanted)
    assert found.ignore_masks.dtype == torch.uint8


@pytest.mark.parametrize("size", [(8, 8), (4, 12), (12, 4)])
def test_a_source_of_another_size_is_cut_at_the_border(size: tuple[int, int]) -> None:
    source = sample_of(block(1, 1, 4, 4, size), 1.0)
    found = copy_paste(sample_of(block(4, 4, 8, 8)), source, ALL, min_visible=0.1)
    assert found.pixels.shape == (3, 8, 8)
    assert found.boxes[-1].tolist() == [1, 1, 4, 4]
    assert found.pixels.sum() == 3 * 9


@pytest.mark.parametrize(("x0", "pasted"), [(8, 0), (7, 0), (4, 1)])
def test_what_the_border_cuts_off_is_not_pasted(x0: int, pasted: int) -> None:
    target = sample_of(block(0, 0, 4, 4))
    source = sample_of(block(x0, 0, x0 + 11, 8, (8, 24)), 1.0)
    found = copy_paste(target, source, ALL, min_visible=0.1)
    assert found.pasted == pasted
    assert (found is target) == (pasted == 0)


@pytest.mark.parametrize("seed", range(5))
def test_no_trusted_mask_is_emptied_and_touched_boxes_are_hulls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.integers(0, 33, (12, 2, 2)), axis=1).reshape(12, 4).tolist()
    masks = np.concatenate([block(*box, (32, 32)) for box in corners])
    masks = masks[masks.any(axis=(1, 2))]
    weights = torch.from_numpy((rng.random(len(masks)) > 0.3).astype(np.float32))
    target, source = sample_of(masks, mask_weight=weights), sample_of(masks[::-1].copy(), 1.0)
    found = copy_paste(target, source, np.array([0, 1]), min_visible=0.1)
    trusted = (found.mask_weight > 0).numpy()
    assert found.masks.numpy()[trusted].any(axis=(1, 2)).all()
    np.testing.assert_array_equal(found.boxes[trusted], hulls(found.masks.numpy()[trusted]))
    cover = found.masks[-found.pasted :].numpy().any(axis=0)
    np.testing.assert_array_equal(found.pixels[0].numpy() == 1, cover)
    assert {len(getattr(found, name)) for name in FIELDS[1:5]} == {len(found.boxes)}
    assert found.ignore_masks.shape == (0, *found.masks.shape)


def test_a_box_outside_the_image_is_not_covered() -> None:
    boxes = np.array([[-2, -2, 2, 2], [9, 9, 12, 12], [0.5, 0, 1.5, 1]], dtype=np.float32)
    cover = block(0, 0, 1, 8)[0].astype(bool)
    assert covered(boxes, cover).tolist() == [0.5, 0.0, 0.5]


def shown(step: int, settings: Train) -> list[tuple[int, bool]]:
    """Every image that was shown before `step`, in order."""
    return [key for s in range(step) for key in images_of_step(range(1, 6), s, settings, seed=7)]


@pytest.mark.parametrize("step", [0, 1, 2, 3, 4, 9])
@pytest.mark.parametrize("bank", [1, 3, 100])
def test_the_bank_holds_the_last_images_shown(step: int, bank: int) -> None:
    settings = Train(batch_images=2, copy_paste=CopyPaste(bank=bank))
    rng = np.random.default_rng(1)
    found = list(shown_before(range(1, 6), step, settings, rng, seed=7))
    assert sorted(found) == sorted(shown(step, settings)[-bank:])


def read(path: Path, step: int, **changes: Any) -> StepSamples:
    paste = CopyPaste(**{"enabled": True, "chance": 1.0, **changes})
    settings = Train(batch_images=2, copy_paste=paste)
    return StepReader(path.parent, Labels(path), settings, 0)(step)


def spoiled(path: Path, *categories: int, **changes: Any) -> Path:
    data = json.loads(path.read_text())
    for entry in data["annotations"]:
        entry |= changes if entry["category_id"] in categories else {}
    path.write_text(json.dumps(data))
    return path


def test_the_first_step_has_an_empty_bank(tmp_path: Path) -> None:
    batch = read(write_rectangles(tmp_path), 0)
    assert [sample.pasted for sample in batch.samples] == [0, 0]


def test_a_step_read_alone_has_the_same_bytes(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    settings = Train(batch_images=2, copy_paste=CopyPaste(enabled=True, chance=0.7))
    reader = StepReader(tmp_path, Labels(path), settings, 0)
    whole = [reader(step) for step in range(5)]
    assert 0 < sum(sample.pasted for batch in whole for sample in batch.samples) < 10
    for step in (4, 2):
        alone = StepReader(tmp_path, Labels(path), settings, 0)(step)
        for one, other in zip(alone.samples, whole[step].samples, strict=True):
            assert all(torch.equal(getattr(one, n), getattr(other, n)) for n in FIELDS)


def test_what_is_pasted_lies_where_it_was_shown_in_the_step_before(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path, 8)
    for step in range(1, 12):
        before = read(path, step - 1, enabled=False).samples  # mirrored by chance
        boxes = [box for sample in before for box in sample.boxes.tolist()]
        for sample in read(path, step, bank=2).samples:
            pasted = sample.boxes[len(sample.boxes) - sample.pasted :].tolist()
            assert all(box in boxes for box in pasted)


def test_steps_and_images_are_pasted_into_independently(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    batches = [read(path, step, chance=0.5) for step in range(1, 13)]
    first, second = zip(*([s.pasted for s in batch.samples] for batch in batches), strict=True)
    assert set(first) == set(second) == {0, 1}
    assert first != second


def test_chance_0_and_a_hook_that_is_off_change_nothing(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    for step in range(3):
        off = read(path, step, enabled=False).samples
        for one, other in zip(read(path, step, chance=0.0).samples, off, strict=True):
            assert all(torch.equal(getattr(one, n), getattr(other, n)) for n in FIELDS)


@pytest.mark.parametrize("changes", [{"mask_weight": 0}, {"score": 0.4}, {"segmentation": []}])
def test_untrusted_instances_are_never_pasted(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = spoiled(write_rectangles(tmp_path), 3, **changes)
    pasted = [
        sample.labels[-sample.pasted :].tolist()
        for step in range(2, 6)
        for sample in read(path, step, bank=4).samples
        if sample.pasted
    ]
    assert pasted
    assert all(labels == [2] for labels in pasted)  # category 8, the second of the classes


def test_without_a_trusted_instance_nothing_is_pasted(tmp_path: Path) -> None:
    path = spoiled(write_rectangles(tmp_path), 3, 8, score=0.2)
    assert [sample.pasted for sample in read(path, 4).samples] == [0, 0]


def test_an_image_is_no_source_for_itself(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path, 1)
    assert [sample.pasted for sample in read(path, 3).samples] == [0]


def test_one_more_image_is_read_at_most_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen, whole = write_rectangles(tmp_path, 6), [], step_reader.photograph_of_entry
    watched = lambda *args: seen.append(args) or whole(*args)  # noqa: E731
    monkeypatch.setattr(step_reader, "photograph_of_entry", watched)
    batch = read(path, 40, bank=100)
    assert sum(sample.pasted for sample in batch.samples) == 2
    assert len(seen) == 4
