from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages.photographs import reading as images
from stages.photographs.reading import image_path, read_rgb, read_size

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
        ("I;16", 77 * 257, "a.png", (77, 77, 77)),
        ("I;16", 65535, "a.tif", (255, 255, 255)),
        ("I;16", 200, "a.png", (200, 200, 200)),
        ("I", 77 * 257, "a.tif", (77, 77, 77)),
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
    assert read_size(path) == (3, 5)


def test_a_palette_becomes_its_colours(tmp_path: Path) -> None:
    path = _saved(tmp_path, "a.gif", Image.new("RGB", (4, 4), RED).convert("P"))
    assert read_rgb(path).shape == (4, 4, 3)


def test_exif_rotation_is_ignored(tmp_path: Path) -> None:
    image = Image.new("RGB", (6, 2), RED)
    exif = image.getexif()
    exif[0x0112] = 6  # orientation: rotate by 90 degrees
    path = _saved(tmp_path, "a.jpg", image, exif=exif)
    assert read_size(path) == (2, 6)
    assert read_rgb(path).shape == (2, 6, 3)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "a/../../b.png"])
def test_no_name_leads_outside_the_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leads outside the image folder"):
        image_path(tmp_path, name)


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="leads outside"):
        image_path(tmp_path / "folder", "link/a.png")


def test_a_folder_inside_is_fine(tmp_path: Path) -> None:
    assert image_path(tmp_path, "2007/a.png") == tmp_path.resolve() / "2007" / "a.png"


@pytest.mark.parametrize("read", [read_rgb, read_size])
def test_a_missing_image_is_named(read: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gone\.png: this file is missing"):
        read(tmp_path / "gone.png")  # type: ignore[operator]


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
