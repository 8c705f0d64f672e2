"""What tags led to, as lines: nothing before a stage, the best first, long lists cut."""

from typing import Any

import pytest

from stages.reporting.tag_trail import PEAKS, TOP, TagTrail, counted, tag_text
from tests.sound_rows import Row, prompt_row, proposal_row, selection_row

CLASSES = {1: "dog", 2: "cat"}


def peak(number: int, value: float | None, **more: Any) -> Row:
    facts = {"kind": "peak", "source_map": "coarse", "points": [[number + 0.5, 2.0]]}
    return prompt_row(4, -1, prompt_id=number, value=value, **{**facts, **more})


def test_before_any_stage_nothing_is_told() -> None:
    trail = TagTrail(CLASSES, [], [], [])
    assert tag_text(trail) == []
    assert trail.peaks() == trail.selected() == trail.of_class(1) == []
    assert counted({}) == ""


def test_the_highest_peaks_are_told_and_the_others_counted() -> None:
    rows = [peak(k, k / 100, category_id=1) for k in range(PEAKS + 3)]
    lines = tag_text(TagTrail(CLASSES, rows, [], []))
    assert lines[0] == "prompts: 27 peaks"
    assert lines[1].startswith(f"    peak of coarse 0.260  ({PEAKS + 2.5}, 2.0)")
    assert lines[-1] == "    and 3 lower ones"
    assert len(lines) == PEAKS + 2


def test_a_peak_of_a_map_without_classes_or_values_is_told_as_it_is() -> None:
    lines = tag_text(TagTrail(CLASSES, [peak(0, None, category_id=None)], [], []))
    assert lines[1] == "    peak of coarse  (0.5, 2.0)       any"


def test_the_best_detections_of_each_tag_are_told_and_of_equal_ones_the_first() -> None:
    scores = [0.1, 0.5, 0.5, 0.3, 0.2, 0.4, 0.05]
    rows = [
        selection_row(4, -1, k, score=score, selected=k in (2, 6)) for k, score in enumerate(scores)
    ]
    lines = tag_text(TagTrail(CLASSES, [], [], rows))
    assert lines[0].startswith("detections of dog: 7 scored, 2 selected")
    told = [line.split() for line in lines[2:]]
    assert [cells[-5] for cells in told] == ["1", "2", "5", "3", "4"]
    assert len(told) == TOP
    assert [cells[0] == "s" for cells in told] == [False, True, False, False, False]
    assert all(line.endswith("-") for line in lines[2:])  # no proposals, so no boxes


@pytest.mark.parametrize(
    ("moved", "wanted"), [(None, [0, 1, 2, 3.5]), ([5, 6, 7, 8], [5, 6, 7, 8])]
)
def test_the_box_of_a_detection_is_its_own_where_the_method_moved_it(
    moved: list[float] | None, wanted: list[float]
) -> None:
    row = selection_row(4, -1, 3, box=moved)
    trail = TagTrail(CLASSES, [], [proposal_row(4, -1, 3)], [row])
    assert trail.box_of(row) == wanted
    assert trail.selected() == [row]
