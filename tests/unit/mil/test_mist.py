"""MIST's seeds, offsets and box loss against slow loops, and their odd cases."""

import math

import pytest
import torch

from stages.mil import mist, oicr
from tests.unit.mil.test_oicr import as_rows, bag, slow_iou


@pytest.mark.parametrize(
    ("count", "share", "wanted"),
    [(0, 0.5, 1), (9, 0.9, 1), (10, 0.15, 1), (10, 0.05, 1), (20, 0.15, 3), (213, 0.15, 31)],
)
def test_how_many_may_be_seeds(count: int, share: float, wanted: int) -> None:
    assert mist.candidates(count, share) == wanted


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("plus", [0, 1])
def test_seeds_are_those_of_a_slow_loop(seed: int, plus: int) -> None:
    boxes, scores, tags = bag(seed)
    wanted = []
    for c in [c for c, tag in enumerate(tags.tolist()) if tag]:
        ranked = sorted(range(len(boxes)), key=lambda r: -scores[r, c].item())[: int(0.4 * 30)]
        for place, r in enumerate(ranked):
            better = [slow_iou(boxes[r].tolist(), boxes[q].tolist(), plus) for q in ranked[:place]]
            if all(overlap < 0.2 for overlap in better):
                wanted.append((r, c, scores[r, c].item()))
    seeds = mist.mist_seeds(scores, tags, boxes, share=0.4, plus_one=bool(plus))
    assert as_rows(seeds) == wanted


def test_a_candidate_near_one_that_was_left_out_is_left_out_too() -> None:
    boxes = torch.tensor([[0.0, 0, 10, 10], [5, 0, 15, 10], [11, 0, 21, 10]])
    boxes = torch.cat([boxes, boxes.new_tensor([[50.0, 50, 60, 60]]).expand(7, 4)])
    scores = torch.tensor([[0.9], [0.8], [0.7], *[[0.1]] * 7])
    seeds = mist.mist_seeds(scores, torch.ones(1), boxes, share=0.3)
    assert seeds.rows.tolist() == [0]  # the third is far from the first, but near the second


def test_without_proposals_or_tags_there_are_no_seeds() -> None:
    assert not len(mist.mist_seeds(torch.zeros(0, 2), torch.ones(2), torch.zeros(0, 4)).rows)
    assert not len(mist.mist_seeds(torch.zeros(3, 2), torch.zeros(2), torch.zeros(3, 4)).rows)


def test_moving_by_the_offsets_gives_the_targets() -> None:
    boxes, targets = bag(1)[0], bag(2)[0]
    torch.testing.assert_close(mist.moved(boxes, mist.offsets(boxes, targets)), targets)


def test_offsets_are_those_of_a_slow_loop() -> None:
    boxes, targets = bag(1)[0], bag(2)[0]
    for box, target, moves in zip(
        boxes.tolist(), targets.tolist(), mist.offsets(boxes, targets).tolist(), strict=True
    ):
        for axis in (0, 1):
            side, size = box[axis + 2] - box[axis], target[axis + 2] - target[axis]
            shift = (target[axis] + size / 2 - box[axis] - side / 2) / side
            assert moves[axis] == pytest.approx(10 * shift)
            assert moves[axis + 2] == pytest.approx(5 * math.log(size / side), abs=1e-12)


def test_a_side_does_not_grow_beyond_all_bounds() -> None:
    moves = torch.tensor([[0.0, 0.0, 1e4, 0.0]])
    made = mist.moved(torch.tensor([[0.0, 0, 10, 10]]), moves)[0]
    assert (made[2] - made[0]).item() == pytest.approx(10 * 1000 / 16, rel=1e-4)


def test_box_loss_is_that_of_a_slow_loop() -> None:
    rng = torch.Generator().manual_seed(1)
    moves, targets = torch.randn(5, 12, generator=rng) * 2, torch.randn(5, 4, generator=rng)
    labels, weights = torch.tensor([0, 1, 2, 2, 0]), torch.rand(5, generator=rng)
    wanted = 0.0
    for r in range(5):
        for i in range(4):
            gap = abs(moves[r, 4 * labels[r] + i] - targets[r, i]).item()
            loss = gap - 0.5 if gap > 1 else gap**2 / 2
            wanted += weights[r].item() * loss * (labels[r].item() > 0) / 5
    assert mist.box_loss(moves, labels, targets, weights).item() == pytest.approx(wanted, rel=1e-5)


def test_the_background_moves_nothing() -> None:
    moves = torch.randn(3, 8, requires_grad=True)
    zeros = torch.zeros(3, dtype=torch.long)
    loss = mist.box_loss(moves, zeros, torch.ones(3, 4), torch.ones(3))
    loss.backward()
    assert loss.item() == 0.0
    assert moves.grad is not None
    assert not moves.grad.any()


def test_first_of_equal_scores_comes_first() -> None:
    assert oicr.best_first(torch.tensor([0.5, 0.7, 0.7, 0.5])).tolist() == [1, 2, 0, 3]
