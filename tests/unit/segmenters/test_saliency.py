"""A saliency network of the user's, from a real ONNX file: what is asked, read and pasted back."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.segmenters.saliency import (
    Saliency,
    model_digest,
    network_input,
    opened_segmenter,
    thresholded,
)
from stages.settings.segmenters.saliency import Settings
from tests.onnx_file import write_onnx

CPU = torch.device("cpu")
PLAIN: dict[str, Any] = {"side": 32, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
BOX = np.float32([8, 4, 40, 36])


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """Sees red: sigmoid(4 red - 2), red from 0 to 1."""
    return write_onnx(tmp_path / "red.onnx")


def opened(path: Path, **values: Any) -> Saliency:
    settings = Settings(checkpoint=str(path), **{**PLAIN, **values})
    return opened_segmenter(settings, device=CPU)


def answer(path: Path, image: np.ndarray, **values: Any) -> tuple[np.ndarray, float]:
    asker = opened(path, **values)
    asker.embed(image)
    found, quality = asker.answer(BOX)
    return found > 0, quality


def red_square() -> np.ndarray:
    """(48, 64, 3): red in columns 16 to 32, rows 12 to 28."""
    image = np.zeros((48, 64, 3), dtype=np.uint8)
    image[12:28, 16:32, 0] = 255
    return image


def test_what_stands_out_in_the_box_is_the_mask(network: Path) -> None:
    image = red_square()
    seen, quality = answer(network, image, minmax=False)
    np.testing.assert_array_equal(seen, image[..., 0] > 0)
    assert quality == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-5)


def test_an_answer_is_spread_over_0_to_1(network: Path) -> None:
    image = red_square()
    image[..., 0] //= 4  # 4 x 0.25 - 2 is below 0: nothing above half of 1
    seen, quality = answer(network, image, minmax=False)
    assert (seen.any(), quality) == (False, 0)
    seen, quality = answer(network, image)
    np.testing.assert_array_equal(seen, image[..., 0] > 0)
    assert quality == pytest.approx(1)


@pytest.mark.parametrize("value", [0, 255])
def test_a_flat_answer_is_not_spread(network: Path, value: int) -> None:
    seen, _ = answer(network, np.full((48, 64, 3), value, dtype=np.uint8))
    assert seen.any() == (value > 0)
    assert not value or seen.sum() == 32 * 32


def test_nothing_outside_the_box_is_pasted(network: Path) -> None:
    image = np.full((48, 64, 3), 255, dtype=np.uint8)
    seen, _ = answer(network, image, window=2.0)
    wanted = np.zeros((48, 64), dtype=bool)
    wanted[4:36, 8:40] = True
    np.testing.assert_array_equal(seen, wanted)


def test_a_margin_shows_what_the_box_does_not(network: Path) -> None:
    """Red all over the box: spread over the crop with its dark margin, and not without."""
    image = np.zeros((48, 64, 3), dtype=np.uint8)
    image[4:36, 8:40, 0] = 100  # 4 x 0.39 - 2 is below 0
    assert not answer(network, image, window=1.0)[0].any()
    assert answer(network, image, window=1.5)[0][8:32, 12:36].all()


def test_the_first_output_counts(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "turned.onnx", outputs=("logits", "map"))
    with pytest.raises(ValueError, match=r"run from -2 to -2, but 0 to 1 is wanted.*minmax: true"):
        opened(path, minmax=False)


def test_a_threshold_is_the_one_of_the_probability() -> None:
    seen = np.linspace(0, 1, 101, dtype=np.float32)[None]
    for threshold in (0.25, 0.5, 0.75):
        above = thresholded(seen, threshold) > 0
        far = np.abs(seen - threshold) > 1e-6
        np.testing.assert_array_equal(above[far], (seen > threshold)[far])
    assert not (thresholded(np.float32([[0.5]]), 0.5) > 0).any()  # strictly above


def test_a_crop_is_squeezed_and_normalised_channel_by_channel() -> None:
    crop = np.zeros((64, 96, 3), dtype=np.uint8)
    crop[..., 0], crop[..., 2] = 255, 51
    settings = Settings(side=32, mean=(0.5, 0.25, 0.0), std=(0.5, 1.0, 0.1))
    given = network_input(crop, settings)
    assert (given.shape, given.dtype) == ((1, 3, 32, 32), np.float32)
    assert given[0, :, 5, 7].tolist() == pytest.approx([1.0, -0.25, 2.0])


def test_a_file_is_known_by_its_checksum(network: Path) -> None:
    seen = model_digest(Settings(checkpoint=str(network)))
    assert model_digest(Settings(checkpoint=str(network), sha256=seen.upper())) == seen
    with pytest.raises(ValueError, match=r"damaged or another one.*propose\.saliency\.sha256"):
        model_digest(Settings(checkpoint=str(network), sha256="0" * 64))


@pytest.mark.parametrize("name", [None, "none.onnx"])
def test_a_missing_file_is_named(name: str | None, tmp_path: Path) -> None:
    path = None if name is None else str(tmp_path / name)
    with pytest.raises(ValueError, match=r"saliency\.checkpoint: there is no file"):
        model_digest(Settings(checkpoint=path))


BROKEN = [b"", b"not a network", b"\0" * 64, b"\x08\x08\x3a\xff"]


@pytest.mark.parametrize("data", BROKEN)
def test_what_is_no_network_is_refused_in_one_line(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"broken\.onnx: OpenCV reads no ONNX network") as error:
        opened(path)
    assert "\n" not in str(error.value)


def test_half_a_network_is_refused(network: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(network.read_bytes()[:-60])
    with pytest.raises(ValueError, match=r"half\.onnx: OpenCV reads no ONNX network"):
        opened(path)


def test_an_answer_that_is_no_map_is_refused(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "wide.onnx", channels=2)
    with pytest.raises(ValueError, match=r"shape \(1, 2, 32, 32\), but a map is wanted"):
        opened(path)


def test_numbers_beyond_all_bounds_are_refused(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "nan.onnx", bias=float("nan"), outputs=("logits",))
    with pytest.raises(ValueError, match="but 0 to 1 is wanted"):
        opened(path)
