"""Pixels that no mask loss looks at, in the losses of detectron2's heads."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.ops import roi_align

from stages.engines.engine import INSTALL
from stages.engines.step_reader import StepReader
from stages.engines.training_images import Sample
from stages.engines.training_labels import Labels
from stages.settings.train import MultiMask, Train
from tests.ignored_pixels import beside, corrupted, ignoring

pytest.importorskip("detectron2", reason=f"detectron2 is not installed; see {INSTALL}")

from detectron2.layers import ShapeSpec
from detectron2.structures import BitMasks, Boxes, Instances
from detectron2.utils.events import EventStorage

from stages.engines.detectron2.config import build_network, config_of
from stages.engines.detectron2.heads import EXTRA_MASKS, IGNORED, MaskHead
from stages.engines.detectron2.hooking import add_hooks
from stages.engines.detectron2.samples import SampleMapper

MULTI = MultiMask(enabled=True, gamma=0.5)
SETTINGS = Train(
    short_side=64,
    long_side=128,
    fpn_channels=64,
    rois_per_image=16,
    batch_images=4,
    flip=0.0,
    multi_mask=MULTI,
)


@pytest.fixture(scope="module")
def network() -> Any:
    torch.manual_seed(0)
    built = build_network(config_of(SETTINGS, 3), torch.device("cpu"))
    return add_hooks(built, SETTINGS).train()


def read(path: Path) -> list[Sample]:
    return StepReader(path.parent, Labels(path), SETTINGS, 0)(0).samples


def losses(network: Any, samples: list[Sample], side: int) -> tuple[dict[str, float], Tensor]:
    """Losses and the whole gradient, with the same anchors and RoIs each time."""
    torch.manual_seed(1)
    network.zero_grad()
    with EventStorage():
        found = network([SampleMapper(SETTINGS)(sample, side) for sample in samples])
    torch.stack(list(found.values())).sum().backward()
    gradient = torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
    return {name: value.item() for name, value in found.items()}, gradient.clone()


@pytest.mark.parametrize("side", [64, 48, 100], ids=["own size", "smaller", "larger"])
@pytest.mark.parametrize("where", ["under", "beside"])
def test_a_mask_under_ignored_pixels_moves_neither_losses_nor_gradient(
    network: Any, tmp_path: Path, side: int, where: str
) -> None:
    samples = read(ignoring(tmp_path, *range(1, 9)))
    before, gradient = losses(network, samples, side)
    pixels = [
        sample.ignore_masks[0].bool() if where == "under" else beside(sample) for sample in samples
    ]
    spoiled = [corrupted(*pair) for pair in zip(samples, pixels, strict=True)]
    after, other = losses(network, spoiled, side)
    assert (before == after) == torch.equal(gradient, other) == (where == "under")
    for name, loss in before.items():
        assert (loss == after[name]) == (where == "under" or "mask" not in name), name


def test_ragged_regions_hide_what_is_under_them_too(network: Any, tmp_path: Path) -> None:
    generator, samples = torch.Generator().manual_seed(0), []
    for sample in read(ignoring(tmp_path, 1)):
        drawn = torch.rand(sample.ignore_masks.shape, generator=generator) < 0.02
        samples.append(replace(sample, ignore_masks=drawn.byte()))
    before, gradient = losses(network, samples, 80)
    spoiled = [corrupted(sample, sample.ignore_masks[0].bool()) for sample in samples]
    after, other = losses(network, spoiled, 80)
    assert before == after
    assert torch.equal(gradient, other)
    for sample in [*samples, *spoiled]:
        sample.ignore_masks.zero_()
    assert losses(network, samples, 80)[0] != losses(network, spoiled, 80)[0]


def test_where_nothing_is_ignored_losses_and_gradient_are_the_same_bits(
    network: Any, tmp_path: Path
) -> None:
    plain, wanted = losses(network, read(ignoring(tmp_path)), 64)
    samples = read(ignoring(tmp_path, 1))
    for sample in samples:
        sample.ignore_masks.zero_()
        sample.ignore_masks[..., 63, 63] = 1  # a corner that no box reaches
    found, gradient = losses(network, samples, 64)
    assert found == plain
    assert torch.equal(gradient, wanted)


def test_masks_that_are_ignored_altogether_have_no_loss(network: Any, tmp_path: Path) -> None:
    samples = read(ignoring(tmp_path, 1))
    for sample in samples:
        sample.ignore_masks[:] = 1
    found, gradient = losses(network, samples, 64)
    assert (found["loss_mask"], found["loss_mask_extra"]) == (0, 0)
    assert found["loss_cls"] > 0
    assert torch.isfinite(gradient).all()


def test_the_loss_is_that_of_the_cells_which_no_ignored_pixel_changes() -> None:
    rng, number = np.random.default_rng(3), 4
    found = Instances((32, 32))
    corners = torch.from_numpy(rng.uniform(0, 12, (number, 2)))
    found.proposal_boxes = Boxes(torch.cat([corners, corners + 9], dim=1).float())
    found.gt_classes = torch.from_numpy(rng.integers(0, 3, number))
    for name in ("gt_masks", *EXTRA_MASKS):
        found.set(name, BitMasks(torch.from_numpy(rng.random((number, 32, 32)) < 0.5)))
    found.gt_mask_weight = torch.tensor([1.0, 0.5, 1.0, 1.0])
    found.gt_extra_valid = torch.zeros(number, 3, dtype=torch.bool)
    ignored = torch.from_numpy(rng.random((number, 32, 32)) < 0.02)
    ignored[2] = True
    found.set(IGNORED, BitMasks(ignored))
    head = MaskHead(config_of(SETTINGS, 3), ShapeSpec(channels=64, width=14, height=14)).train()
    features = torch.randn(number, 64, 14, 14)
    loss = head(features, [found])["loss_mask"].item()
    logits, means = head.layers(features).detach().double(), []
    for row in (0, 1, 3):
        box = found.proposal_boxes.tensor[row : row + 1]
        goal = found.gt_masks[row].crop_and_resize(box, 28)[0].double()
        counts = torch.ones(28, 28, dtype=torch.bool)
        for y, x in torch.nonzero(ignored[row]).tolist():  # one ignored pixel after the other
            alone = torch.zeros(1, 1, 32, 32)
            alone[0, 0, y, x] = 1
            counts &= head_cells(alone, box) == 0
        prob = logits[row, int(found.gt_classes[row])].sigmoid()
        cross = -(goal * prob.log() + (1 - goal) * (1 - prob).log())
        means.append(float(cross[counts].mean()) * float(found.gt_mask_weight[row]))
        assert 0 < counts.sum() < 28 * 28
    assert loss == pytest.approx(np.mean(means), abs=1e-6)


def head_cells(pixels: Tensor, box: Tensor) -> Tensor:
    """(28, 28) how much of the pixels is in each cell of a RoI, as detectron2 cuts masks out."""
    cells: Tensor = roi_align(pixels, [box], (28, 28), 1.0, 0, aligned=True)[0, 0]
    return cells
