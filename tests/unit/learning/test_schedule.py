"""How large steps are, and what takes them: norms keep their weight where they are spared."""

import math

import pytest
import torch
from torch import nn

from stages.learning.schedule import WARMUP_START, lr_share, optimizer_of
from stages.settings.segmenters.boxcaseg import CropTraining
from stages.settings.train import Train
from stages.settings.training import ClueTraining, Training


def test_a_cosine_falls_from_the_end_of_the_warm_up_to_nothing() -> None:
    settings = ClueTraining(warmup=10)
    shares = [lr_share(step, 110, settings) for step in range(110)]
    assert shares[0] == WARMUP_START
    assert shares[10] == 1
    assert shares[60] == pytest.approx(0.5)
    assert shares[35] == pytest.approx((1 + math.cos(math.pi / 4)) / 2)
    assert 0 < shares[-1] < 0.001
    assert sorted(shares[10:], reverse=True) == shares[10:]


def test_poly_falls_by_its_power_from_the_end_of_the_warm_up() -> None:
    settings = CropTraining(warmup=10, power=0.9)
    shares = [lr_share(step, 110, settings) for step in range(110)]
    assert shares[0] == WARMUP_START
    assert shares[10] == 1
    assert shares[60] == pytest.approx(0.5**0.9)
    assert shares[-1] == pytest.approx(0.01**0.9)


def test_milestones_are_there_with_and_without_a_choice() -> None:
    keys = {"warmup": 0, "milestones": (0.5,)}
    for settings in (Training(**keys), ClueTraining(decay="milestones", **keys)):
        assert [lr_share(step, 4, settings) for step in range(4)] == [1, 1, 0.1, 0.1]


def test_all_weights_decay_alike_by_default() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 1), nn.GroupNorm(2, 4))
    (group,) = optimizer_of(network, Train()).param_groups
    assert len(group["params"]) == 4


def test_norms_are_spared_the_decay_where_asked() -> None:
    for optimizer in ("adamw", "sgd"):
        network = nn.Sequential(nn.Conv2d(1, 4, 1), nn.GroupNorm(2, 4), nn.LayerNorm(3))
        settings = Train(weight_decay=0.5, lr=0.1, optimizer=optimizer)
        steps = optimizer_of(network, settings, norm_decay=False)
        before = {name: p.detach().clone() for name, p in network.named_parameters()}
        for weight in network.parameters():
            weight.grad = torch.zeros_like(weight)
        steps.step()
        moved = {n for n, p in network.named_parameters() if not torch.equal(p, before[n])}
        assert moved == {"0.weight", "0.bias"}
