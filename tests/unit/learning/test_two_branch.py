"""The network: shapes, starting values, and which weights PSM and PRM share."""

import math

import pytest
import torch

from stages.learning.adapter import Adapter
from stages.learning.two_branch import TwoBranch, batched_pixels
from stages.settings.selectors.psm import Features

FEATURES = Features(channels=16, hidden=24, roi_size=3)


def network(**heads: int) -> TwoBranch:
    torch.manual_seed(0)
    return TwoBranch(FEATURES, heads, Adapter(8, 16), (8.0,))


def test_heads_start_as_in_the_authors_code() -> None:
    head = network(psm=200).heads["psm"]
    assert head.cls.bias.tolist() == pytest.approx([-math.log(99)] * 200)
    assert head.ins.bias.abs().max() == 0
    for layer in (head.cls, head.ins):
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.1)


def test_vectors_follow_the_images_and_their_boxes() -> None:
    net = network(psm=5)
    maps = net.maps(torch.rand(3, 8, 16, 16))
    boxes = [torch.rand(n, 4) * 40 + torch.tensor([0.0, 0, 60, 60]) for n in (2, 0, 3)]
    together = net.vectors(maps, boxes)
    assert together.shape == (5, 24)
    alone = net.vectors([level[2:] for level in maps], [boxes[2]])
    torch.testing.assert_close(together[2:], alone)


def test_shared_layers_are_all_but_the_heads() -> None:
    psm, prm = network(psm=5), network(prm=4)
    assert psm.shared().keys() == prm.shared().keys()
    assert {key.split(".")[0] for key in psm.shared()} == {"maps", "trunk"}


def test_batches_pad_to_the_right_and_below() -> None:
    seen = batched_pixels([torch.ones(3, 4, 6), torch.ones(3, 8, 2)])
    assert seen.shape == (2, 3, 8, 6)
    assert seen[0].sum() == 3 * 4 * 6
    assert seen[1, :, :, :2].sum() == 3 * 8 * 2
