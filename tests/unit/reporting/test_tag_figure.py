"""The panels of an image's tags: every part in its colour, whatever is not there yet."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from stages.reporting.tag_figure import (
    CLASS_COLOURS,
    KIND_COLOURS,
    MAP_COLOURS,
    PANELS,
    WRITTEN,
    class_colours,
    draw_map,
    draw_tags,
)
from stages.reporting.tag_trail import TagTrail
from tests.sound_rows import Row, prompt_row, proposal_row, pseudo_label_row, selection_row

IMAGE = np.full((4, 6, 3), 90, dtype=np.uint8)
CLASSES = {1: "$dog", 2: "cat"}


def drawn(tagged: TagTrail, results: Sequence[Row] = ()) -> Any:
    axes = Figure().subplots(1, PANELS)
    draw_tags(axes, tagged, results, IMAGE)
    return axes


def test_an_image_that_no_stage_has_reached_is_drawn_as_it_is() -> None:
    axes = drawn(TagTrail(CLASSES, [], [], []))
    assert "tags: $dog, cat\npeaks: none" in axes[0].get_title()
    assert [len(axis.images) for axis in axes] == [1] * PANELS
    assert [len(axis.patches) for axis in axes] == [0] * PANELS


@pytest.mark.parametrize("name", MAP_COLOURS)
def test_peaks_have_the_colour_of_their_map(name: str) -> None:
    rows = [
        prompt_row(4, -1, kind="peak", source_map=name, value=1.0, points=[[2.5, 1.5]]),
        prompt_row(4, -1, prompt_id=1, kind="grid", points=[[1.0, 1.0], [3.0, 1.0]]),
    ]
    lines = drawn(TagTrail(CLASSES, rows, [], []))[0].get_lines()
    assert [len(line.get_xdata()) for line in lines] == [2, 1]
    assert to_hex(lines[1].get_color()) == MAP_COLOURS[name]
    assert (lines[1].get_xdata()[0], lines[1].get_ydata()[0]) == (2, 1)  # centre of its pixel


def test_boxes_of_proposals_have_the_colour_of_their_prompt() -> None:
    rows = [proposal_row(4, -1, k, prompt_kind=kind) for k, kind in enumerate(KIND_COLOURS)]
    axis = drawn(TagTrail(CLASSES, [], rows, []))[1]
    colours = [to_hex(patch.get_edgecolor()) for patch in axis.patches]
    assert colours == list(KIND_COLOURS.values())
    assert "3 proposals" in axis.get_title()


def test_selected_detections_are_drawn_and_the_best_of_each_class_written_on() -> None:
    rows = [
        *(
            selection_row(4, -1, 0, category_id=1, score=k / 9, box=[0, 0, k + 1, 2])
            for k in range(5)
        ),
        selection_row(4, -1, 1, category_id=2, selected=False, box=[0, 0, 1, 1]),
        selection_row(4, -1, 7, category_id=2),  # of a proposal that is not there
    ]
    axis = drawn(TagTrail(CLASSES, [], [], rows))[2]
    assert len(axis.patches) == 5
    assert [text.get_text() for text in axis.texts] == ["$dog 0.44", "$dog 0.33", "$dog 0.22"]
    assert len(axis.texts) == WRITTEN
    assert "6 detections selected" in axis.get_title()


def test_masks_have_the_colour_of_their_class() -> None:
    axis = drawn(TagTrail(CLASSES, [], [], []), [pseudo_label_row(4, -1, category_id=2)])[3]
    assert to_hex(axis.patches[0].get_edgecolor()) == CLASS_COLOURS[1]
    shown = axis.images[0].get_array()
    assert not np.allclose(shown, IMAGE / 255)


def test_more_classes_than_colours_begin_anew() -> None:
    colours = class_colours(range(len(CLASS_COLOURS) + 1))
    assert colours[0] == colours[len(CLASS_COLOURS)] == CLASS_COLOURS[0]


def test_a_map_is_stretched_over_the_photograph() -> None:
    axis = Figure().subplots()
    draw_map(axis, np.ones((2, 2), dtype=np.float32), "coarse: $dog", IMAGE)
    assert axis.images[1].get_extent() == [-0.5, 5.5, 3.5, -0.5]
    assert axis.get_title() == "coarse: $dog"
