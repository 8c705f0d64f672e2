"""What becomes of answers to the prompts of an image's tags: grids and peaks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from segment_anything import SamPredictor
from segment_anything.modeling import Sam

from stages.geometry.boxes import box_iou
from stages.methods.prompters.grid import grid_points
from stages.segmenters.derived import own_questions
from stages.segmenters.proposing import Proposer
from stages.segmenters.tag_answers import by_source
from stages.tables.checks import validate
from stages.tables.proposals import PROPOSALS
from stages.tables.table import boxes_of

Make = Callable[..., Proposer]
IMAGE = {"image_id": 1, "height": 48, "width": 64}
ALL = {"masks": [0, 1, 2], "predicted_iou": 0.0, "stability": 0.0, "nms": None}


def grid(side: int, **more: Any) -> dict[str, Any]:
    points = grid_points(48, 64, side).tolist()
    row = {"bag_id": -1, "kind": "grid", "points": points, "point_signs": [1] * len(points)}
    return {**row, **more}


def peak(prompt_id: int, xy: tuple[float, float], **more: Any) -> dict[str, Any]:
    row = {"bag_id": -1, "prompt_id": prompt_id, "kind": "peak", "points": [list(xy)]}
    return {**row, "point_signs": [1], "source_map": "coarse", "category_id": 4, **more}


def answered(asker: Proposer, picture: np.ndarray, prompts: pa.Table) -> pa.Table:
    table = asker.rows(IMAGE, picture, prompts)
    validate(table, PROPOSALS, "proposals")
    return table


def test_each_point_of_a_grid_is_asked_alone(
    proposer: Make, sam: Sam, picture: np.ndarray, rows: Any
) -> None:
    table = answered(proposer(grid=ALL), picture, rows.table(grid(2)))
    stock = SamPredictor(sam)
    stock.set_image(picture)
    seen: set[tuple[int, int]] = set()
    for row in table.to_pylist():
        point = grid_points(48, 64, 2)[row["derived"]]
        _, scores, _ = stock.predict(point[None], np.array([1]), multimask_output=True)
        assert row["predicted_iou"] == pytest.approx(scores[row["mask_index"]], abs=1e-4)
        assert (row["bag_id"], row["prompt_kind"], row["prompt_id"]) == (-1, "grid", 0)
        seen.add((row["derived"], row["mask_index"]))
    assert len(seen) == len(table)
    assert {number for number, _ in seen} == {0, 1, 2, 3}


@pytest.mark.parametrize("wanted", [[0], [1, 2], [0, 1, 2]], ids=str)
def test_only_the_wanted_slots_stay(
    wanted: list[int], proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    settings = {"grid": {**ALL, "masks": wanted}, "peaks": {"masks": wanted[:1], "nms": None}}
    table = answered(proposer(**settings), picture, rows.table(grid(2), peak(1, (30.0, 20.0))))
    slots = {kind: set() for kind in ("grid", "peak")}
    for row in table.to_pylist():
        slots[row["prompt_kind"]].add(row["mask_index"])
    assert slots["grid"] <= set(wanted)
    assert slots["peak"] <= set(wanted[:1])
    assert slots["grid"]


def test_unsure_and_unstable_masks_of_a_grid_go(
    proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    prompts = rows.table(grid(4))
    sam = {"stability_offset": 0.01}  # random weights give logits near 0
    everything = answered(proposer(grid=ALL, sam=sam), picture, prompts).to_pylist()
    for key in ("predicted_iou", "stability"):
        values = sorted({row[key] for row in everything})
        limit = values[len(values) // 2]  # as a float32 in the tables
        asker = proposer(grid={**ALL, key: limit}, sam=sam)
        kept = answered(asker, picture, prompts).to_pylist()
        at_least = key == "stability"
        wanted = [row for row in everything if row[key] > limit or (at_least and row[key] == limit)]
        assert 0 < len(kept) < len(everything)
        assert [row["rle"] for row in kept] == [row["rle"] for row in wanted]


def test_of_masks_that_are_alike_the_surest_stays_within_each_source(
    proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    twice = rows.table(grid(4), peak(1, (8.0, 6.0)), peak(2, (8.5, 6.0)))
    settings = {"grid": {**ALL, "nms": 0.5}, "peaks": {"masks": [0, 1, 2], "nms": 0.5}}
    table = answered(proposer(**settings), picture, twice)
    kinds = np.array(table.column("prompt_kind").to_pylist())
    for kind in ("grid", "peak"):
        boxes = boxes_of(table)[kinds == kind].astype(float)
        iou = box_iou(boxes, boxes) - np.eye(len(boxes))
        assert (iou <= 0.5 + 1e-6).all()
    everything = answered(
        proposer(grid=ALL, peaks={"masks": [0, 1, 2], "nms": None}), picture, twice
    )
    best = {}
    for row in everything.to_pylist():
        kind = row["prompt_kind"]
        best[kind] = max(best.get(kind, 0.0), row["predicted_iou"])
    for kind, score in best.items():
        assert table.column("predicted_iou").to_numpy()[kinds == kind].max() == pytest.approx(score)


def test_grids_come_before_peaks_and_a_peak_keeps_its_class(
    proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    both = rows.table(
        grid(2),
        peak(1, (30.0, 20.0)),
        peak(2, (10.0, 9.0), kind="peaks", points=[[10.0, 9.0], [50.0, 40.0]], point_signs=[1, 1]),
        peak(3, (50.0, 40.0), source_map="cross", category_id=None),
    )
    table = answered(proposer(grid=ALL), picture, both)
    kinds = table.column("prompt_kind").to_pylist()
    assert kinds[0] == "grid"
    assert sorted(kinds.index(k) for k in ("grid", "peak")) == [0, kinds.index("peak")]
    for row in table.to_pylist():
        assert row["category_id"] == {0: None, 1: 4, 2: 4, 3: None}[row["prompt_id"]]


def test_sources_stand_in_the_order_in_which_they_come(rows: Any) -> None:
    cross = {"source_map": "cross", "category_id": None}
    table = rows.table(grid(1), peak(1, (1, 2), source_map="fine"), peak(2, (3, 4), **cross))
    found = by_source(own_questions(table))
    assert {source: len(asked) for source, asked in found.items()} == {
        "grid": 1,
        "fine": 1,
        "cross": 1,
    }
    assert list(found) == ["grid", "fine", "cross"]


def test_cross_attention_is_suppressed_in_the_order_of_its_peaks(
    proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    cross = {"source_map": "cross", "category_id": None}
    points = rows.table(peak(0, (30.0, 20.0), **cross), peak(1, (30.5, 20.0), **cross))
    first = answered(proposer(peaks={"masks": [2], "nms": None, "cross_nms": 0.0}), picture, points)
    assert first.column("prompt_id").to_pylist() == [0]
    both = answered(proposer(peaks={"masks": [2], "nms": None, "cross_nms": None}), picture, points)
    assert sorted(both.column("prompt_id").to_pylist()) == [0, 1]


def test_a_bag_of_which_nothing_stays_keeps_an_empty_row(
    proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    table = answered(proposer(grid={**ALL, "predicted_iou": 1.0}), picture, rows.table(grid(2)))
    (row,) = table.to_pylist()
    assert (row["valid"], row["area"], row["bag_id"]) == (False, 0, -1)


def test_objects_and_tags_of_an_image_have_bags_of_their_own(
    proposer: Make, picture: np.ndarray, rows: Any
) -> None:
    table = answered(proposer(grid=ALL), picture, rows.table(grid(2), rows.point(7, (20.0, 20.0))))
    kinds = {(row["bag_id"], row["prompt_kind"]) for row in table.to_pylist()}
    assert {bag for bag, _ in kinds} == {-1, 7}
    assert (-1, "point") not in kinds
    assert (7, "grid") not in kinds
    alone = answered(proposer(grid=ALL), picture, rows.table(rows.point(7, (20.0, 20.0))))
    mine = [row for row in table.to_pylist() if row["bag_id"] == 7]
    assert mine == alone.to_pylist()
