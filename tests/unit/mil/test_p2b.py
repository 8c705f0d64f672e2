"""Boxes of P2BNet against slow loops, at the border and for no point, and what they merge into."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from stages.mil import p2b

SCALES = (0.04, 0.08, 0.16, 0.32, 0.64, 1.28)
RATIOS = (1 / 3, 1 / 2, 1 / 1.5, 1, 1.5, 2, 3)
FACTORS = (1, 1.2, 1.3, 0.8, 0.7)
SIZE = (60.0, 100.0)
POINTS = [[50.0, 30.0], [3.0, 58.0], [99.5, 0.25], [0.0, 60.0]]
PAPER: dict[str, Any] = {"scales": SCALES, "ratios": RATIOS}


def cut(x0: float, y0: float, x1: float, y1: float) -> list[float]:
    height, width = SIZE
    return [max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)]


def looped(x: float, y: float, shift: float) -> list[list[float]]:
    height, width = SIZE
    sides = [(v * s * 60, s * 60 / v) for s in SCALES for v in RATIOS]
    found = []
    for w, h in sides:
        half_w = max(0.5, min(w / 2, x, width - x))
        half_h = max(0.5, min(h / 2, y, height - y))
        found.append(cut(x - half_w, y - half_h, x + half_w, y + half_h))
    for dx, dy in [(-1, 0), (1, 0), (0, -1), (0, 1)] if shift else []:
        for w, h in sides:
            cx, cy = x + dx * shift * w, y + dy * shift * h
            found.append(cut(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
    return found


@pytest.mark.parametrize("shift", [0.0, 0.25])
@pytest.mark.parametrize("points", [[], POINTS[:1], POINTS], ids=["none", "one", "many"])
def test_coarse_boxes_equal_the_loop(points: list[list[float]], shift: float) -> None:
    at = torch.tensor(points).reshape(-1, 2)
    seen = p2b.coarse_boxes(at, SIZE, **PAPER, shift=shift)
    count = 42 * (5 if shift else 1)
    assert seen.shape == (len(points), count, 4)
    wanted = [looped(x, y, shift) for x, y in points]
    np.testing.assert_allclose(seen, np.reshape(wanted, (-1, count, 4)), rtol=1e-5, atol=1e-4)


def test_every_coarse_box_has_an_area_and_holds_its_point() -> None:
    points = torch.tensor(POINTS)
    boxes = p2b.coarse_boxes(points, SIZE, **PAPER, shift=0.45)
    assert (boxes[..., 2:] > boxes[..., :2]).all()
    assert (boxes[..., :2] <= points[:, None] + 1e-4).all()
    assert (points[:, None] <= boxes[..., 2:] + 1e-4).all()
    assert (boxes >= 0).all()
    assert (boxes[..., 2:] <= torch.tensor([100.0, 60.0])).all()


def test_a_box_is_cut_on_both_sides_alike_and_stays_about_its_point() -> None:
    [[box]] = p2b.coarse_boxes(torch.tensor([[10.0, 30.0]]), SIZE, scales=[1], ratios=[1]).tolist()
    assert box == [0, 0, 20, 60]  # 60 px wide but for the border


@pytest.mark.parametrize(
    "boxes", [[], [[20.0, 10, 60, 40]], [[20.0, 10, 60, 40], [0.0, 0, 100, 60]]], ids=len
)
def test_refined_boxes_equal_the_loop(boxes: list[list[float]]) -> None:
    given = torch.tensor(boxes).reshape(-1, 4)
    seen = p2b.refined_boxes(given, SIZE, factors=FACTORS, shift=0.1)
    assert seen.shape == (len(boxes), 125, 4)
    wanted = []
    for x0, y0, x1, y1 in boxes:
        for fw, fh in itertools.product(FACTORS, FACTORS):
            w, h = (x1 - x0) * fw, (y1 - y0) * fh
            for dx, dy in [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]:
                cx, cy = (x0 + x1) / 2 + dx * 0.1 * w, (y0 + y1) / 2 + dy * 0.1 * h
                wanted.append(cut(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
    np.testing.assert_allclose(seen.reshape(-1, 4), np.reshape(wanted, (-1, 4)), atol=1e-4)
    if boxes:
        assert seen[:, 0].tolist() == boxes  # the box itself comes first


@pytest.mark.parametrize("top", [1, 3, 7, 99])
def test_a_merged_box_is_the_weighted_mean_of_the_best(top: int) -> None:
    generator = torch.Generator().manual_seed(1)
    boxes = torch.rand(5, 12, 4, generator=generator) * 50
    scores = torch.rand(5, 12, generator=generator)
    seen = p2b.merged(boxes, scores, top=top)
    for n in range(5):
        order = sorted(range(12), key=lambda m: -float(scores[n, m]))[:top]
        total = sum(float(scores[n, m]) for m in order)
        for k in range(4):
            mean = sum(float(scores[n, m]) * float(boxes[n, m, k]) for m in order) / total
            assert float(seen[n, k]) == pytest.approx(mean, rel=1e-4)


def test_scores_of_0_merge_into_a_finite_box_and_no_bag_into_none() -> None:
    boxes = torch.tensor([[[0.0, 0, 2, 2], [2.0, 2, 4, 4]]])
    assert p2b.merged(boxes, torch.zeros(1, 2), top=7).tolist() == [[1, 1, 3, 3]]
    assert p2b.merged(torch.zeros(0, 42, 4), torch.zeros(0, 42), top=7).shape == (0, 4)
