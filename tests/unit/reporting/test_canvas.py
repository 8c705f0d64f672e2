"""The canvas of all pictures: complete or absent, with numbers and names that fit on it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.reporting.canvas import LONGEST, canvas, floats, percent, short_name


def test_the_picture_is_there_when_the_block_ends(tmp_path: Path) -> None:
    with canvas(tmp_path / "a.png", (2.0, 1.0)) as figure:
        figure.text(0.5, 0.5, "$not|a formula$")
        assert not list(tmp_path.iterdir())
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (200, 100)


def test_a_drawing_that_fails_leaves_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), canvas(tmp_path / "a.png", (2.0, 1.0)):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_what_was_not_measured_is_nan() -> None:
    assert floats([]).dtype == np.float64
    np.testing.assert_array_equal(percent([0.25, None, 1]), [25, np.nan, 100])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("", ""), ("two\nlines", "two lines"), ("a" * LONGEST, "a" * LONGEST)],
    ids=["empty", "two lines", "longest"],
)
def test_a_name_that_fits_stays(name: str, wanted: str) -> None:
    assert short_name(name) == wanted


def test_a_name_that_is_too_long_is_cut_with_a_mark() -> None:
    assert short_name("a" * 99) == "a" * (LONGEST - 1) + "…"
