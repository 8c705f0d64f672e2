"""BoxInst's losses: projection, colours and pairs, against tests/golden/boxes.json and loops."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from stages.box_supervision.colour_pairs import (
    STEPS,
    colour_similarity,
    disagreement,
    pairwise_loss,
    pairwise_parts,
)
from stages.box_supervision.lab import lab_of
from stages.box_supervision.projection import dice_losses, projection_loss

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())
CASE = GOLDEN["boxinst_losses"]
LOGITS = torch.tensor(CASE["mask_logits_HW"], dtype=torch.float64)[None]
BOX = torch.tensor([[float(c) for c in row] for row in CASE["box_mask_rows"]]).double()[None]
VALID = torch.tensor([[float(c) for c in row] for row in CASE["valid_rows_mask"]]).double()
LAB = torch.tensor(CASE["image_lab_HW3_skimage"], dtype=torch.float64)


def slow_dice(first: list[float], second: list[float]) -> float:
    shared = sum(a * b for a, b in zip(first, second, strict=True))
    return 1 - 2 * shared / (sum(a * a for a in first) + sum(b * b for b in second) + 1e-5)


def slow_projection(chances: np.ndarray, boxes: np.ndarray) -> float:
    losses = []
    for mask, box in zip(chances, boxes, strict=True):
        columns = [max(mask[:, x]) for x in range(mask.shape[1])]
        rows = [max(mask[y]) for y in range(mask.shape[0])]
        across = slow_dice(columns, [max(box[:, x]) for x in range(box.shape[1])])
        losses.append(across + slow_dice(rows, [max(box[y]) for y in range(box.shape[0])]))
    return sum(losses) / len(losses)


def slow_pairs(
    logits: np.ndarray, lab: np.ndarray, valid: np.ndarray, boxes: np.ndarray, threshold: float
) -> float:
    """Each pixel of each mask and each of its neighbours, one after the other."""
    total, edges = 0.0, 0
    for values, box in zip(logits, boxes, strict=True):
        height, width = values.shape
        for y in range(height):
            for x in range(width):
                for dy, dx in STEPS:
                    v, u = y + 2 * dy, x + 2 * dx
                    if not (0 <= v < height and 0 <= u < width and valid[v, u] and box[y, x]):
                        continue
                    if math.exp(-math.dist(lab[y, x], lab[v, u]) / 2) < threshold:
                        continue
                    p, q = (1 / (1 + math.exp(-values[at])) for at in ((y, x), (v, u)))
                    total += -math.log(p * q + (1 - p) * (1 - q))
                    edges += 1
    return total / max(edges, 1)


def test_nothing_loses_nothing() -> None:
    none = torch.zeros(0, 4, 5)
    assert projection_loss(none, none).item() == 0
    total, edges = pairwise_parts(none, torch.ones(8, 4, 5), none, threshold=0.3)
    assert (total.item(), edges) == (0, 0)
    assert pairwise_loss([(total, edges)]).item() == 0


def test_golden_projection() -> None:
    seen = projection_loss(LOGITS.sigmoid(), BOX)
    assert seen.item() == pytest.approx(CASE["loss_projection"], abs=1e-6)


def test_golden_lab() -> None:
    seen = lab_of(np.array(CASE["image_rgb_HW3"], dtype=np.uint8))
    assert np.abs(seen - LAB.numpy()).max() < 3e-3  # skimage's white has more digits


def test_golden_similarity() -> None:
    seen = colour_similarity(LAB, VALID)
    wanted = torch.tensor(CASE["color_similarity_8HW"], dtype=torch.float64)
    assert (seen - wanted).abs().max() < 5e-5  # Lab has four digits


def test_golden_disagreement() -> None:
    wanted = torch.tensor(CASE["pairwise_neg_log_same_8HW"], dtype=torch.float64)
    for values, (dy, dx) in zip(wanted, STEPS, strict=True):
        for y, x in np.ndindex(4, 5):
            v, u = y + 2 * dy, x + 2 * dx
            inside = 0 <= v < 4 and 0 <= u < 5
            seen = disagreement(LOGITS[0, y, x], LOGITS[0, v, u]) if inside else torch.zeros(())
            assert seen.item() == pytest.approx(values[y, x].item(), abs=1e-6)


@pytest.mark.parametrize("threshold", [0.3, 0.1])
def test_golden_pairwise(threshold: float) -> None:
    similarity = colour_similarity(LAB, VALID)
    parts = pairwise_parts(LOGITS, similarity, BOX, threshold=threshold)
    wanted = CASE[f"loss_pairwise_color_thresh_{threshold}"]
    assert pairwise_loss([parts]).item() == pytest.approx(wanted, abs=1e-6)
    assert parts[1] == CASE[f"num_edges_{threshold}"]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 7), (3, 6, 5)])
def test_the_losses_are_those_of_loops(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, shape)
    lab = rng.normal(50, 1.5, (*shape[1:], 3))
    valid = (rng.random(shape[1:]) < 0.8).astype(float)
    boxes = (rng.random(shape) < 0.6).astype(float)
    maps = [torch.from_numpy(each) for each in (logits, lab, valid, boxes)]
    similarity = colour_similarity(maps[1], maps[2])
    images = [(maps[0][:1], maps[3][:1]), (maps[0][1:], maps[3][1:])]  # as of two images
    parts = [pairwise_parts(m, similarity, b, threshold=0.3) for m, b in images]
    seen = pairwise_loss(parts).item()
    assert seen == pytest.approx(slow_pairs(logits, lab, valid, boxes, 0.3), abs=1e-9)
    chances = 1 / (1 + np.exp(-logits))
    seen = projection_loss(torch.from_numpy(chances), maps[3]).item()
    assert seen == pytest.approx(slow_projection(chances, boxes), abs=1e-9)


def test_a_mask_that_fills_its_box_has_its_extent() -> None:
    boxes = F.pad(torch.ones(2, 3, 2), (1, 1, 1, 0))
    assert projection_loss(boxes, boxes).item() == pytest.approx(0, abs=1e-5)
    assert projection_loss(torch.zeros_like(boxes), boxes).item() == pytest.approx(2)


def test_sure_pixels_stay_finite() -> None:
    logits = torch.tensor([[[200.0, -200.0, -200.0, 200.0]] * 4]).requires_grad_()
    similarity = colour_similarity(torch.zeros(4, 4, 3), torch.ones(4, 4))
    loss = pairwise_loss([pairwise_parts(logits, similarity, torch.ones(1, 4, 4), threshold=0.3)])
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() > 100
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [((0, 0, 0), (0, 0, 0)), ((255, 255, 255), (100, 0, 0)), ((255, 0, 0), (53.24, 80.09, 67.20))],
)
def test_known_colours(rgb: tuple[int, int, int], lab: tuple[float, float, float]) -> None:
    assert lab_of(np.array(rgb)) == pytest.approx(lab, abs=0.02)


def test_edges_beyond_the_border_never_count() -> None:
    with pytest.raises(ValueError, match="threshold is 0; it must be above 0"):
        pairwise_parts(LOGITS, torch.zeros(8, 4, 5), BOX, threshold=0)


def test_maps_of_two_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, 2, 2\) and \(1, 2, 3\) differ"):
        dice_losses(torch.zeros(1, 2, 2), torch.zeros(1, 2, 3))
