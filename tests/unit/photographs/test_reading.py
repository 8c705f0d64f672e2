"""Photographs become RGB, read as their row of the table says; what cannot be read is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages.photographs import reading as images
from stages.photographs.reading import (
    READING,
    digest_of,
    photograph,
    photograph_of_entry,
    read_header,
    read_rgb,
    reading_of,
)

RED = (200, 10, 30)


def _saved(folder: Path, name: str, image: Image.Image, **options: object) -> Path:
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize(
    ("mode", "colour", "name", "expected"),
    [
        ("RGB", RED, "a.png", RED),
        ("L", 77, "a.png", (77, 77, 77)),
        ("LA", (77, 9), "a.png", (77, 77, 77)),
        ("1", 1, "a.png", (255, 255, 255)),
        ("RGBA", (*RED, 0), "a.png", RED),
        ("CMYK", (0, 255, 255, 0), "a.tif", (255, 0, 0)),
        ("I;16", 200, "a.png", (200, 200, 200)),
    ],
)
def test_every_mode_becomes_rgb(
    mode: str, colour: object, name: str, expected: tuple[int, ...], tmp_path: Path
) -> None:
    path = _saved(tmp_path, name, Image.new(mode, (5, 3), colour))  # type: ignore[arg-type]
    pixels = read_rgb(path)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (3, 5, 3)
    np.testing.assert_array_equal(pixels[1, 2], expected)
    assert read_header(path, path).size == (3, 5)


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    path = _saved(tmp_path, "a.gif", Image.new("RGB", (4, 4), RED).convert("P"))
    assert read_rgb(path).shape == (4, 4, 3)


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone.png"
    with pytest.raises(ValueError, match=r"gone\.png: this file is missing"):
        read_rgb(path)
    with pytest.raises(ValueError, match=r"gone\.png: this file is missing"):
        read_header(path, path)


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_an_undecodable_image_is_named(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.png: cannot be decoded"):
        read_rgb(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_truncated_image_is_named(name: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = _saved(tmp_path, name, Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match="cannot be decoded"):
        read_rgb(path)


def test_a_huge_image_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _saved(tmp_path, "a.png", Image.new("L", (40, 40)))
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    with pytest.raises(ValueError, match="40 x 40 px is too large"):
        read_rgb(path)


def row_of(path: Path, **changes: Any) -> dict[str, Any]:
    """A row of table `images`."""
    plain = {"orientation": 1, "black": None, "white": None, "height": 2, "width": 6, **changes}
    limits = None if plain["black"] is None else (plain["black"], plain["white"])
    digest = digest_of(path.read_bytes(), plain["orientation"], limits)
    return {"file_name": path.name, "digest": digest, **plain}


def turned_photograph(folder: Path) -> Path:
    """6 x 2 px as stored, red at the left, with the note to turn it by 90 degrees."""
    image = Image.new("RGB", (6, 2))
    image.putpixel((0, 0), RED)
    exif = image.getexif()
    exif[0x0112] = 6
    return _saved(folder, "a.png", image, exif=exif)


def test_a_photograph_is_read_as_its_row_says(tmp_path: Path) -> None:
    path = turned_photograph(tmp_path)
    assert photograph(tmp_path, row_of(path)).shape == (2, 6, 3)
    pixels = photograph(tmp_path, row_of(path, orientation=6))
    assert pixels.shape == (6, 2, 3)
    assert tuple(pixels[0, 1]) == RED  # the upper left corner goes to the upper right one
    np.testing.assert_array_equal(read_rgb(path), pixels)


def test_how_it_is_read_is_part_of_the_digest(tmp_path: Path) -> None:
    path = turned_photograph(tmp_path)
    digests = {row_of(path, **more)["digest"] for more in ({}, {"orientation": 6}, {"orientation":
               3}, {"black": 0.0, "white": 9.0}, {"black": 0.0, "white": 8.0})}  # fmt: skip
    assert len(digests) == 5
    with pytest.raises(ValueError, match="replaced after prepare"):
        photograph(tmp_path, {**row_of(path), "orientation": 6})


def test_a_replaced_photograph_is_refused(tmp_path: Path) -> None:
    path = turned_photograph(tmp_path)
    row = row_of(path)
    Image.new("RGB", (6, 2), RED).save(path)
    with pytest.raises(ValueError, match=r"a\.png: the photograph was replaced"):
        photograph(tmp_path, row)


ENTRIES: dict[str, tuple[dict[str, Any], tuple[int, int]]] = {
    "size of the stored grid": ({"height": 2, "width": 6}, (2, 6)),
    "size of the turned one": ({"height": 6, "width": 2}, (6, 2)),
    "told": ({"height": 6, "width": 2, READING: {"orientation": 8}}, (6, 2)),
    "told nonsense": ({"height": 6, "width": 2, READING: {"orientation": "up"}}, (6, 2)),
    "no such key": ({"height": 6, "width": 2, READING: 3, "orientation": 1}, (6, 2)),
}


@pytest.mark.parametrize(("entry", "shape"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_of_a_file_says_by_its_size_which_way_up(
    entry: dict[str, Any], shape: tuple[int, int], tmp_path: Path
) -> None:
    path = turned_photograph(tmp_path)
    assert photograph_of_entry(tmp_path, {"file_name": path.name, **entry}).shape[:2] == shape


def test_an_entry_of_another_size_is_refused(tmp_path: Path) -> None:
    path = turned_photograph(tmp_path)
    with pytest.raises(ValueError, match="6 x 2 px, but the annotation file says 3 x 2 px"):
        photograph_of_entry(tmp_path, {"file_name": path.name, "height": 2, "width": 3})


def test_what_export_writes_of_a_row_reads_the_same_pixels(tmp_path: Path) -> None:
    wide = Image.fromarray(np.array([[10, 20, 30], [40, 50, 4095]], dtype=np.uint16))
    path = _saved(tmp_path, "wide.png", wide)
    row = row_of(path, height=2, width=3, black=10.0, white=50.0)
    assert reading_of(row) == {READING: {"black": 10.0, "white": 50.0}}
    assert reading_of({**row, "black": None, "white": None}) == {}
    names = ("file_name", "height", "width")
    entry = {**{name: row[name] for name in names}, **reading_of(row)}
    pixels = photograph(tmp_path, row)
    np.testing.assert_array_equal(photograph_of_entry(tmp_path, entry), pixels)
    assert pixels[..., 0].tolist() == [[0, 64, 128], [191, 255, 255]]


def test_a_sentence_about_a_photograph_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\\n\\x0bü\.png: this file is missing") as caught:
        read_rgb(tmp_path / "a\n\x0bü.png")
    assert len(str(caught.value).splitlines()) == 1
