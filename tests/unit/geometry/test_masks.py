import runpy
import sys

import cv2
import hotcoco
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from stages.geometry import masks as module
from stages.geometry.masks import (
    masks_to_rles,
    rle_areas,
    rle_boxes,
    rle_iou,
    rle_of,
    rle_runs,
    rles_to_masks,
    segmentation_to_rle,
)


def _masks(count: int, height: int = 13, width: int = 7) -> np.ndarray:
    return np.random.default_rng(count).random((count, height, width)) < 0.3


UGLY = {
    "empty": np.zeros((1, 4, 5), dtype=bool),
    "full": np.ones((1, 4, 5), dtype=bool),
    "one corner": np.eye(5, dtype=bool)[None, :4] & (np.arange(5) == 0),
    "touches every border": np.pad(np.zeros((1, 2, 3), bool), ((0, 0), (1, 1), (1, 1)), "edge")
    | np.pad(np.zeros((1, 2, 3), bool), ((0, 0), (1, 1), (1, 1)), constant_values=True),
    "one row": np.ones((1, 1, 9), dtype=bool),
    "one column": np.ones((1, 9, 1), dtype=bool),
}


def test_no_masks_give_nothing() -> None:
    assert masks_to_rles(np.zeros((0, 4, 5), dtype=bool)) == []
    assert rle_areas([]).shape == (0,)
    assert rle_boxes([]).shape == (0, 4)
    assert rle_iou([], masks_to_rles(_masks(2))).shape == (0, 2)
    assert rle_iou(masks_to_rles(_masks(2)), []).shape == (2, 0)


@pytest.mark.parametrize("masks", [*UGLY.values(), _masks(1), _masks(20)], ids=[*UGLY, "1", "20"])
@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_masks_round_trip(masks: np.ndarray, kind: type) -> None:
    decoded = rles_to_masks(masks_to_rles(masks.astype(kind)))
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, masks)


def _blobs(count: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    masks = np.zeros((count, height, width), dtype=np.uint8)
    for mask in masks:
        centre, axes = rng.integers(0, (width, height)), rng.integers(0, (width, height))
        cv2.ellipse(mask, centre.tolist(), axes.tolist(), rng.uniform(0, 180), 0, 360, 1, -1)
    return masks


def _plain(masks: np.ndarray) -> list[module.Rle]:
    return [coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8)) for mask in masks]


ENCODERS = {"hotcoco": hotcoco.mask.encode, "pycocotools": coco_mask.encode}
BOARD = np.indices((33, 31)).sum(0)[None] % 2
SHAPES = [(1, 1), (1, 50), (50, 1), (31, 33), (32, 32), (33, 64), (129, 257)]
SAMPLES = {
    **UGLY,
    "one pixel": np.eye(35, dtype=bool).reshape(35, 5, 7),
    "checkerboards": np.concatenate([BOARD, 1 - BOARD]).astype(bool),
    "stripes": np.broadcast_to(np.arange(40) % 2 == 0, (2, 30, 40)),
    "a photograph's": _blobs(3, 480, 640),
    "huge": _blobs(1, 3000, 4001),
    "noise": np.random.default_rng(0).random((2, 500, 700)) < 0.5,
}


@pytest.fixture(params=ENCODERS)
def _encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "encode", ENCODERS[request.param])


def test_hotcoco_encodes_where_it_is_installed() -> None:
    assert module.encode is hotcoco.mask.encode


def test_pycocotools_encodes_where_hotcoco_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hotcoco.mask", None)
    assert runpy.run_path(str(module.__file__))["encode"] is coco_mask.encode


@pytest.mark.usefixtures("_encoder")
@pytest.mark.parametrize("masks", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_the_fast_path_gives_the_bytes_of_the_plain_one(masks: np.ndarray, kind: type) -> None:
    seen = masks_to_rles(masks.astype(kind))
    assert seen == _plain(masks)
    assert all(type(rle["counts"]) is bytes for rle in seen)
    assert all(type(length) is int for rle in seen for length in rle["size"])


@pytest.mark.usefixtures("_encoder")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_masks_of_any_density_have_the_plain_bytes(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(shape)
    shares = np.linspace(0, 1, 41)[:, None, None]
    masks = rng.random((len(shares), *shape)) < shares
    assert masks_to_rles(masks) == _plain(masks)


@pytest.mark.usefixtures("_encoder")
def test_a_view_with_odd_strides_is_encoded_right() -> None:
    masks = _masks(6, 20, 30)
    views = [masks[::2], masks[:, ::-1], masks[:, :, 3:11], masks.transpose(0, 2, 1)]
    views += [masks[:, :, ::-2], np.asfortranarray(masks), np.broadcast_to(masks[:1], masks.shape)]
    for view in views:
        assert masks_to_rles(view) == _plain(view)
        np.testing.assert_array_equal(rles_to_masks(masks_to_rles(view)), view)


@pytest.mark.parametrize("count", [1, 254, 255, 256, 300, 700])
def test_areas_are_right_for_any_number_of_masks(count: int) -> None:
    # pycocotools 2.0.11 overflows on 256 areas or more with numpy 2.4
    masks = _masks(count)
    areas = rle_areas(masks_to_rles(masks))
    assert areas.dtype == np.int64
    np.testing.assert_array_equal(areas, masks.sum(axis=(1, 2)))


@pytest.mark.parametrize("masks", [*UGLY.values(), _masks(30)], ids=[*UGLY, "30"])
def test_boxes_are_half_open_hulls(masks: np.ndarray) -> None:
    boxes = rle_boxes(masks_to_rles(masks))
    assert boxes.dtype == np.float32
    for mask, box in zip(masks, boxes, strict=True):
        rows, columns = np.nonzero(mask)
        if rows.size:
            hull = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        else:
            hull = [0, 0, 0, 0]
        np.testing.assert_array_equal(box, hull)


def test_iou_is_that_of_the_pixels() -> None:
    first, second = _masks(4), _masks(5)
    expected = np.zeros((4, 5))
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            expected[i, j] = (a & b).sum() / (a | b).sum()
    seen = rle_iou(masks_to_rles(first), masks_to_rles(second))
    np.testing.assert_allclose(seen, expected)
    np.testing.assert_allclose(rle_iou(masks_to_rles(second), masks_to_rles(first)), expected.T)


def test_iou_of_empty_masks_is_zero() -> None:
    empty = masks_to_rles(UGLY["empty"])
    assert rle_iou(empty, masks_to_rles(UGLY["full"]))[0, 0] == 0


SQUARE = [1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]  # x, y of the corners: 3 x 2 px


def test_a_polygon_becomes_its_mask() -> None:
    rle = segmentation_to_rle([SQUARE], 5, 6)
    assert rle["size"] == [5, 6]
    np.testing.assert_array_equal(rle_boxes([rle])[0], [1, 1, 4, 3])
    assert rle_areas([rle])[0] == 6


def test_two_polygons_are_one_mask() -> None:
    rle = segmentation_to_rle([SQUARE, [0, 4, 1, 4, 1, 5, 0, 5]], 5, 6)
    np.testing.assert_array_equal(rle_boxes([rle])[0], [0, 1, 4, 5])


def test_all_three_kinds_of_rle_agree() -> None:
    mask = _masks(1, 5, 6)
    rle = masks_to_rles(mask)[0]
    column_major = mask[0].ravel(order="F").astype(int)
    edges = np.flatnonzero(np.diff([0, *column_major, 2])) + 0
    counts = np.diff([0, *edges]).tolist()
    for given in (rle["counts"], rle["counts"].decode(), counts):
        seen = segmentation_to_rle({"size": [5, 6], "counts": given}, 5, 6)
        np.testing.assert_array_equal(rles_to_masks([seen])[0], mask[0])


@pytest.mark.parametrize(
    ("segmentation", "sentence"),
    [
        (None, "neither a list of polygons nor an RLE"),
        ([], "neither a list of polygons nor an RLE"),
        ({"size": [5, 6]}, "neither a list of polygons nor an RLE"),
        ([[1, 1, 2, 2]], "at least three points"),
        ([[1, 1, 2, 2, 3, 3, 4]], "at least three points"),
        ({"size": [6, 5], "counts": "04"}, r"RLE of size \[6, 5\], image of \[5, 6\]"),
        ({"size": [5, 6], "counts": ""}, "RLE of 0 px, image of 5 x 6 px"),
        ({"size": [5, 6], "counts": []}, "RLE of 0 px"),
        ({"size": [5, 6], "counts": [10, 10, 9]}, "RLE of 29 px, image of 5 x 6 px"),
        ({"size": [5, 6], "counts": [-1, 31]}, "no whole numbers from 0 on"),
        ({"size": [5, 6], "counts": [1.5, 28.5]}, "no whole numbers from 0 on"),
        ({"size": [5, 6], "counts": ["a", 3]}, "no whole numbers from 0 on"),
        ({"size": [5, 6], "counts": "\u00e9"}, "no COCO code"),
        ({"size": 5, "counts": "04"}, "RLE of size 5, image of"),
        ({"size": [5, 6], "counts": 10**12}, "no COCO code"),
        ({"size": [5, 6], "counts": [[3], 27]}, "no whole numbers"),
        ({"size": [5, 6], "counts": [True, 29]}, "no whole numbers"),
        ({"size": [5, 6], "counts": [2**40]}, "no whole numbers"),
    ],
)
def test_what_is_no_mask_is_refused(segmentation: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        segmentation_to_rle(segmentation, 5, 6)


def _broken() -> dict[str, bytes]:
    """Codes that pycocotools reads on from, decodes to what lay in memory, or loops over."""
    whole = masks_to_rles(np.pad(np.ones((1, 8, 8), dtype=bool), ((0, 0), (6, 6), (6, 6))))
    code = whole[0]["counts"]
    return {
        "ends within a number": code[:-1],
        "without its last run": code[:-2],
        "a run too many": code + b"1",
        "a negative run": b"000000000000O" + code,
        "continued for ever": b"o" * 20,
        "zeros": b"0000000",
        "no characters of a code": b"\xff\xfe",
        "below the code's characters": code + b" 0",
        "nothing": b"",
    }


@pytest.mark.parametrize("kind", [bytes, str])
@pytest.mark.parametrize("code", _broken().values(), ids=_broken())
def test_a_code_that_does_not_fill_its_image_is_refused(code: bytes, kind: type) -> None:
    counts = code if kind is bytes else code.decode("latin-1")
    with pytest.raises(ValueError, match=r"RLE|ascii"):
        segmentation_to_rle({"size": [20, 20], "counts": counts}, 20, 20)


@pytest.mark.parametrize("masks", SAMPLES.values(), ids=SAMPLES)
def test_runs_are_those_of_the_pixels(masks: np.ndarray) -> None:
    for mask, rle in zip(masks, masks_to_rles(masks), strict=True):
        column_major = mask.ravel(order="F").astype(np.int8)
        edges = np.flatnonzero(np.diff(column_major, prepend=0))
        np.testing.assert_array_equal(
            rle_runs(rle["counts"]), np.diff([0, *edges, column_major.size])
        )
        segmentation_to_rle(rle, *mask.shape)


def test_any_bytes_are_read_or_refused() -> None:
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(2000):
        code = bytes(rng.integers(40, 120, rng.integers(1, 12), dtype=np.uint8))
        try:
            segmentation_to_rle({"size": [20, 20], "counts": code}, 20, 20)
        except ValueError:
            refused += 1
    assert refused > 1900


def test_rle_of_keeps_height_before_width() -> None:
    assert rle_of(b"04", 3, 9) == {"size": [3, 9], "counts": b"04"}
