"""P2BNet's step against an obvious loop, its boxes, its negatives, and that it learns."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stages.geometry.box_tensors import paired_iou
from stages.learning import p2b_step
from stages.learning.point_bags import PointBags
from stages.learning.two_branch import TwoBranch
from stages.mil import p2b
from stages.settings.box_networks.p2b import Settings
from stages.settings.section import from_values, to_values
from stages.settings.selectors.psm import Features

SIZE, CLASSES = (64.0, 64.0), 3
SMALL = {
    "coarse": {"scales": [0.2, 0.5], "ratios": [0.5, 1.0]},
    "finer": {"factors": [1.0, 0.8], "negatives": 30},
    "top": 2,
}
SETTINGS = from_values(Settings, SMALL, "p2b")


def network(seed: int = 0) -> TwoBranch:
    torch.manual_seed(seed)
    features = Features(channels=8, hidden=16, roi_size=2)
    made = TwoBranch(features, p2b_step.heads(CLASSES), nn.Conv2d(3, 8, 4, 4), (4.0,))
    made.maps = nn.Sequential(made.maps, Listed())
    return made.eval()


class Listed(nn.Module):
    """One map as a list of maps."""

    def forward(self, level: Tensor) -> list[Tensor]:
        return [level]


def bags(image_id: int, count: int, seed: int = 0) -> PointBags:
    generator = torch.Generator().manual_seed(seed + image_id)
    points = torch.rand(count, 2, generator=generator) * 64
    labels = torch.randint(0, CLASSES, (count,), generator=generator)
    return PointBags(image_id, tuple(range(count)), points, labels, SIZE)


def pixels(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(seed))


def scored(made: TwoBranch, head: str, level: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of the boxes of one bag, one by one."""
    cls, ins = zip(
        *(made.logits(head, made.vectors([level], [box[None]])) for box in boxes), strict=True
    )
    return torch.cat(cls), torch.cat(ins)


def focal(p: float, q: float) -> float:
    return (p - q) ** 2 * (-q * math.log(p + 1e-6) - (1 - q) * math.log(1 - p + 1e-6))


def looped(made: TwoBranch, images: Tensor, batch: list[PointBags]) -> float:
    """The loss, object by object and class by class."""
    first, positive, negative, weights, drawn = 0.0, 0.0, 0.0, list[float](), 0
    for image, own in zip(images, batch, strict=True):
        [level] = made.feature_maps(image[None])
        finer = []
        for point, label in zip(own.points, own.labels.tolist(), strict=True):
            boxes = p2b.coarse_boxes(point[None], SIZE, scales=(0.2, 0.5), ratios=(0.5, 1.0))[0]
            cls, ins = scored(made, "cbp", level, boxes)
            scores = torch.softmax(cls, 1) * torch.softmax(ins, 0)
            bag = scores.sum(0).tolist()
            first += sum(-math.log(s if k == label else 1 - s) for k, s in enumerate(bag))
            weights.append(bag[label])
            best = sorted(range(4), key=lambda m: -float(scores[m, label]))[:2]
            total = sum(scores[m, label] for m in best)
            box = sum(boxes[m] * scores[m, label] for m in best) / total
            finer.append(p2b.refined_boxes(box[None], SIZE, factors=(1.0, 0.8), shift=0.1)[0])
            cls, ins = scored(made, "pbr", level, finer[-1])
            bag = (torch.sigmoid(cls) * torch.softmax(ins, 0)).sum(0).tolist()
            positive += weights[-1] * sum(focal(s, float(k == label)) for k, s in enumerate(bag))
        rng = np.random.default_rng([5, p2b_step.Purpose.ENHANCE, 9, own.image_id])
        boxes = p2b_step.negatives(torch.stack(finer), SIZE, SETTINGS.finer, rng=rng)
        drawn += len(boxes)
        cls, _ = scored(made, "pbr", level, boxes)
        negative += sum(focal(s, 0.0) for row in torch.sigmoid(cls).tolist() for s in row)
    count = len(weights)
    mean = sum(weights) / count
    return 0.25 * first / count + 0.25 * positive / count + 0.75 * mean * negative / drawn


@pytest.mark.parametrize("counts", [(1,), (3, 2)], ids=str)
def test_the_loss_equals_the_loop(counts: tuple[int, ...]) -> None:
    made, batch = network(), [bags(k + 1, count) for k, count in enumerate(counts)]
    nn.init.normal_(made.heads["pbr"].cls.weight, std=0.5)  # type: ignore[union-attr,arg-type]
    images = pixels(len(counts))
    with torch.no_grad():
        loss, numbers = p2b_step.step_loss(made, images, batch, SETTINGS, seed=5, step=9)
        assert loss.item() == pytest.approx(looped(made, images, batch), rel=1e-4)
    assert numbers["objects"] == sum(counts)
    assert 0 < numbers["negatives"] < 30 * len(counts)


def test_an_image_is_drawn_for_alone_whatever_else_is_in_the_batch() -> None:
    finer = torch.zeros(0, 20, 4)
    wanted = p2b_step.negatives(finer, SIZE, SETTINGS.finer, rng=np.random.default_rng(3))
    assert len(wanted) == 30  # nothing to be far from
    near = torch.tensor([[[0.0, 0, 64, 64], [10.0, 10, 40, 40]]])
    kept = p2b_step.negatives(near, SIZE, SETTINGS.finer, rng=np.random.default_rng(3))
    assert 0 < len(kept) < 30
    assert (paired_iou(kept[:, None], near[0]) < 0.3).all()


def test_without_negatives_bags_alone_teach() -> None:
    settings = from_values(Settings, {**SMALL, "finer": {"negatives": 0}}, "p2b")
    loss, numbers = p2b_step.step_loss(network(), pixels(1), [bags(1, 2)], settings, seed=0, step=0)
    assert numbers["negatives"] == numbers["negative"] == 0
    assert torch.isfinite(loss)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_each_object_has_a_box_within_the_image(rounds: int) -> None:
    for count in (1, 4):
        own = bags(1, count)
        seen = p2b_step.image_boxes(network(), pixels(1), own, SETTINGS, rounds=rounds)
        assert seen.shape == (count, 4)
        assert (seen[:, 2:] > seen[:, :2]).all()
        assert ((seen >= 0) & (seen <= 64)).all()


def test_loss_falls_by_half_on_four_images() -> None:
    images, batch = pixels(4), [bags(k + 1, 2) for k in range(4)]
    for k, own in enumerate(batch):  # squares whose colour is the class
        for (x, y), label in zip(own.points.tolist(), own.labels.tolist(), strict=True):
            top, left = max(0, int(y) - 8), max(0, int(x) - 8)
            images[k, :, top : top + 16, left : left + 16] = 0
            images[k, label, top : top + 16, left : left + 16] = 3
    made = network().train()
    optimizer = torch.optim.AdamW(made.parameters(), lr=0.01)
    losses = []
    for step in range(50):
        loss, _ = p2b_step.step_loss(made, images, batch, SETTINGS, seed=0, step=step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_what_cbp_hands_on_is_detached() -> None:
    """The loss of PBR alone does not reach the branches of CBP."""
    values = {**to_values(SETTINGS)}
    values["coarse"] = {**values["coarse"], "weight": 1e-30}
    settings = from_values(Settings, values, "p2b")
    made = network().train()
    loss, _ = p2b_step.step_loss(made, pixels(1), [bags(1, 3)], settings, seed=0, step=0)
    loss.backward()
    assert made.heads["cbp"].cls.weight.grad.abs().max() < 1e-20  # type: ignore[union-attr]
    assert made.heads["pbr"].cls.weight.grad.abs().max() > 1e-6  # type: ignore[union-attr]
