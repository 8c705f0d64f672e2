"""A grid of points over an image that has tags."""

import json
from typing import Any

import pytest
from segment_anything.utils.amg import build_point_grid

from stages.methods.prompters.grid import grid_points, opened_prompter
from stages.settings.prompters.grid import Settings
from stages.tables.checks import validate
from stages.tables.prompts import PROMPTS
from tests.bag_tables import label, labels
from tests.small_config import ROOT

GOLDEN = json.loads((ROOT / "tests/golden/weaksam.json").read_text())["dense_grid"]
IMAGE = {"image_id": 1, "height": 6, "width": 12}


def prompts(*rows: dict[str, Any], side: int = 3) -> list[dict[str, Any]]:
    table = opened_prompter(Settings(side=side)).prompts(IMAGE, labels(*rows))
    validate(table, PROMPTS, "prompts")
    found: list[dict[str, Any]] = table.to_pylist()
    return found


@pytest.mark.parametrize(
    "rows", [(), (label(1, 5),), (label(1, 5, "tag", status="deleted"),)], ids=len
)
def test_without_tags_there_is_no_grid(rows: tuple[dict[str, Any], ...]) -> None:
    assert prompts(*rows) == []


def test_an_image_has_one_grid_whatever_its_tags() -> None:
    (row,) = prompts(label(1, 5, "tag"), label(1, 6, "tag", category_id=20))
    assert (row["kind"], row["bag_id"], row["prompt_id"]) == ("grid", -1, 0)
    assert row["category_id"] is None
    assert row["points"] == GOLDEN["expected_xy"]
    assert row["point_signs"] == [1] * 9


@pytest.mark.parametrize("side", [1, 4, 32])
def test_the_points_are_those_of_sam_s_own_generator(side: int) -> None:
    ours = grid_points(480, 640, side)
    stock = build_point_grid(side) * [640, 480]
    assert abs(ours - stock).max() < 1e-3
