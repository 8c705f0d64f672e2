"""OICR and MIST learn: from tags alone, the same alone and in company, and nothing from nothing."""

import json
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stages.learning.oicr_step import image_losses, step_loss
from stages.learning.tag_bags import TagBags
from stages.learning.tag_network import Answer, TagNetwork
from stages.settings.refine import Refine
from stages.settings.select import Select
from stages.settings.selectors.psm import Features

SIDE = 32  # px
CLASSES = 3
SMALL = {"features": Features(channels=8, hidden=32, roi_size=3)}
DROP = {"drop_block": {"enabled": True, "rate": 0.5}}
KINDS = [
    ("oicr", {}),
    ("oicr", {"supervision": "oicr_top1"}),
    ("oicr", {"supervision": "mist", "branches": 1}),
    ("mist", {}),
    ("mist", DROP),
]
PAPER: dict[str, Any] = {"head_size": 0, "head_quality": 0}
IDS = ["multi", "top1", "one branch", "mist", "drop block"]


def settings(method: str, more: dict[str, Any]) -> Select:
    block = {"features": SMALL["features"].model_dump(), **more}
    values: dict[str, Any] = {"method": method, method: block}
    return Select.model_validate_json(json.dumps(values))


def network(select: Select) -> TagNetwork:
    torch.manual_seed(0)
    maps = Maps()
    return TagNetwork(select.block, CLASSES, maps, (4.0,))


class Maps(nn.Module):
    """One level of stride 4."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 4, stride=4)

    def forward(self, pixels: Tensor) -> list[Tensor]:
        return [torch.relu(self.conv(pixels))]


def drawn(image_id: int, *, tags: tuple[int, ...] | None = None) -> tuple[Tensor, TagBags]:
    """A square of the colour of each class in the tags, on grey, and boxes all over."""
    rng = torch.Generator().manual_seed(image_id)
    pixels = torch.rand(3, SIDE, SIDE, generator=rng) * 0.1
    held = tags if tags is not None else (image_id % 3, (image_id + 1) % 3)
    corners = [(2, 2), (18, 18)]
    for c, (x, y) in zip(held, corners, strict=False):
        pixels[c, y : y + 12, x : x + 12] += 1
    grid = [(x, y) for x in (2, 10, 18) for y in (2, 10, 18)]
    boxes = torch.tensor([[x, y, x + side, y + side] for x, y in grid for side in (6, 12)])
    hot = torch.zeros(CLASSES)
    hot[list(held)] = 1
    rows = torch.arange(len(boxes))
    valid, quality = torch.ones(len(boxes), dtype=torch.bool), torch.ones(len(boxes))
    size = (float(SIDE), float(SIDE))
    return pixels, TagBags(image_id, boxes.float(), valid, quality, rows, hot, size)


def empty(bags: TagBags) -> TagBags:
    nothing = torch.zeros_like(bags.valid)
    return replace(bags, valid=nothing, stands_for=torch.full_like(bags.stands_for, -1))


def loss_of(
    net: TagNetwork, select: Select, images: list[tuple[Tensor, TagBags]], step: int = 0
) -> tuple[Tensor, dict[str, float]]:
    pixels = torch.stack([pixels for pixels, _ in images])
    bags = [bags for _, bags in images]
    return step_loss(net, pixels, bags, select, Refine(), seed=0, step=step)


@pytest.mark.parametrize(("method", "more"), KINDS, ids=IDS)
def test_loss_falls_by_half_in_fifty_steps(method: str, more: dict[str, Any]) -> None:
    select = settings(method, more)
    net, images = network(select), [drawn(number) for number in range(1, 5)]
    optimizer = torch.optim.AdamW(net.parameters(), 5e-3)
    first = None
    for step in range(50):
        loss, numbers = loss_of(net, select, images, step)
        first = first or numbers["loss_mil"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert numbers["loss_mil"] < first / 2
    assert numbers["image_score"] > 0.5


@pytest.mark.parametrize(("method", "more"), KINDS, ids=IDS)
def test_a_batch_of_two_is_two_batches_of_one(method: str, more: dict[str, Any]) -> None:
    select = settings(method, more)
    net, images = network(select), [drawn(1), drawn(2)]
    together, numbers = loss_of(net, select, images)
    wanted = gradients(net, together)
    alone = [loss_of(net, select, [image]) for image in images]
    torch.testing.assert_close(together, (alone[0][0] + alone[1][0]) / 2, atol=1e-6, rtol=1e-6)
    parts = [gradients(net, loss) for loss, _ in alone]
    for name, gradient in wanted.items():
        mean = (parts[0][name] + parts[1][name]) / 2
        torch.testing.assert_close(gradient, mean, atol=1e-6, rtol=1e-5)
    for name in ("loss_mil", "loss_refine", "image_score"):
        assert numbers[name] == pytest.approx((alone[0][1][name] + alone[1][1][name]) / 2)


def gradients(net: TagNetwork, loss: Tensor) -> dict[str, Tensor]:
    net.zero_grad()
    loss.backward()
    return {
        name: torch.zeros_like(weight) if weight.grad is None else weight.grad.clone()
        for name, weight in net.named_parameters()
    }


@pytest.mark.parametrize(("method", "more"), KINDS, ids=IDS)
def test_nothing_is_learned_from_nothing(method: str, more: dict[str, Any]) -> None:
    select = settings(method, more)
    net = network(select)
    pixels, bags = drawn(1)
    for image in ((pixels, empty(bags)), drawn(1, tags=())):
        loss, numbers = loss_of(net, select, [image])
        assert loss.item() == 0.0
        assert numbers["loss_box"] == 0.0
        assert all(not gradient.any() for gradient in gradients(net, loss).values())


def test_an_empty_image_does_not_change_what_another_teaches() -> None:
    select = settings("mist", {})
    net = network(select)
    alone, _ = loss_of(net, select, [drawn(1)])
    pixels, bags = drawn(2)
    both, _ = loss_of(net, select, [drawn(1), (pixels, empty(bags))])
    assert both.item() == pytest.approx(alone.item() / 2, rel=1e-5)


def test_a_copy_of_a_box_changes_nothing() -> None:
    select = settings("oicr", {})
    net = network(select)
    pixels, bags = drawn(1)
    copied = replace(
        bags,
        boxes=torch.cat([bags.boxes, bags.boxes[:1]]),
        valid=torch.cat([bags.valid, torch.tensor([False])]),
        quality=torch.cat([bags.quality, bags.quality[:1]]),
        stands_for=torch.cat([bags.stands_for, torch.tensor([0])]),
    )
    plain, _ = loss_of(net, select, [(pixels, bags)])
    again, _ = loss_of(net, select, [(pixels, copied)])
    assert again.item() == plain.item()


def test_what_is_hidden_depends_on_step_and_image_alone() -> None:
    select = settings("mist", DROP)
    net = network(select)
    same = [loss_of(net, select, [drawn(1)], step)[0].item() for step in (3, 3, 4)]
    assert same[0] == same[1] != same[2]


def test_teachers_learn_nothing_from_their_pupils() -> None:
    select = settings("oicr", {"branches": 2})
    rng = torch.Generator().manual_seed(1)
    _, bags = drawn(1)
    shapes = [CLASSES, CLASSES, CLASSES + 1, CLASSES + 1]
    logits = [torch.randn(18, k, generator=rng).requires_grad_() for k in shapes]
    found = {}
    for count in (0, 1, 2):
        answer = Answer(logits[0], logits[1], logits[2 : 2 + count], [])
        loss = image_losses(answer, bags, select.block)["loss"]
        used = logits[: 2 + count]
        found[count] = torch.autograd.grad(loss, used)
    torch.testing.assert_close(found[1][:2], found[0])
    torch.testing.assert_close(found[2][:3], found[1])
    assert all(gradient.any() for gradient in found[2])


def test_the_head_starts_from_a_prior_of_size_and_quality() -> None:
    _, bags = drawn(1, tags=(0,))
    flat = torch.zeros(18, CLASSES, requires_grad=True)
    answer = Answer(torch.zeros(18, CLASSES), flat, [], [])
    plain = image_losses(answer, bags, settings("oicr", {**PAPER, "branches": 0}).block)
    (even,) = torch.autograd.grad(plain["loss"], flat)
    assert even.abs().max() < 1e-6  # all proposals are alike, and so is what each is to be
    doubted = replace(bags, quality=torch.where(torch.arange(18) == 1, 0.5, 1.0))
    for keys, place, share in (
        ({**PAPER, "head_size": 1}, 1, 144 / (9 * (36 + 144))),
        ({**PAPER, "head_quality": 2}, 1, 0.25 / 17.25),
    ):
        start = doubted.start(size=keys["head_size"], quality=keys["head_quality"])
        shares = (flat + start).softmax(dim=0)[:, 0]
        assert shares[place].item() == pytest.approx(share, rel=1e-5)
        found = image_losses(answer, doubted, settings("oicr", {**keys, "branches": 0}).block)
        assert found["image_score"].item() == pytest.approx(1 / 3)  # still one in all
