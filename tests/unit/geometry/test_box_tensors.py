"""Boxes as tensors: the numbers of the arrays' functions, and, bit by bit, those of torchvision."""

import numpy as np
import pytest
import torch
from torchvision import ops
from torchvision.transforms.v2.functional import horizontal_flip_bounding_boxes
from torchvision.tv_tensors import BoundingBoxFormat

from stages.geometry.box_tensors import mirrored_tensor, paired_iou, tensor_area
from stages.geometry.boxes import box_area, box_iou, mirrored_boxes


def boxes(count: int, *, seed: int = 0) -> torch.Tensor:
    corners = np.random.default_rng(seed).uniform(0, 50, (count, 2, 2))
    sorted_corners = np.concatenate([corners.min(1), corners.max(1)], axis=1)
    found = torch.from_numpy(sorted_corners.astype(np.float32))
    found[1::4, 2] = found[1::4, 0]  # some have no area
    return found


@pytest.mark.parametrize("count", [0, 1, 200])
def test_areas_are_those_of_arrays_and_of_torchvision(count: int) -> None:
    found = tensor_area(boxes(count))
    assert torch.equal(found, ops.box_area(boxes(count)))
    np.testing.assert_array_equal(found.numpy(), box_area(boxes(count).numpy()))


def test_area_of_a_box_turned_inside_out_is_zero() -> None:
    assert tensor_area(torch.tensor([[3.0, 0, 0, 2]])).tolist() == [0]


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (1, 1), (60, 70)])
def test_iou_of_every_pair_is_that_of_arrays_and_of_torchvision(n: int, m: int) -> None:
    first, second = boxes(n, seed=1), boxes(m, seed=2)
    found = paired_iou(first[:, None], second)
    assert torch.equal(found, ops.box_iou(first, second).nan_to_num(0.0))
    np.testing.assert_array_equal(found.numpy(), box_iou(first.numpy(), second.numpy()))


def test_iou_is_taken_pair_by_pair() -> None:
    first, second = boxes(20, seed=1), boxes(20, seed=2)
    assert torch.equal(paired_iou(first, second), paired_iou(first[:, None], second).diag())


def test_two_boxes_without_area_have_iou_zero_and_not_nan() -> None:
    point = torch.full((1, 4), 3.0)
    assert paired_iou(point, point).tolist() == [0]


@pytest.mark.parametrize("count", [0, 1, 200])
def test_mirrored_boxes_are_those_of_arrays_and_of_torchvision(count: int) -> None:
    found = mirrored_tensor(boxes(count), 60)
    flipped = horizontal_flip_bounding_boxes(boxes(count), BoundingBoxFormat.XYXY, (40, 60))
    assert torch.equal(found, flipped)
    np.testing.assert_array_equal(found.numpy(), mirrored_boxes(boxes(count).numpy(), 60))
