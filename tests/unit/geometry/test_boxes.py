import numpy as np
import pytest

from stages.geometry.boxes import (
    box_area,
    box_cover,
    box_iou,
    clip_boxes,
    mirrored_boxes,
    scale_boxes,
    touched_pixels,
    xywh_to_xyxy,
    xyxy_to_xywh,
)
from stages.geometry.masks import masks_to_rles, rle_cover

NONE = np.zeros((0, 4), dtype=np.float32)


def _boxes(count: int) -> np.ndarray:
    corners = np.random.default_rng(count).uniform(0, 50, (count, 2, 2))
    return np.concatenate([corners.min(1), corners.max(1)], axis=1).astype(np.float32)


def _slow_iou(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inner = width * height if width > 0 and height > 0 else 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner
    return float(inner / union) if union > 0 else 0.0


def test_no_boxes_give_nothing() -> None:
    assert box_area(NONE).shape == (0,)
    assert box_iou(NONE, _boxes(3)).shape == (0, 3)
    assert box_iou(_boxes(3), NONE).shape == (3, 0)
    for function in (xywh_to_xyxy, xyxy_to_xywh):
        assert function(NONE).shape == (0, 4)


def test_iou_is_that_of_a_slow_loop_and_symmetric() -> None:
    first, second = _boxes(6), _boxes(7)
    seen = box_iou(first, second)
    slow = [[_slow_iou(a, b) for b in second.astype(float)] for a in first.astype(float)]
    np.testing.assert_allclose(seen, slow, rtol=1e-5)
    np.testing.assert_allclose(seen, box_iou(second, first).T)
    np.testing.assert_allclose(np.diag(box_iou(first, first)), 1)


@pytest.mark.parametrize(
    ("second", "iou"),
    [
        ([0, 0, 10, 10], 1.0),
        ([10, 0, 20, 10], 0.0),  # touching
        ([30, 30, 40, 40], 0.0),
        ([0, 0, 10, 5], 0.5),
        ([5, 0, 15, 10], 1 / 3),
        ([2, 2, 2, 8], 0.0),  # no area
    ],
    ids=["equal", "touching", "apart", "inside", "shifted", "no area"],
)
def test_iou_by_hand(second: list[float], iou: float) -> None:
    square = np.array([[0.0, 0.0, 10.0, 10.0]])
    assert box_iou(square, np.array([second], dtype=float))[0, 0] == pytest.approx(iou)


def test_two_boxes_without_area_have_iou_zero_and_not_nan() -> None:
    point = np.array([[3.0, 3.0, 3.0, 3.0]])
    assert box_iou(point, point)[0, 0] == 0


def test_cover_is_the_share_of_the_first_box_and_masks_of_rectangles_have_the_same() -> None:
    rng = np.random.default_rng(4)
    low = rng.integers(0, 20, (12, 2))
    boxes = np.concatenate([low, low + rng.integers(1, 20, (12, 2))], axis=1).astype(float)
    pixels = np.zeros((12, 40, 40), dtype=np.uint8)
    for mask, (x0, y0, x1, y1) in zip(pixels, boxes.astype(int), strict=True):
        mask[y0:y1, x0:x1] = 1
    rles = masks_to_rles(pixels)
    np.testing.assert_allclose(box_cover(boxes[:5], boxes[5:]), rle_cover(rles[:5], rles[5:]))


def test_a_box_without_area_is_covered_by_nothing() -> None:
    point, square = np.array([[3.0, 3.0, 3.0, 3.0]]), np.array([[0.0, 0.0, 9.0, 9.0]])
    assert box_cover(point, square)[0, 0] == 0
    assert box_cover(NONE, square).shape == (0, 1)


def test_area_of_a_box_turned_inside_out_is_zero() -> None:
    np.testing.assert_array_equal(box_area(np.array([[0, 0, 3, 2], [3, 0, 0, 2.0]])), [6, 0])


def test_xywh_and_xyxy_are_inverse() -> None:
    boxes = _boxes(5)
    np.testing.assert_allclose(xywh_to_xyxy(xyxy_to_xywh(boxes)), boxes, rtol=1e-5)
    np.testing.assert_array_equal(xyxy_to_xywh(np.array([[1, 2, 4, 8]])), [[1, 2, 3, 6]])


def test_clip_cuts_at_all_four_borders() -> None:
    boxes = np.array([[-3, -1, 70, 90], [5, 5, 6, 6]], dtype=np.float32)
    clipped = clip_boxes(boxes, height=40, width=60)
    np.testing.assert_array_equal(clipped, [[0, 0, 60, 40], [5, 5, 6, 6]])
    assert clipped.dtype == np.float32


def test_scale_keeps_the_centre() -> None:
    boxes = _boxes(4)
    scaled = scale_boxes(boxes, 1.5)
    np.testing.assert_allclose(scaled[:, :2] + scaled[:, 2:], boxes[:, :2] + boxes[:, 2:], 1e-5)
    np.testing.assert_allclose(box_area(scaled), box_area(boxes) * 2.25, rtol=1e-4)
    np.testing.assert_allclose(scale_boxes(boxes, 1.0), boxes, rtol=1e-5)


TOUCHED = [  # box, its rows and columns in an image of 10 x 12 px
    ((2, 1, 5, 3), (1, 3, 2, 5)),
    ((2.2, 1.9, 4.1, 2.1), (1, 3, 2, 5)),
    ((-4, -4, 40, 40), (0, 10, 0, 12)),
    ((3, 4, 3, 4), (4, 5, 3, 4)),
    ((20, 20, 30, 30), (9, 10, 11, 12)),
    ((12, 10, 12, 10), (9, 10, 11, 12)),
]


@pytest.mark.parametrize(("box", "wanted"), TOUCHED)
def test_a_box_touches_one_pixel_at_least(
    box: tuple[float, ...], wanted: tuple[int, int, int, int]
) -> None:
    rows, columns = touched_pixels(np.array(box, dtype=np.float32), 10, 12)
    assert (rows.start, rows.stop, columns.start, columns.stop) == wanted


def test_mirrored_boxes_hold_what_the_mirrored_image_holds() -> None:
    image = np.random.default_rng(0).integers(0, 9, (20, 30))
    x0, y0, x1, y1 = mirrored_boxes(np.array([4, 3, 11, 9]), width=30)
    np.testing.assert_array_equal(image[:, ::-1][y0:y1, x0:x1], image[3:9, 4:11][:, ::-1])
    boxes = _boxes(5)
    np.testing.assert_allclose(mirrored_boxes(mirrored_boxes(boxes, 60), 60), boxes, atol=1e-4)
