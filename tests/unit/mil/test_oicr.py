"""OICR's seeds and assignment against slow loops on random bags, and their odd cases."""

import math

import pytest
import torch

from stages.geometry.box_tensors import half_open, paired_iou
from stages.mil import oicr

Box = list[float]


def slow_iou(a: Box, b: Box, plus: int = 0) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0]) + plus
    height = min(a[3], b[3]) - max(a[1], b[1]) + plus
    inner = max(width, 0) * max(height, 0)
    area = (a[2] - a[0] + plus) * (a[3] - a[1] + plus)
    return inner / (area + (b[2] - b[0] + plus) * (b[3] - b[1] + plus) - inner)


def bag(seed: int, rows: int = 30, classes: int = 4) -> tuple[torch.Tensor, ...]:
    """Random boxes of whole pixels, scores with ties, and tags."""
    rng = torch.Generator().manual_seed(seed)
    low = torch.randint(0, 20, (rows, 2), generator=rng)
    boxes = torch.cat([low, low + torch.randint(2, 15, (rows, 2), generator=rng)], 1).double()
    scores = torch.randint(0, 12, (rows, classes), generator=rng).double() / 12
    tags = torch.randint(0, 2, (classes,), generator=rng)
    return boxes, scores, tags


def slow_top1(scores: list[Box], tags: list[int]) -> list[tuple[int, int, float]]:
    taken: set[int] = set()
    seeds = []
    for c, tag in enumerate(tags):
        if tag:
            values = [0.0 if r in taken else row[c] for r, row in enumerate(scores)]
            best = values.index(max(values))
            seeds.append((best, c, values[best]))
            taken.add(best)
    return seeds


def slow_multi(
    boxes: list[Box], scores: list[Box], tags: list[int]
) -> list[tuple[int, int, float]]:
    found = []
    for c, tag in enumerate(tags):
        if tag:
            top = max(row[c] for row in scores)
            found += [(r, c, row[c]) for r, row in enumerate(scores) if row[c] >= 0.9 * top]
    kept: list[tuple[int, int, float]] = []
    for seed in sorted(found, key=lambda one: -one[2]):
        if all(slow_iou(boxes[seed[0]], boxes[other[0]]) <= 0.5 for other in kept):
            kept.append(seed)
    return kept


def as_rows(seeds: oicr.Seeds) -> list[tuple[int, int, float]]:
    return list(zip(*(part.tolist() for part in seeds), strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_seeds_are_those_of_slow_loops(seed: int) -> None:
    boxes, scores, tags = bag(seed)
    lists = (boxes.tolist(), scores.tolist(), tags.tolist())
    assert as_rows(oicr.top1_seeds(scores, tags)) == slow_top1(*lists[1:])
    assert as_rows(oicr.multi_seeds(scores, tags, boxes)) == slow_multi(*lists)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("plus", [0, 1])
def test_assignment_is_that_of_a_slow_loop(seed: int, strict: bool, plus: int) -> None:
    boxes, scores, _ = bag(seed)
    seeds = oicr.top1_seeds(scores, torch.tensor([1, 0, 1, 1]))
    found = oicr.assigned(boxes, seeds, strict=strict, plus_one=bool(plus))
    for r, box in enumerate(boxes.tolist()):
        overlaps = [slow_iou(box, boxes[s].tolist(), plus) for s in seeds.rows]
        best = overlaps.index(max(overlaps))
        near = overlaps[best] > 0.5 if strict else overlaps[best] >= 0.5
        assert found.labels[r] == (seeds.classes[best] + 1 if near else 0)
        assert found.weights[r] == seeds.scores[best]
        assert found.seeds[r] == best


def test_half_an_overlap_is_foreground_unless_strict() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5]])
    seeds = oicr.Seeds(torch.tensor([0]), torch.tensor([2]), torch.tensor([0.5]))
    assert oicr.assigned(boxes, seeds).labels.tolist() == [3, 3]
    assert oicr.assigned(boxes, seeds, strict=True).labels.tolist() == [3, 0]


def test_plus_one_on_inclusive_boxes_is_the_plain_iou_of_half_open_ones() -> None:
    boxes, _, _ = bag(3)
    inclusive = boxes - torch.tensor([0.0, 0, 1, 1])  # the last pixel, of whole pixels
    again = oicr.seed_iou(inclusive, inclusive, plus_one=True)
    torch.testing.assert_close(again, paired_iou(boxes[:, None], boxes[None]))
    torch.testing.assert_close(half_open(inclusive), boxes)


def test_two_classes_do_not_share_a_seed() -> None:
    scores = torch.tensor([[0.9, 0.9], [0.2, 0.3], [0.1, 0.3]])
    seeds = oicr.top1_seeds(scores, torch.tensor([1, 1]))
    assert as_rows(seeds) == [(0, 0, pytest.approx(0.9)), (1, 1, pytest.approx(0.3))]


def test_thinning_may_take_the_only_seed_of_a_class() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9]])
    scores = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    seeds = oicr.multi_seeds(scores, torch.tensor([1, 1]), boxes)
    assert seeds.classes.tolist() == [0]


@pytest.mark.parametrize("rows", [0, 3], ids=["no proposal", "no tag"])
def test_nothing_to_assign_teaches_nothing(rows: int) -> None:
    tags = torch.tensor([0 if rows else 1, 0])
    boxes = torch.zeros(rows, 4)
    for seeds in (
        oicr.top1_seeds(torch.zeros(rows, 2), tags),
        oicr.multi_seeds(torch.zeros(rows, 2), tags, boxes),
    ):
        found = oicr.assigned(boxes, seeds)
        assert found.labels.tolist() == [0] * rows
        assert found.weights.tolist() == [0.0] * rows
        logits = torch.zeros(rows, 3, requires_grad=True)
        loss = oicr.refine_loss(logits, found.labels, found.weights)
        assert loss.item() == 0.0


def test_loss_is_that_of_a_slow_loop() -> None:
    rng = torch.Generator().manual_seed(5)
    logits = torch.randn(6, 3, generator=rng)
    labels, weights = torch.tensor([0, 1, 2, 0, 2, 1]), torch.rand(6, generator=rng)
    wanted = 0.0
    for row, label, weight in zip(logits.tolist(), labels.tolist(), weights.tolist(), strict=True):
        below = sum(math.exp(value) for value in row)
        wanted -= weight * math.log(math.exp(row[label]) / below) / 6
    assert oicr.refine_loss(logits, labels, weights).item() == pytest.approx(wanted, rel=1e-5)
