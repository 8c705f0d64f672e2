"""svg_paths: what is drawn over a picture covers what the mask covers."""

import re

import cv2
import numpy as np
import pytest

from stages.reporting.page.svg_paths import path_of, picture_size, shown_points


def filled(path: str, size: tuple[int, int], zoom: int = 8) -> np.ndarray:
    """What a path covers by rule `evenodd`, `zoom` times as large."""
    rings = [
        np.array([[float(v) for v in pair.split()] for pair in ring.split("L")])
        for ring in re.findall(r"M([^Z]*)Z", path)
    ]
    canvas = np.zeros((size[1] * zoom, size[0] * zoom), dtype=np.uint8)
    cv2.fillPoly(canvas, [np.round(ring * zoom).astype(np.int32) for ring in rings], 1)
    return canvas


def test_a_picture_keeps_the_shape_of_its_window() -> None:
    assert picture_size((10, 20, 110, 70), 50) == (50, 25)
    assert picture_size((0, 0, 1, 1000), 50) == (1, 50)


@pytest.mark.parametrize("side", [60, 120, 300])
def test_a_path_covers_what_the_mask_does_with_its_hole(side: int) -> None:
    mask = np.zeros((100, 140), dtype=np.uint8)
    cv2.circle(mask, (70, 50), 36, 1, -1)
    cv2.circle(mask, (70, 50), 12, 0, -1)
    window = (20, 0, 120, 100)
    size = picture_size(window, side)
    drawn = filled(path_of(mask, window, size), size)
    part = np.ascontiguousarray(mask[0:100, 20:120])
    wanted = cv2.resize(part, drawn.shape[::-1], interpolation=cv2.INTER_NEAREST)
    union = np.sum((drawn | wanted) > 0)
    assert np.sum((drawn & wanted) > 0) / union > 0.93


def test_what_a_window_does_not_hold_has_no_path() -> None:
    mask = np.zeros((20, 20), dtype=np.uint8)
    mask[:5, :5] = 1
    assert path_of(mask, (10, 10, 20, 20), (10, 10)) == ""
    assert path_of(np.zeros((20, 20)), (0, 0, 20, 20), (20, 20)) == ""


def test_points_are_in_px_of_the_picture() -> None:
    assert shown_points([(15.0, 30.0)], (10, 20, 30, 40), (200, 100)) == [[50.0, 50.0]]
