"""EXIF orientation: pixels turn as Pillow turns them, and sizes say which way up."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from stages.photographs.orientation import (
    Header,
    fitting,
    header_of,
    orientations,
    turned,
    turned_back,
)
from stages.photographs.reading import decoded

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
EXIFS = range(1, 9)
LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def saved(kind: str, exif: int) -> bytes:
    image = Image.fromarray(PIXELS)
    block = image.getexif()
    block[0x0112] = exif
    file = io.BytesIO()
    image.save(file, kind, exif=block, **LOSSLESS[kind])
    return file.getvalue()


@pytest.mark.parametrize("exif", EXIFS)
@pytest.mark.parametrize("kind", LOSSLESS)
def test_pixels_turn_as_pillow_turns_them(kind: str, exif: int, tmp_path: object) -> None:
    data = saved(kind, exif)
    with Image.open(io.BytesIO(data)) as image:
        assert header_of(image) == Header((4, 6), exif, False)
        wanted = np.asarray(ImageOps.exif_transpose(image))
    path = tmp_path / "a"  # type: ignore[operator]
    np.testing.assert_array_equal(decoded(data, path), wanted)
    np.testing.assert_array_equal(decoded(data, path, orientation=1), PIXELS)
    np.testing.assert_array_equal(decoded(data, path, orientation=exif), wanted)


@pytest.mark.parametrize("exif", EXIFS)
def test_turning_back_is_the_inverse(exif: int) -> None:
    np.testing.assert_array_equal(turned_back(turned(PIXELS, exif), exif), PIXELS)


def header(exif: int = 1, size: tuple[int, int] = (4, 6)) -> Header:
    return Header(size, exif, False)


FITS = [
    (header(), (4, 6), "auto", 1),
    (header(6), (4, 6), "auto", 1),
    (header(6), (6, 4), "auto", 6),
    (header(6), None, "auto", None),
    (header(3), (4, 6), "auto", None),
    (header(6, (5, 5)), (5, 5), "auto", None),
    (header(), None, "auto", 1),
    (header(6), (4, 6), "raw", 1),
    (header(6), (6, 4), "exif", 6),
    (header(3), (4, 6), "exif", 3),
    (header(6), None, "raw", 1),
]


@pytest.mark.parametrize(("found", "size", "mode", "turn"), FITS)
def test_the_size_says_which_way_up(
    found: Header, size: tuple[int, int] | None, mode: str, turn: int | None
) -> None:
    assert fitting(found, size, mode) == turn  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "size", "mode", "said"),
    [
        (header(), (6, 4), "auto", "6 x 4 px, but the annotation file says 4 x 6 px. Correct"),
        (header(6), (6, 4), "raw", "has as the EXIF orientation turns it. Set prepare.orientation"),
        (header(6), (4, 6), "exif", "without its EXIF orientation. Set prepare.orientation: auto"),
        (header(6), (9, 9), "auto", "says 9 x 9 px. Correct"),
    ],
)
def test_what_fits_in_no_way_is_refused_with_the_remedy(
    found: Header, size: tuple[int, int], mode: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        fitting(found, size, mode)  # type: ignore[arg-type]


def test_what_sizes_do_not_tell_is_read_as_the_rest_of_the_set() -> None:
    half, quarter = header(3), header(6)
    assert orientations({}, {}, is_raw=True) == {}
    assert orientations({1: None}, {1: half}, is_raw=True) == {1: 1}
    assert orientations({1: None}, {1: half}, is_raw=False) == {1: 3}
    headers = {1: half, 2: quarter, 3: header()}
    assert orientations({1: None, 2: 6, 3: 1}, headers, is_raw=True) == {1: 3, 2: 6, 3: 1}
    assert orientations({1: None, 2: 1, 3: 1}, headers, is_raw=False) == {1: 1, 2: 1, 3: 1}


def test_the_block_of_a_png_may_stand_behind_its_pixels() -> None:
    data = saved("PNG", 6)
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    last = data.index(b"IEND") - 4
    moved = data[:start] + data[end:last] + data[start:end] + data[last:]
    with Image.open(io.BytesIO(moved)) as image:
        assert "exif" not in image.info
        assert header_of(image) == Header((4, 6), 6, False)
        assert image.tile  # nothing was decoded for it
        np.testing.assert_array_equal(np.asarray(image), PIXELS)
