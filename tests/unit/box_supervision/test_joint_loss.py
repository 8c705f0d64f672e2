"""The joint loss: what each part reads, and whom it teaches."""

import math

import pytest
import torch

from stages.box_supervision.joint_loss import foreground_share, pixel_loss, weak_parts
from stages.box_supervision.line_bags import line_bag_loss
from stages.box_supervision.smoothing import smooth_term


def test_without_salient_items_the_pixel_loss_is_nothing_that_still_has_a_gradient() -> None:
    logits = torch.ones(2, 3, 3, requires_grad=True)
    loss = pixel_loss(logits, torch.ones(2, 3, 3), torch.zeros(2, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_the_pixel_loss_reads_salient_items_alone() -> None:
    logits = torch.tensor([[[2.0, -1.0]], [[0.5, 0.0]]], requires_grad=True)
    labels, salient = torch.tensor([[[1.0, 1.0]], [[1.0, 0.0]]]), torch.tensor([False, True])
    loss = pixel_loss(logits, labels, salient)
    wanted = (math.log(1 + math.exp(-0.5)) + math.log(2)) / 2
    assert loss.item() == pytest.approx(wanted, abs=1e-6)
    loss.backward()
    assert logits.grad is not None
    assert not logits.grad[0].any()


def test_the_weak_head_learns_from_all_items() -> None:
    logits = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(3, 5, 5)
    labels[:, 1:4, 2:4] = 1
    parts = weak_parts(logits, labels, weight=0.05, border="interior")
    assert list(parts) == ["mil", "smooth"]
    assert parts["mil"].item() == line_bag_loss(logits, labels).item()
    assert parts["smooth"].item() == pytest.approx(
        0.05 * smooth_term(logits, border="interior").item()
    )


def test_the_filled_share_of_boxes() -> None:
    labels = torch.zeros(1, 2, 4)
    assert foreground_share(torch.ones(1, 2, 4), labels) == 0
    labels[0, :, :2] = 1
    logits = torch.tensor([[[3.0, -1.0, 5.0, 5.0], [1.0, -0.1, 5.0, 5.0]]])
    assert foreground_share(logits, labels) == 0.5
