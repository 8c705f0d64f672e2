"""PDG: the vectorised penalty against an obvious loop, and its edges."""

import math

import pytest
import torch

from stages.mil import pdg

GENERATOR = torch.Generator().manual_seed(0)


def scene(
    objects: int, boxes: int, classes: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Random boxes (n, m, 4), points and labels."""
    corner = torch.rand(objects, boxes, 2, generator=GENERATOR, dtype=torch.float64) * 80
    side = torch.rand(objects, boxes, 2, generator=GENERATOR, dtype=torch.float64) * 40
    points = torch.rand(objects, 2, generator=GENERATOR, dtype=torch.float64) * 100
    labels = torch.randint(classes, (objects,), generator=GENERATOR)
    return torch.cat([corner, corner + side], dim=-1), points, labels


def looped(
    boxes: torch.Tensor, points: torch.Tensor, labels: torch.Tensor, *, root: bool, least: float
) -> list[list[float]]:
    rows = []
    for i in range(len(points)):
        row = []
        for x0, y0, x1, y1 in boxes[i].tolist():
            total = 0.0
            for j, (x, y) in enumerate(points.tolist()):
                if i == j or labels[i] != labels[j]:
                    continue
                if x0 < x < x1 and y0 < y < y1:
                    distance = math.dist((x, y), points[i].tolist())
                    total += math.sqrt(distance) if root else distance
            row.append(1 / (1 + math.exp(-1 / max(total, least))) if total else 1.0)
        rows.append(row)
    return rows


@pytest.mark.parametrize("distance", ["euclid", "sqrt"])
@pytest.mark.parametrize("least", [0.0, 1.0, 30.0])
@pytest.mark.parametrize(("objects", "boxes"), [(1, 3), (2, 1), (30, 5)])
def test_guidance_equals_the_loop(objects: int, boxes: int, least: float, distance: str) -> None:
    where = scene(objects, boxes, 3)
    seen = pdg.guidance(*where, distance=distance, min_distance=least)
    wanted = looped(*where, root=distance == "sqrt", least=max(least, 1e-12))
    torch.testing.assert_close(seen, torch.tensor(wanted, dtype=torch.float64))


def test_crowded_image_equals_the_loop() -> None:
    where = scene(200, 9, 2)
    seen = pdg.guidance(*where, distance="euclid", min_distance=1.0)
    wanted = looped(*where, root=False, least=1.0)
    torch.testing.assert_close(seen, torch.tensor(wanted, dtype=torch.float64))


def test_no_object_gives_no_penalty() -> None:
    nothing = (torch.zeros(0, 6, 4), torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))
    assert pdg.guidance(*nothing, distance="euclid", min_distance=1.0).shape == (0, 6)


def test_a_single_object_is_never_penalised() -> None:
    boxes = torch.tensor([[[0.0, 0, 100, 100], [10, 10, 20, 20]]])
    one = (boxes, torch.tensor([[50.0, 50.0]]), torch.tensor([0]))
    assert pdg.guidance(*one, distance="euclid", min_distance=1.0).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("neighbour", ["point", "bag"])
def test_another_class_is_never_penalised(neighbour: str) -> None:
    boxes = torch.tensor([[[0.0, 0, 100, 100]], [[0.0, 0, 100, 100]]])
    points, labels = torch.tensor([[20.0, 20.0], [60.0, 60.0]]), torch.tensor([0, 1])
    bags = (boxes, torch.ones(2, 1, dtype=torch.bool)) if neighbour == "bag" else None
    seen = pdg.guidance(boxes, points, labels, distance="euclid", min_distance=1.0, bags=bags)
    assert seen.tolist() == [[1.0], [1.0]]


def test_min_distance_keeps_the_penalty_of_near_points() -> None:
    boxes = torch.tensor([[[0.0, 0, 100, 100]], [[0.0, 0, 1, 1]]])
    points, labels = torch.tensor([[50.0, 50.0], [50.01, 50.0]]), torch.tensor([3, 3])
    free = pdg.guidance(boxes, points, labels, distance="euclid", min_distance=0.0)
    held = pdg.guidance(boxes, points, labels, distance="euclid", min_distance=1.0)
    assert free[0, 0] > 0.99  # without the bound the penalty vanishes again
    assert held[0, 0] == pytest.approx(1 / (1 + math.exp(-1)))
    assert held[1, 0] == 1


def test_touched_bags_ignore_padding_and_touching_borders() -> None:
    boxes = torch.tensor([[[0.0, 0, 10, 10]], [[10.0, 0, 20, 10]]])
    bags = torch.tensor([[[0.0, 0, 10, 10], [0, 0, 0, 0]], [[10.0, 0, 20, 10], [5, 5, 8, 8]]])
    valid = torch.tensor([[True, False], [True, False]])
    hits = pdg.bags_touched(boxes, bags, valid)
    assert hits[:, 0].tolist() == [[True, False], [False, True]]
    valid[1, 1] = True
    assert pdg.bags_touched(boxes, bags, valid)[0, 0].tolist() == [True, True]


def test_unknown_distance_is_refused() -> None:
    with pytest.raises(ValueError, match="euclid"):
        pdg.guidance(*scene(2, 2, 1), distance="manhattan", min_distance=1.0)


@pytest.mark.parametrize(("objects", "least_side"), [(5, 0.0), (70, -10.0)])
def test_touched_bags_equal_the_loop(objects: int, least_side: float) -> None:
    boxes, _, _ = scene(objects, 3, 1)
    boxes[..., 2:] += least_side  # some turned inside out, which touch nothing
    boxes = boxes.round(decimals=-1)  # many borders in common
    valid = torch.rand(objects, 3, generator=GENERATOR) < 0.8
    seen = pdg.bags_touched(boxes, boxes, valid)
    corner = boxes.flatten(0, 1)
    low = torch.maximum(corner[:, None, :2], corner[None, :, :2])
    high = torch.minimum(corner[:, None, 2:], corner[None, :, 2:])
    wanted = (high > low).all(-1).view(objects, 3, objects, 3) & valid
    assert torch.equal(seen, wanted.any(-1))
    assert seen.any()
    assert not seen.all()
