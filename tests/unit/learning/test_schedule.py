"""What takes the steps: norms keep their weight where they are spared the decay."""

import torch
from torch import nn

from stages.learning.schedule import optimizer_of
from stages.settings.train import Train


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
