"""One image to bags: against the stock predictor, prompt by prompt."""

import numpy as np
import pytest
import torch
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.geometry.masks import rle_boxes, rles_to_masks
from stages.segmenters.runner import Runner
from stages.segmenters.tiny import build_vit_tiny
from stages.settings.propose import Prompt, Propose

POINT = Prompt(source="point")


@pytest.fixture(scope="module")
def sam() -> Sam:
    torch.manual_seed(0)
    return build_vit_tiny().requires_grad_(False)


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return small.repeat(height // 6, axis=0).repeat(width // 8, axis=1)


POINTS = np.array([[10.0, 10.0], [40.5, 20.5], [63.9, 47.9]], dtype=np.float32)
IDS = [3, 8, 11]


def test_runner_gives_an_image_without_points_no_bags(sam: Sam) -> None:
    runner = Runner(sam, Propose(), seed=0)
    assert runner.bags(picture(), np.zeros((0, 2), np.float32), []) == []


def test_point_proposals_equal_those_of_the_stock_predictor(sam: Sam) -> None:
    runner = Runner(sam, Propose(prompts=(POINT,), clean=0.0, prompts_per_batch=2), seed=0)
    bags = runner.bags(picture(), POINTS, IDS)
    stock = SamPredictor(sam)
    stock.set_image(picture())
    for bag, point in zip(bags, POINTS, strict=True):
        masks, scores, _ = stock.predict(point[None], np.array([1]), multimask_output=True)
        for question, answer in bag:
            assert question.kind == "point"
            mask = rles_to_masks([answer.rle])[0]
            union = (mask | masks[answer.slot]).sum()
            agreement = (mask & masks[answer.slot]).sum() / union if union else 1.0
            assert agreement > 0.99  # logits at 0 may fall either way in another batch
            assert answer.sam_score == pytest.approx(scores[answer.slot], abs=1e-4)
            assert 0 <= answer.stability <= 1


def test_a_bag_is_ordered_by_source_then_by_falling_score(sam: Sam) -> None:
    bag = Runner(sam, Propose(clean=0.0), seed=0).bags(picture(), POINTS, IDS)[1]
    kinds = [question.kind for question, _ in bag]
    assert kinds[:3] == ["point"] * 3
    assert kinds == sorted(kinds, key=["point", "inner_points", "boxes"].index)
    for kind in set(kinds):
        scores = [answer.sam_score for question, answer in bag if question.kind == kind]
        assert scores == sorted(scores, reverse=True)


def test_proposals_of_an_instance_do_not_depend_on_the_others(sam: Sam) -> None:
    settings = Propose(prompts_per_batch=1)
    together = Runner(sam, settings, seed=5).bags(picture(), POINTS, IDS)
    alone = Runner(sam, settings, seed=5).bags(picture(), POINTS[1:2], IDS[1:2])
    assert [a.rle for _, a in together[1]] == [a.rle for _, a in alone[0]]


def test_inner_points_lie_in_the_first_masks_and_keep_the_label(sam: Sam) -> None:
    prompts = (POINT, Prompt(source="inner_points", count=2))
    runner = Runner(sam, Propose(prompts=prompts, clean=0.0), seed=0)
    bags = runner.bags(picture(), POINTS, IDS)
    for bag, point in zip(bags, POINTS, strict=True):
        first = [answer for question, answer in bag if question.kind == "point"]
        first.sort(key=lambda answer: -answer.area)
        for question, _ in bag:
            if question.kind == "inner_points" and first[question.index].area:
                assert question.points is not None
                assert question.points[0].tolist() == point.tolist()
                mask = rles_to_masks([first[question.index].rle])[0]
                assert all(mask[int(y), int(x)] for x, y in question.points[1:])


def test_boxes_surround_the_first_masks(sam: Sam) -> None:
    prompts = (POINT, Prompt(source="boxes", count=1, scale=1.5, masks="single"))
    runner = Runner(sam, Propose(prompts=prompts, clean=0.0), seed=0)
    for bag in runner.bags(picture(), POINTS, IDS):
        first = max((a for q, a in bag if q.kind == "point"), key=lambda answer: answer.area)
        asked = [question.box for question, _ in bag if question.kind == "boxes"]
        assert len(asked) == (1 if first.area else 0)
        for box in asked:
            inner = rle_boxes([first.rle])[0]
            assert box is not None
            assert np.all(box[:2] <= inner[:2])
            assert np.all(box[2:] >= inner[2:])


def test_a_short_gpu_halves_the_batch_and_loses_nothing(
    sam: Sam, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Propose(prompts=(POINT,), prompts_per_batch=4)
    runner = Runner(sam, settings, seed=0)
    stock = runner._ask_batch

    def short(questions, points, *, single):  # type: ignore[no-untyped-def]
        if len(questions) > 1:
            raise torch.cuda.OutOfMemoryError
        return stock(questions, points, single=single)

    monkeypatch.setattr(runner, "_ask_batch", short)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    assert [len(bag) for bag in runner.bags(picture(), POINTS, IDS)] == [3, 3, 3]
    assert runner.batch == 1
