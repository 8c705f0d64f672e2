"""Masks of each form: they lie where they should, and what does not fit is refused in words."""

import base64
import io
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from stages.formats.brush import codes_of
from stages.formats.mask_decoding import FORMS, decoded_mask
from stages.formats.mask_forms import AnyForm, BrushRuns, IndexedPng, PngPatch, RowRuns
from stages.geometry.masks import rles_to_masks

HEIGHT, WIDTH = 6, 8
PART = np.array([[1, 0, 1], [0, 1, 1]], dtype=np.uint8)  # 2 rows of 3 columns
RUNS = (0, 1, 1, 1, 1, 2)  # of it, along the rows, the background's first


def png(pixels: Any, mode: str | None = None) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).convert(mode).save(data, "PNG")
    return data.getvalue()


def bomb(width: int, height: int) -> bytes:
    """The head of a PNG of that size, whose pixels are not there."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    head = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return png(PART)[:8] + head + struct.pack(">I", 9) + b"IDAT"


def patch(data: bytes, x: int = 0, y: int = 0) -> PngPatch:
    return PngPatch(base64.b64encode(data).decode(), x, y)


def indexed(folder: Path, data: bytes, value: int = 1) -> IndexedPng:
    path = folder / "a.png"
    path.write_bytes(data)
    return IndexedPng(path, value)


def pixels_of(mask: Any) -> np.ndarray:
    (found,) = rles_to_masks([decoded_mask(mask, HEIGHT, WIDTH)])
    return found


def placed(x: int, y: int) -> np.ndarray:
    """The part in the image, a pixel at a time."""
    image = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    for row, line in enumerate(PART):
        for column, value in enumerate(line):
            if 0 <= y + row < HEIGHT and 0 <= x + column < WIDTH:
                image[y + row, x + column] = value
    return image


def test_every_form_is_decoded() -> None:
    assert set(FORMS) == set(get_args(AnyForm))


EMPTY = {
    "no runs": RowRuns((), 0, 0, 0, 0),
    "runs of background": RowRuns((6,), 1, 1, 3, 2),
    "a black picture": patch(png(np.zeros((2, 3), np.uint8))),
    "an unpainted brush": BrushRuns(codes_of(np.zeros((HEIGHT, WIDTH), bool)), WIDTH, HEIGHT),
}


@pytest.mark.parametrize("mask", EMPTY.values(), ids=EMPTY.keys())
def test_a_mask_of_nothing_has_no_pixels(mask: Any) -> None:
    assert not pixels_of(mask).any()


PLACES = {
    "the corner": (0, 0),
    "inside": (2, 3),
    "the far corner": (WIDTH - 3, HEIGHT - 2),
    "over the far corner": (WIDTH - 1, HEIGHT - 1),
    "over the near corner": (-2, -1),
    "over one side": (2, -1),
    "beyond": (WIDTH, 0),
    "far beyond": (10**30, -(10**30)),
}


@pytest.mark.parametrize(("x", "y"), PLACES.values(), ids=PLACES.keys())
def test_a_part_lies_in_its_place_and_is_cut_at_the_border(x: int, y: int) -> None:
    for mask in (RowRuns(RUNS, x, y, 3, 2), patch(png(PART * 255), x, y)):
        assert np.array_equal(pixels_of(mask), placed(x, y))


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "LA", "RGB", "RGBA"])
def test_what_is_not_0_in_a_patch_is_the_object(mode: str) -> None:
    values = PART * np.uint8(255)
    data = png(values.astype(np.uint16)) if mode == "I;16" else png(values, mode)
    assert np.array_equal(pixels_of(patch(data, 1, 1)), placed(1, 1))


def test_a_value_of_a_picture_of_numbers_is_one_object(tmp_path: Path) -> None:
    numbers = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH) // 16
    for mode in ("L", "P"):
        image = Image.fromarray(numbers)
        if mode == "P":
            image.putpalette(list(range(255, -1, -1)) * 3)  # colours say nothing
        data = io.BytesIO()
        image.save(data, "PNG")
        for value in (1, 2, 9):
            found = pixels_of(indexed(tmp_path, data.getvalue(), value))
            assert np.array_equal(found, numbers == value)


def test_a_brush_covers_the_whole_image() -> None:
    mask = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.5
    assert np.array_equal(pixels_of(BrushRuns(codes_of(mask), WIDTH, HEIGHT)), mask)


def test_coco_masks_are_taken_as_they_are() -> None:
    square = [[2, 1, 5, 1, 5, 3, 2, 3]]
    assert pixels_of(square)[1:3, 2:5].all()
    assert pixels_of(square).sum() == 6
    assert pixels_of({"size": [HEIGHT, WIDTH], "counts": [1, 47]}).sum() == 47


REFUSED = {
    "nothing": (None, "neither a list of polygons nor an RLE"),
    "runs too short": (RowRuns((1, 2), 0, 0, 3, 2), "runs cover 3 px, not the 3 x 2 px that"),
    "runs too long": (RowRuns((1, 9), 0, 0, 3, 2), "runs cover 10 px, not the 3 x 2"),
    "runs below 0": (RowRuns((8, -2), 0, 0, 3, 2), "runs cover 6 px, not the 3 x 2"),
    "runs of huge size": (
        RowRuns((0, 10**12), 0, 0, 10**6, 10**6),
        "part of 1000000 x 1000000 px is larger than the image",
    ),
    "patch of words": (PngPatch("not base64", 0, 0), "picture is no base64 text"),
    "patch of nothing": (PngPatch("", 0, 0), "picture cannot be decoded"),
    "patch beyond ASCII": (PngPatch("\u00e4" * 8, 0, 0), "picture is no base64 text"),
    "patch cut off": (patch(png(PART)[:-26]), "picture cannot be decoded"),
    "patch of huge size": (patch(bomb(9_000, 9_000)), "of 9000 x 9000 px is larger than the"),
    "patch of no sane size": (patch(bomb(2**31 - 1, 2**31 - 1)), "picture "),
    "brush of another size": (BrushRuns(b"", 9, 6), "it is of 9 x 6 px, the image of 8 x 6 px"),
    "brush of nothing": (BrushRuns(b"", WIDTH, HEIGHT), "its brush is of 0 bytes"),
    "RLE of another size": ({"size": [8, 6], "counts": [48]}, "image of"),
}


@pytest.mark.parametrize(("mask", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused_before_it_fills_the_memory(mask: Any, said: str) -> None:
    tracemalloc.start()
    with pytest.raises(ValueError, match=said):
        decoded_mask(mask, HEIGHT, WIDTH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 << 20


def gif() -> bytes:
    data = io.BytesIO()
    Image.new("P", (WIDTH, HEIGHT)).save(data, "GIF")
    return data.getvalue()


PICTURES = {
    "nothing": (b"", r"a\.png cannot be decoded"),
    "another size": (png(PART), r"a\.png is of 3 x 2 px, the image of 8 x 6 px"),
    "huge size": (bomb(9_000, 9_000), r"a\.png is of 9000 x 9000 px, the image of 8 x 6"),
    "another kind": (gif(), r"a\.png cannot be decoded"),
    "colours": (png(np.ones((HEIGHT, WIDTH, 3), np.uint8)), r"a\.png has colours, not numbers"),
}


@pytest.mark.parametrize(("data", "said"), PICTURES.values(), ids=PICTURES.keys())
def test_a_picture_that_holds_no_numbers_of_its_image_is_refused(
    data: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        decoded_mask(indexed(tmp_path, data), HEIGHT, WIDTH)


def test_a_picture_that_is_missing_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.png"):
        with pytest.raises(ValueError, match=f"the picture {path} cannot be decoded"):
            decoded_mask(IndexedPng(path, 1), HEIGHT, WIDTH)
