"""Gray of more than 8 bits keeps its contrast, whatever its values fill."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from stages.photographs.depth import range_of, to_bytes
from stages.photographs.orientation import Header
from stages.photographs.reading import limits_of, read_header, read_rgb

RAMP = np.arange(40, 240, dtype=np.float64).reshape(10, 20)

RANGES: list[tuple[Any, Any, float | None, tuple[float, float]]] = [
    (np.zeros((0, 0), np.uint16), "auto", None, (0, 1)),
    (np.full((2, 2), 7, np.uint16), "auto", None, (7, 8)),
    (RAMP.astype(np.uint16), "auto", None, (0, 255)),
    ((RAMP / 2).astype(np.uint16), "auto", None, (20, 119)),
    ((RAMP * 16).astype(np.uint16), "auto", None, (640, 3824)),
    ((RAMP * 16).astype(np.uint16), "auto", 4095.0, (0, 4095)),
    ((RAMP * 16).astype(np.uint16), "auto", 1023.0, (640, 3824)),
    ((RAMP * 16).astype(np.uint16), 12, None, (0, 4095)),
    ((RAMP * 16).astype(np.uint16), 16, None, (0, 65535)),
    (RAMP.astype(np.uint16), 8, None, (0, 255)),
    (RAMP.astype(np.uint16), "minmax", 4095.0, (40, 239)),
    ((RAMP - 100).astype(np.int32), "auto", None, (-60, 139)),
    (np.array([[0.1, np.nan, np.inf, 0.5]]), "auto", None, (0.1, 0.5)),
    (np.full((2, 2), np.nan), "auto", None, (0, 1)),
]


@pytest.mark.parametrize(("values", "depth", "declared", "wanted"), RANGES)
def test_the_range_is_declared_or_found(
    values: np.ndarray, depth: Any, declared: float | None, wanted: tuple[float, float]
) -> None:
    assert range_of(values, depth, declared) == wanted


def test_values_are_spread_over_the_range() -> None:
    values = np.array([[0.0, 1.0, 2.0, np.nan, -9.0, 99.0]])
    assert to_bytes(values, (0, 2)).tolist() == [[0, 128, 255, 0, 0, 255]]


KINDS = {
    "12 bits in 16": ((RAMP * 16).astype(np.uint16), "a.tif"),
    "12 bits in a PNG": ((RAMP * 16).astype(np.uint16), "a.png"),
    "floats from 0 to 1": ((RAMP / 255).astype(np.float32), "a.tif"),
    "32 bits": ((RAMP * 1e6).astype(np.int32), "a.tif"),
    "a narrow band of 16 bits": ((RAMP + 20000).astype(np.uint16), "a.png"),
}


@pytest.mark.parametrize(("values", "name"), KINDS.values(), ids=KINDS)
def test_no_gray_photograph_becomes_black(values: np.ndarray, name: str, tmp_path: Path) -> None:
    Image.fromarray(values).save(tmp_path / name)
    assert read_header(tmp_path / name, tmp_path / name).is_wide
    pixels = read_rgb(tmp_path / name)
    assert pixels.std() > 50
    assert (np.diff(pixels[..., 0].ravel().astype(int)) >= 0).all()


def test_a_tiff_may_declare_its_range(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[281] = 4095  # MaxSampleValue
    Image.fromarray((RAMP * 8).astype(np.uint16)).save(path, tiffinfo=tags)
    assert limits_of(path.read_bytes(), path, "auto") == (0, 4095)
    assert limits_of(path.read_bytes(), path, "minmax") == (320, 1912)


def test_eight_bits_have_no_limits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (3, 2), 7).save(path)
    assert limits_of(path.read_bytes(), path, "auto") is None


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_deep_colours_keep_their_contrast(name: str, channels: int, tmp_path: Path) -> None:
    """Pillow keeps the upper 8 of 16 bits, of which 12-bit colours fill four."""
    values = np.random.default_rng(0).integers(0, 4096, (8, 12, channels)).astype(np.uint16)
    values[0, 0], values[0, 1] = 0, 4095
    path = tmp_path / name
    cv2.imwrite(str(path), values)
    assert read_header(path, path) == Header((8, 12), 1, True)
    assert limits_of(path.read_bytes(), path, "auto") == (0, 4095)
    wanted = np.round(values[..., 2::-1] / 4095 * 255)
    np.testing.assert_array_equal(read_rgb(path), wanted)
