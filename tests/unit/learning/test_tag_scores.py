"""Detections: scores against a slow loop, the choice of each class, priors, and moved boxes."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch

from stages.learning.tag_bags import TagBags
from stages.learning.tag_network import Answer
from stages.learning.tag_scores import (
    TagScores,
    best_of,
    detections_of,
    mean_scores,
    mirrored_scores,
    scores_of,
    selected,
)
from stages.mil import mist
from stages.settings.selectors.mist import Settings as MistKeys
from stages.settings.selectors.oicr import Settings as OicrKeys

PAPER: dict[str, Any] = {"size_exponent": 0, "quality_exponent": 0}
Oicr, Mist = partial(OicrKeys, **PAPER), partial(MistKeys, **PAPER)
BOXES = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 40, 40], [0, 0, 50, 50]])


START = torch.zeros(4, 1)  # a prior that says nothing


def bag(boxes: torch.Tensor = BOXES, **more: Any) -> TagBags:
    count = len(boxes)
    same: dict[str, Any] = {
        "image_id": 1,
        "boxes": boxes,
        "valid": torch.ones(count, dtype=torch.bool),
        "quality": torch.full((count,), 0.5),
        "stands_for": torch.arange(count),
        "tags": torch.tensor([1.0, 0.0, 1.0]),
        "size": (50.0, 100.0),
    }
    return TagBags(**{**same, **more})


def scores(refined: torch.Tensor, moves: torch.Tensor | None = None) -> TagScores:
    part = torch.full_like(refined, 0.1)
    return TagScores(part, part, refined, moves, part.sum(dim=0))


REFINED = torch.tensor([[0.8, 0, 0.1], [0.9, 0, 0.2], [0.3, 0, 0.6], [0.4, 0, 0.0]])


def answer(background: int, seed: int = 1) -> Answer:
    rng = torch.Generator().manual_seed(seed)
    first = [torch.randn(4, 3 + background, generator=rng) for _ in range(2)]
    refined = [torch.randn(4, 4, generator=rng) for _ in range(3)]
    return Answer(first[0], first[1], refined, [torch.randn(4, 16, generator=rng)] * 3)


@pytest.mark.parametrize("background", [0, 1])
def test_scores_are_means_over_branches_without_the_background(background: int) -> None:
    given = answer(background)
    found = scores_of(given, Mist(background=bool(background)), START)
    mean = sum(torch.softmax(part, 1)[:, 1:] for part in given.refined) / 3
    torch.testing.assert_close(found.refined, mean)
    product = torch.softmax(given.cls, 1) * torch.softmax(given.ins, 0)
    torch.testing.assert_close(found.phi, product[:, background:].sum(0))
    torch.testing.assert_close(found.cls * found.ins, product[:, background:])
    assert found.moves is not None
    assert found.moves.shape == (4, 4, 4)


def test_a_prior_multiplies_the_shares_of_the_proposals() -> None:
    given, prior = answer(0), torch.tensor([[0.5], [1.0], [0.25], [0.1]])
    found = scores_of(given, Oicr(), prior.log())
    wanted = torch.softmax(given.ins, 0) * prior
    torch.testing.assert_close(found.ins, wanted / wanted.sum(0))


def test_without_branches_the_two_branch_head_decides() -> None:
    given = replace(answer(0), refined=[], moves=[])
    found = scores_of(given, Oicr(branches=0), START)
    torch.testing.assert_close(found.refined, found.cls * found.ins)


def test_every_row_has_every_tag_and_each_class_its_own_nms() -> None:
    found = detections_of(scores(REFINED), bag(), Oicr())
    assert found.classes.tolist() == [0, 2]
    torch.testing.assert_close(found.score, REFINED[:, [0, 2]])
    assert found.selected.tolist() == [[False, False], [True, True], [True, True], [True, True]]
    torch.testing.assert_close(found.boxes, BOXES[:, None].expand(-1, 2, -1))


def test_an_image_without_a_usable_row_has_rows_of_zero_and_no_choice() -> None:
    nothing = torch.zeros(4, dtype=torch.bool)
    bags = bag(valid=nothing, stands_for=torch.full((4,), -1))
    found = detections_of(scores(torch.zeros(0, 3), torch.zeros(0, 4, 4)), bags, Mist())
    assert found.score.tolist() == [[0.0, 0.0]] * 4
    assert not found.selected.any()
    assert found.phi.tolist() == [0, 0]


def test_of_copies_one_is_chosen_by_its_own_quality() -> None:
    bags = bag(
        BOXES[[0, 0]],
        valid=torch.tensor([True, False]),
        stands_for=torch.tensor([0, 0]),
        quality=torch.tensor([0.5, 0.9]),
    )
    plain = detections_of(scores(REFINED[:1]), bags, Oicr())
    assert plain.score[0].tolist() == plain.score[1].tolist()
    assert plain.selected[:, 0].tolist() == [True, False]
    better = detections_of(scores(REFINED[:1]), bags, Oicr(quality_exponent=1))
    assert better.selected[:, 0].tolist() == [False, True]


def test_size_lifts_the_whole_above_its_part() -> None:
    plain = detections_of(scores(REFINED), bag(), Oicr())
    lifted = detections_of(scores(REFINED), bag(), Oicr(size_exponent=1.0))
    area = torch.tensor([100, 90, 400, 2500]) / 5000
    torch.testing.assert_close(lifted.score[:, 0], REFINED[:, 0] * area)
    assert plain.score[:, 0].argmax() == 1
    assert lifted.score[:, 0].argmax() == 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("limit", [0.3, 0.5])
def test_nms_is_that_of_a_slow_loop(seed: int, limit: float) -> None:
    rng = torch.Generator().manual_seed(seed)
    low = torch.rand(20, 2, generator=rng) * 30
    boxes = torch.cat([low, low + 5 + torch.rand(20, 2, generator=rng) * 20], 1)
    score = torch.rand(20, 2, generator=rng)
    known = torch.rand(20, generator=rng) < 0.8
    found = selected(score, boxes[:, None].expand(-1, 2, -1), known, nms_iou=limit)
    for t in range(2):
        kept: list[int] = []
        for r in sorted(torch.nonzero(known)[:, 0].tolist(), key=lambda r: -score[r, t].item()):
            if all(iou(boxes[r].tolist(), boxes[q].tolist()) <= limit for q in kept):
                kept.append(r)
        assert torch.nonzero(found[:, t])[:, 0].tolist() == sorted(kept)


def iou(a: list[float], b: list[float]) -> float:
    width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


@pytest.mark.parametrize(
    ("count", "kept"),
    [(1, [(0, 1), (1, 0)]), (2, [(0, 1), (1, 0)]), (3, [(0, 1), (1, 0), (2, 1)]), (9, None)],
)
def test_the_best_of_all_classes_stay(count: int, kept: list[tuple[int, int]] | None) -> None:
    chosen = torch.tensor([[True, True], [True, False], [True, True]])
    score = torch.tensor([[0.2, 0.9], [0.8, 0.95], [0.1, 0.3]])
    found = best_of(chosen, score, count)
    if kept is None:
        assert found.equal(chosen)
    else:
        assert [tuple(place) for place in torch.nonzero(found).tolist()] == kept


def test_no_class_goes_without_its_best() -> None:
    chosen = torch.tensor([[True, True], [True, False], [True, True]])
    score = torch.tensor([[0.2, 0.01], [0.8, 0.0], [0.7, 0.02]])
    assert best_of(chosen, score, 2).tolist() == [[False, False], [True, False], [False, True]]
    assert best_of(chosen, score, 1).any(dim=0).all()
    assert best_of(chosen[:0], score[:0], 3).tolist() == []


def test_boxes_move_to_their_class_and_stay_in_the_image() -> None:
    targets = torch.tensor([[2.0, 2, 12, 12], [0, 0, 10, 9], [10, 30, 130, 70], [200, 0, 250, 50]])
    moves = torch.zeros(4, 4, 4)
    moves[:, 3] = mist.offsets(BOXES, targets)  # class 2, behind the background
    found = detections_of(scores(REFINED, moves), bag(), Mist())
    torch.testing.assert_close(found.boxes[:, 0], BOXES)
    wanted = torch.tensor([[2.0, 2, 12, 12], [0, 0, 10, 9], [10, 30, 100, 50], [0, 0, 50, 50]])
    torch.testing.assert_close(found.boxes[:, 1], wanted)


def test_a_mirrored_view_moves_the_other_way() -> None:
    moves = torch.ones(4, 4, 4)
    there = mirrored_scores(scores(REFINED, moves))
    assert there.moves is not None
    assert there.moves[0, 0].tolist() == [-1, 1, 1, 1]
    both = mean_scores([scores(REFINED, moves), there])
    assert both.moves is not None
    assert both.moves[0, 0].tolist() == [0, 1, 1, 1]
    torch.testing.assert_close(both.refined, REFINED)
