"""Pixels that no mask loss looks at, from the file of labels to the losses of torchvision."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stages.engines.hooks import extra_mask_loss, weighted_mask_loss
from stages.engines.mask_rcnn import build_mask_rcnn
from stages.engines.step_reader import StepReader
from stages.engines.torchvision import losses_of
from stages.engines.training_images import Sample, StepSamples
from stages.engines.training_labels import Labels
from stages.settings.train import MultiMask, Train
from tests.ignored_pixels import beside, corrupted, ignoring
from tests.rectangles import SIDE, write_rectangles

SMALL = {"short_side": 64, "long_side": 128, "fpn_channels": 16, "rois_per_image": 16}
MULTI = MultiMask(enabled=True, gamma=0.5)


def read(path: Path, **settings: Any) -> list[Sample]:
    plan = Train(**{"batch_images": 4, "flip": 0.0, "multi_mask": MULTI, **settings})
    return StepReader(path.parent, Labels(path), plan, 0)(0).samples


def cells(rois: int, side: int = 5, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Logits, goals, extra masks and which cells count; of the last RoI none does."""
    torch.manual_seed(seed)
    logits, goals = torch.randn(rois, side, side), torch.rand(rois, side, side)
    extra = (torch.rand(rois, 3, side, side) > 0.4).float()
    counted = torch.rand(rois, side, side) > 0.3
    counted[1:][-1:] = False
    return logits.requires_grad_(), goals, extra, counted


@pytest.mark.parametrize("rois", [0, 1, 2, 6])
def test_the_cross_entropy_is_a_mean_over_the_cells_that_count(rois: int) -> None:
    logits, goals, _, counted = cells(rois)
    weights = torch.tensor([1.0, 0.5, 0.0, 2.0, 1.0, 1.0])[:rois]
    found = []
    for r in range(rois):
        each = []
        for y, x in torch.nonzero(counted[r]).tolist():
            prob, goal = 1 / (1 + math.exp(-logits[r, y, x].item())), goals[r, y, x].item()
            each.append(-goal * math.log(prob) - (1 - goal) * math.log(1 - prob))
        if each and weights[r] > 0:
            found.append(weights[r].item() * np.mean(each))
    loss = weighted_mask_loss(logits, goals, weights, counted)
    assert loss.item() == pytest.approx(np.mean(found) if found else 0, abs=1e-6)


@pytest.mark.parametrize("rois", [0, 1, 2, 6])
def test_dice_sums_go_over_the_cells_that_count(rois: int) -> None:
    logits, _, extra, counted = cells(rois)
    weights, found = torch.tensor([1.0, 0.5, 0.0, 2.0, 1.0, 1.0])[:rois], []
    valid = torch.ones(rois, 3, dtype=torch.bool)
    valid[:, 1] = False
    for r, k in torch.nonzero(valid).tolist():
        prob, goal = logits[r].sigmoid()[counted[r]], extra[r, k][counted[r]]
        if len(prob) and weights[r] > 0:
            dice = 2 * (prob @ goal) / (prob @ prob + goal @ goal + 2e-3)
            found.append(weights[r].item() * (1 - dice.item()))
    loss = extra_mask_loss(logits, extra, valid, weights, gamma=0.5, counted=counted)
    assert loss.item() == pytest.approx(0.5 * np.mean(found) if found else 0, abs=1e-6)


def both_losses(
    logits: Tensor, goals: Tensor, extra: Tensor, counted: Tensor | None, weights: Tensor
) -> tuple[float, float, Tensor]:
    """Both mask losses, and the gradient of their sum."""
    leaf = logits.detach().clone().requires_grad_()
    valid = torch.ones(len(leaf), 3, dtype=torch.bool)
    own = weighted_mask_loss(leaf, goals, weights, counted)
    more = extra_mask_loss(leaf, extra, valid, weights, gamma=0.5, counted=counted)
    (own + more).backward()
    assert leaf.grad is not None
    return own.item(), more.item(), leaf.grad


def test_what_lies_in_ignored_cells_moves_nothing_not_even_a_nan() -> None:
    logits, goals, extra, counted = cells(6)
    *losses, gradient = both_losses(logits, goals, extra, counted, torch.ones(6))
    spoiled = [values.detach().clone() for values in (logits, goals, extra)]
    spoiled[0][~counted] = math.nan
    spoiled[1][~counted] = math.nan
    spoiled[2].masked_fill_(~counted[:, None], math.nan)
    *others, other = both_losses(*spoiled, counted, torch.ones(6))  # type: ignore[call-arg, arg-type]
    assert others == losses
    assert torch.equal(other, gradient)
    assert (gradient[counted] != 0).all()
    assert (gradient[~counted] == 0).all()


def test_where_all_cells_count_the_losses_are_the_same_bits() -> None:
    logits, goals, extra, _ = cells(6, side=28)
    *losses, gradient = both_losses(logits, goals, extra, None, torch.ones(6))
    *others, other = both_losses(logits, goals, extra, torch.ones(6, 28, 28).bool(), torch.ones(6))
    assert others == losses
    assert torch.equal(other, gradient)


def test_a_roi_without_a_cell_that_counts_is_one_of_weight_0() -> None:
    logits, goals, extra, counted = cells(6)
    weights = torch.ones(6)
    weights[-1] = 0
    *losses, gradient = both_losses(logits, goals, extra, counted, torch.ones(6))
    *others, other = both_losses(logits, goals, extra, counted, weights)
    assert others == losses
    assert torch.equal(other, gradient)
    assert not gradient[-1].any()


def test_without_such_a_key_nothing_is_carried(tmp_path: Path) -> None:
    for sample in read(ignoring(tmp_path)):
        assert sample.ignore_masks.shape == (0, 2, SIDE, SIDE)


def test_ignored_pixels_are_read_and_mirrored_with_their_masks(tmp_path: Path) -> None:
    path = ignoring(tmp_path, 2)
    samples = {sample.image_id: sample for sample in read(path)}
    assert {sample.ignore_masks.shape for sample in samples.values()} == {(1, 2, SIDE, SIDE)}
    x0, y0, x1, y1 = samples[1].boxes[1].int().tolist()
    rows, columns = np.nonzero(samples[1].ignore_masks[0, 1].numpy())
    hull = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert hull == (x0, y0, x0 + (x1 - x0) // 2, y1)
    assert not samples[1].ignore_masks[0, 0].any()
    assert not any(samples[number].ignore_masks.any() for number in (2, 3, 4))
    (mirror,) = (sample for sample in read(path, flip=1.0) if sample.image_id == 1)
    assert torch.equal(mirror.ignore_masks, samples[1].ignore_masks.flip(-1))


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ({"size": [3, 3], "counts": [9]}, r"annotation 2: ignore_mask: RLE of size \[3, 3\]"),
        ({"size": [64, 64], "counts": [1, 2]}, "annotation 2: ignore_mask: RLE of 3 px"),
        ({"size": [64, 64], "counts": "?"}, "annotation 2: ignore_mask: "),
        ("all of it", "annotation 2: ignore_mask: segmentation is neither"),
    ],
    ids=["of another size", "too short", "no code", "text"],
)
def test_ignored_pixels_that_fit_no_image_are_refused_by_name(
    tmp_path: Path, mask: Any, words: str
) -> None:
    path = write_rectangles(tmp_path)
    data = json.loads(path.read_text())
    data["annotations"][1]["ignore_mask"] = mask
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=words):
        Labels(path)


def test_the_shares_are_those_of_trained_masks_alone(tmp_path: Path) -> None:
    path = ignoring(tmp_path, 1, 2, 3)
    data = json.loads(path.read_text())
    first, second, third = data["annotations"][:3]
    first["mask_weight"] = 0
    second["ignore_mask"] = {"size": [SIDE, SIDE], "counts": [0, SIDE**2]}  # beyond its box
    third["ignore_mask"] = {"size": [SIDE, SIDE], "counts": [SIDE**2]}  # none
    path.write_text(json.dumps(data))
    assert Labels(path).ignored_shares() == [1.0]
    assert Labels(ignoring(tmp_path)).ignored_shares() == []
    _, _, width, height = third["bbox"]
    shares = Labels(ignoring(tmp_path, 3)).ignored_shares()
    assert shares == pytest.approx([width // 2 * height / (width * height)])


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    return build_mask_rcnn(Train(**SMALL, multi_mask=MULTI), 3)


def losses(model: Any, samples: list[Sample], side: int) -> tuple[dict[str, float], Tensor]:
    """Losses and the whole gradient, with the same anchors and RoIs each time."""
    torch.manual_seed(1)
    model.train()
    model.zero_grad()
    found, _ = losses_of(model, StepSamples(0, samples, side))
    torch.stack(list(found.values())).sum().backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    return {name: value.item() for name, value in found.items()}, gradient.clone()


@pytest.mark.parametrize("side", [64, 48, 100], ids=["own size", "smaller", "larger"])
@pytest.mark.parametrize("where", ["under", "beside"])
def test_a_mask_under_ignored_pixels_moves_neither_losses_nor_gradient(
    model: Any, tmp_path: Path, side: int, where: str
) -> None:
    samples = read(ignoring(tmp_path, *range(1, 9)))
    before, gradient = losses(model, samples, side)
    pixels = [
        sample.ignore_masks[0].bool() if where == "under" else beside(sample) for sample in samples
    ]
    spoiled = [corrupted(*pair) for pair in zip(samples, pixels, strict=True)]
    after, other = losses(model, spoiled, side)
    assert (before == after) == torch.equal(gradient, other) == (where == "under")
    for name, loss in before.items():
        assert (loss == after[name]) == (where == "under" or "mask" not in name), name


@pytest.mark.parametrize("seed", range(3))
def test_ragged_regions_hide_what_is_under_them_too(model: Any, tmp_path: Path, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for sample in read(ignoring(tmp_path, 1)):
        drawn = torch.rand(sample.ignore_masks.shape, generator=generator) < 0.02
        samples.append(replace(sample, ignore_masks=drawn.byte()))
    before, gradient = losses(model, samples, 80)
    spoiled = [corrupted(sample, sample.ignore_masks[0].bool()) for sample in samples]
    after, other = losses(model, spoiled, 80)
    assert before == after
    assert torch.equal(gradient, other)
    for sample in [*samples, *spoiled]:
        sample.ignore_masks.zero_()
    assert losses(model, samples, 80)[0] != losses(model, spoiled, 80)[0]


def test_regions_that_no_roi_holds_leave_losses_and_gradient_bit_for_bit(
    model: Any, tmp_path: Path
) -> None:
    plain, wanted = losses(model, read(ignoring(tmp_path)), 64)
    samples = read(ignoring(tmp_path, 1))
    for sample in samples:
        sample.ignore_masks.zero_()
    found, gradient = losses(model, samples, 64)
    assert found == plain
    assert torch.equal(gradient, wanted)
    for sample in samples:
        sample.ignore_masks[..., 63, 63] = 1  # a corner that no box reaches
    found, gradient = losses(model, samples, 64)
    assert found == plain
    assert torch.equal(gradient, wanted)


def test_masks_that_are_ignored_altogether_are_masks_of_weight_0(
    model: Any, tmp_path: Path
) -> None:
    samples = read(ignoring(tmp_path, 1))
    for sample in samples:
        sample.ignore_masks[0, 0] = 1
    found, gradient = losses(model, samples, 64)
    weightless = [
        replace(sample, mask_weight=torch.tensor([0.0, 1.0]))
        for sample in read(tmp_path / "labels.json")
    ]
    for sample in weightless:
        sample.ignore_masks.zero_()
    wanted, other = losses(model, weightless, 64)
    assert found == pytest.approx(wanted, abs=1e-6)
    torch.testing.assert_close(gradient, other, atol=1e-5, rtol=1e-4)
    for sample in samples:
        sample.ignore_masks[0] = 1
    nothing, gradient = losses(model, samples, 64)
    assert (nothing["loss_mask"], nothing["loss_mask_extra"]) == (0, 0)
    assert torch.isfinite(gradient).all()
