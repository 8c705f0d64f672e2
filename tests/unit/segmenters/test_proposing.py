"""One image and its prompts to bags: against the stock predictor, prompt by prompt."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.geometry.masks import rle_boxes, rle_of, rles_to_masks
from stages.geometry.soft_masks import soft_in
from stages.segmenters.derived import Question, own_questions
from stages.segmenters.proposing import Proposer
from stages.segmenters.segmenter import Answered
from stages.settings.propose import Propose
from stages.tables.checks import validate
from stages.tables.proposals import PROPOSALS
from tests.colour_teacher import ColourTeacher, teacher_chances

Make = Callable[..., Proposer]
LABEL = {"source": "label"}
INNER = {"source": "inner_points", "count": 2}
BOXES = {"source": "boxes", "count": 3, "scale": 1.3, "masks": "single"}
IMAGE = {"image_id": 1, "height": 48, "width": 64}
BOX = (8.0, 4.0, 40.0, 36.0)


def test_an_image_without_prompts_is_not_even_looked_at(
    proposer: Make, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = proposer(mirror=True)
    monkeypatch.setattr(asker.segmenter, "embed", lambda pixels: pytest.fail("was embedded"))
    assert asker.bags(picture, []) == {}


def test_point_proposals_equal_those_of_the_stock_predictor(
    proposer: Make, sam: Sam, picture: np.ndarray, pointed: list[Question]
) -> None:
    bags = proposer(prompts=[LABEL], sam={"prompts_per_batch": 2}).bags(picture, pointed)
    stock = SamPredictor(sam)
    stock.set_image(picture)
    for asked in pointed:
        points, signs = asked.asked.points, asked.asked.signs
        masks, scores, _ = stock.predict(points, signs, multimask_output=True)
        for question, answer in bags[asked.bag_id]:
            assert question.kind == "point"
            assert agreement(answer.mask(), masks[answer.slot]) > 0.99
            assert answer.predicted_iou == pytest.approx(scores[answer.slot], abs=1e-4)
            assert 0 <= answer.stability <= 1


def agreement(mask: np.ndarray, other: np.ndarray) -> float:
    """IoU; logits at 0 may fall either way in another batch."""
    union = (mask | other).sum()
    return float((mask & other).sum() / union) if union else 1.0


@pytest.mark.parametrize(("masks", "count"), [("all", 3), ("single", 1)])
def test_a_box_is_answered_as_the_stock_predictor_answers_it(
    masks: str, count: int, proposer: Make, sam: Sam, picture: np.ndarray, rows: Any
) -> None:
    questions = own_questions(rows.table(rows.box(5, BOX)))
    bags = proposer(prompts=[{**LABEL, "masks": masks}, INNER, BOXES]).bags(picture, questions)
    stock = SamPredictor(sam)
    stock.set_image(picture)
    multimask = masks == "all"
    wanted, scores, _ = stock.predict(box=np.array(BOX), multimask_output=multimask)
    assert len(bags[5]) == count  # nothing is derived from a box
    for question, answer in bags[5]:
        assert (question.kind, question.derived) == ("box", None)
        assert agreement(answer.mask(), wanted[answer.slot]) > 0.99
        assert answer.predicted_iou == pytest.approx(scores[answer.slot], abs=1e-4)


LARGER = [  # scale, and the box that is asked with, cut at the border
    (1.0, BOX),
    (1.5, (0.0, 0.0, 48.0, 44.0)),
    (0.5, (16.0, 12.0, 32.0, 28.0)),
]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("scale", "box"), LARGER)
def test_a_larger_box_is_asked_and_the_answer_cut_to_the_label_s(
    scale: float, box: tuple[float, ...], proposer: Make, picture: np.ndarray, rows: Any, *,
    mirror: bool
) -> None:  # fmt: skip
    questions = own_questions(rows.table(rows.box(5, BOX), rows.point(6, (50.0, 40.0))))
    label = {**LABEL, "scale": scale}
    plain = proposer(prompts=[label], mirror=mirror).bags(picture, questions)
    cut = proposer(prompts=[{**label, "cut": True}], mirror=mirror).bags(picture, questions)
    wanted = proposer(prompts=[LABEL], mirror=mirror).bags(
        picture, own_questions(rows.table(rows.box(5, box), rows.point(6, (50.0, 40.0))))
    )
    inside = np.zeros(picture.shape[:2], dtype=bool)
    inside[4:36, 8:40] = True
    for bag_id in (5, 6):
        assert [a for _, a in plain[bag_id]] == [a for _, a in wanted[bag_id]]
    assert [a for _, a in cut[6]] == [a for _, a in plain[6]]  # a point has no box to cut to
    for (_, answer), (_, whole) in zip(cut[5], plain[5], strict=True):
        np.testing.assert_array_equal(answer.mask(), whole.mask() * inside)
        assert answer.predicted_iou == whole.predicted_iou
        assert answer.area == (whole.mask() * inside).sum()


def test_what_is_cut_away_is_no_component(
    proposer: Make, picture: np.ndarray, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside the box lies most of the mask; what is inside is measured by itself."""
    asker = proposer(prompts=[{**LABEL, "masks": "single", "cut": True}], clean=0.5)
    mask = np.zeros((1, 48, 64), dtype=bool)
    mask[0, 38:48] = mask[0, 6:20, 10:20] = True
    answered = Answered(None, mask, np.ones(1, np.float32), np.ones(1, np.float32))
    monkeypatch.setattr(asker.segmenter, "ask", lambda asked, *, multimask: [answered])
    bags = asker.bags(picture, own_questions(rows.table(rows.box(5, BOX))))
    [(_, answer)] = bags[5]
    assert answer.area == 14 * 10


def test_a_point_and_a_box_are_asked_as_one_prompt(
    proposer: Make, sam: Sam, picture: np.ndarray, rows: Any
) -> None:
    both = rows.box(5, BOX, points=[[20.0, 20.0]], point_signs=[1])
    bags = proposer(prompts=[{**LABEL, "masks": "single"}, INNER]).bags(
        picture, own_questions(rows.table(both))
    )
    stock = SamPredictor(sam)
    stock.set_image(picture)
    wanted, *_ = stock.predict(
        np.array([[20.0, 20.0]]), np.array([1]), box=np.array(BOX), multimask_output=False
    )
    [(question, answer)] = bags[5]  # nothing is derived from it
    assert question.anchor.tolist() == [20, 20]
    assert agreement(answer.mask(), wanted[0]) > 0.99


def test_a_bag_is_ordered_by_source_then_by_falling_score(
    proposer: Make, picture: np.ndarray, pointed: list[Question]
) -> None:
    for bag in proposer().bags(picture, pointed).values():
        kinds = [question.kind for question, _ in bag]
        assert kinds[:3] == ["point"] * 3
        assert kinds == sorted(kinds, key=["point", "inner_points", "boxes"].index)
        for kind in set(kinds):
            scores = [answer.predicted_iou for question, answer in bag if question.kind == kind]
            assert scores == sorted(scores, reverse=True)


def test_proposals_of_an_object_do_not_depend_on_the_others(
    proposer: Make, picture: np.ndarray, pointed: list[Question]
) -> None:
    one = {"prompts_per_batch": 1}
    together = proposer(seed=5, sam=one).bags(picture, pointed)
    alone = proposer(seed=5, sam=one).bags(picture, pointed[1:2])
    assert [a.rle for _, a in together[8]] == [a.rle for _, a in alone[8]]


def test_a_mixed_image_gives_each_object_what_its_own_labels_say(
    proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    point, box = rows.point(3, (10.0, 10.0)), rows.box(5, BOX)
    both = rows.box(8, BOX), rows.point(8, (40.0, 20.0), prompt_id=1)
    one = {"sam": {"prompts_per_batch": 1}}
    mixed = proposer(**one).bags(picture, own_questions(rows.table(point, box, *both)))
    assert list(mixed) == [3, 5, 8]
    for bag_id, alone in ((3, [point]), (5, [box]), (8, both)):
        wanted = proposer(**one).bags(picture, own_questions(rows.table(*alone)))[bag_id]
        assert [a for _, a in mixed[bag_id]] == [a for _, a in wanted]
    kinds = {(q.kind, q.prompt_id) for q, _ in mixed[8]}
    assert kinds >= {("box", 0), ("point", 1), ("inner_points", 1)}
    assert not any(q.derived is not None and q.prompt_id == 0 for q, _ in mixed[8])


def test_inner_points_lie_in_the_first_masks_and_keep_the_label(
    proposer: Make, picture: np.ndarray, pointed: list[Question]
) -> None:
    bags = proposer(prompts=[LABEL, INNER]).bags(picture, pointed)
    for own in pointed:
        bag = bags[own.bag_id]
        first = sorted((a for q, a in bag if q.kind == "point"), key=lambda answer: answer.slot)
        first.sort(key=lambda answer: -answer.area)
        for question, _ in bag:
            if question.kind == "inner_points" and first[question.derived or 0].area:
                points, signs = question.asked.points, question.asked.signs
                assert points is not None
                assert signs is not None
                assert signs.tolist() == [1, 1, 1]
                np.testing.assert_array_equal(points[0], own.anchor)
                mask = rles_to_masks([first[question.derived or 0].rle])[0]
                assert all(mask[int(y), int(x)] for x, y in points[1:])


def test_two_points_of_one_object_draw_different_inner_points(
    proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    twice = rows.point(3, (10.0, 10.0)), rows.point(3, (10.0, 10.0), prompt_id=1)
    bag = proposer(prompts=[LABEL, INNER]).bags(picture, own_questions(rows.table(*twice)))[3]
    drawn = {
        q.prompt_id: q.asked.points.tolist()
        for q, _ in bag
        if q.kind == "inner_points" and q.derived == 0 and q.asked.points is not None
    }
    assert drawn[0] != drawn[1]


def test_boxes_surround_the_first_masks(
    proposer: Make, picture: np.ndarray, pointed: list[Question]
) -> None:
    boxes = {"source": "boxes", "count": 1, "scale": 1.5, "masks": "single"}
    for bag in proposer(prompts=[LABEL, boxes]).bags(picture, pointed).values():
        first = max((a for q, a in bag if q.kind == "point"), key=lambda answer: answer.area)
        asked = [question.asked.box for question, _ in bag if question.kind == "boxes"]
        assert len(asked) == (1 if first.area else 0)
        for box in asked:
            inner = rle_boxes([first.rle])[0]
            assert box is not None
            assert np.all(box[:2] <= inner[:2])
            assert np.all(box[2:] >= inner[2:])


def test_rows_say_which_prompt_they_answer(proposer: Make, picture: np.ndarray, rows: Any) -> None:
    prompts = rows.table(rows.point(3, (10.0, 10.0)), rows.box(5, BOX))
    table = proposer(mirror=True).rows(IMAGE, picture, prompts)
    validate(table, PROPOSALS, "rows")
    seen: dict[tuple[int, str], set[int | None]] = {}
    for row in table.to_pylist():
        seen.setdefault((row["bag_id"], row["prompt_kind"]), set()).add(row["derived"])
        assert (row["prompt_id"], row["category_id"], row["soft"]) == (0, None, None)
    for prefix in ("", "mirrored_"):
        assert seen[3, f"{prefix}point"] == seen[5, f"{prefix}box"] == {None}
        assert seen[3, f"{prefix}inner_points"] == {0, 1}


def test_soft_masks_of_segmenters_that_have_them_are_kept(picture: np.ndarray, rows: Any) -> None:
    settings = Propose.model_validate({"prompts": ({"source": "label"},), "mirror": True})
    prompts = rows.table(rows.box(5, BOX))
    table = Proposer(ColourTeacher(), settings, seed=0).rows(IMAGE, picture, prompts)
    own, mirrored = table.to_pylist()
    whole = slice(0, 48), slice(0, 64)
    seen = soft_in(own["soft"], np.array(own["box"]), whole, 48, 64)
    wanted = teacher_chances(BOX, 48, 64)
    inside = rles_to_masks([rle_of(own["rle"], 48, 64)])[0] > 0
    assert np.abs(seen - wanted)[inside].max() < 0.003
    assert mirrored["soft"] is None  # of the image as it is alone


def test_an_empty_mask_has_the_box_of_the_pixel_where_its_object_is(
    proposer: Make, picture: np.ndarray, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = rows.table(rows.point(3, (63.9, 47.9)), rows.box(5, BOX))
    asker = proposer(mirror=True)
    monkeypatch.setattr(asker.segmenter.predictor.model, "mask_threshold", 1e9)  # type: ignore[attr-defined]
    table: pa.Table = asker.rows(IMAGE, picture, prompts)
    boxes = {(row["bag_id"], tuple(row["box"])) for row in table.to_pylist()}
    assert boxes == {(3, (63, 47, 64, 48)), (5, (24, 20, 25, 21))}
    assert not any(table.column("valid").to_pylist())
