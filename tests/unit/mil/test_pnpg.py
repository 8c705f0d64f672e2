"""PNPG: scales, background boxes and parts against obvious loops."""

import numpy as np
import pytest
import torch

from stages.geometry.boxes import box_iou
from stages.mil import pnpg

GENERATOR = torch.Generator().manual_seed(0)
PAPER = {
    "expand_step": 0.01,
    "expand_count": 15,
    "fine_step": 0.005,
    "fine_first": 16,
    "fine_count": 5,
    "shrink_step": 0.005,
}


def boxes(count: int, size: float = 100) -> torch.Tensor:
    corner = torch.rand(count, 2, generator=GENERATOR) * size
    side = torch.rand(count, 2, generator=GENERATOR) * size + 1
    return torch.cat([corner, corner + side], dim=1)


def test_scales_equal_the_loop() -> None:
    raw = torch.tensor([1.0, 0.5, 0.731])
    seen = pnpg.one_way(raw, **PAPER)
    for row, s in zip(seen.tolist(), raw.tolist(), strict=True):
        wanted = [1 + 0.01 * n for n in range(1, 16)]
        if s == 1:
            wanted += [1 + 0.005 * n for n in range(16, 21)]
        else:
            wanted += [1 - 0.005 * n / s for n in range(1, 6)]
        assert row == pytest.approx(wanted)


@pytest.mark.parametrize(("expand", "fine"), [(0, 0), (0, 5), (3, 0)])
def test_counts_of_scales_are_free(expand: int, fine: int) -> None:
    counts = {**PAPER, "expand_count": expand, "fine_count": fine}
    assert pnpg.one_way(torch.ones(2), **counts).shape == (2, expand + fine)


def test_the_papers_scales_go_both_ways_and_further_in_a_crowd() -> None:
    dis = torch.tensor([1.0, 0.5, 0.99])
    seen = pnpg.both_ways(dis, step=0.01, count=10)
    for row, s in zip(seen.tolist(), dis.tolist(), strict=True):
        wanted = [1 + 0.01 * n / s for n in range(1, 11)] + [1 - 0.01 * n / s for n in range(1, 11)]
        assert row == pytest.approx(wanted)
    assert pnpg.both_ways(dis, step=0.01, count=0).shape == (3, 0)


def test_no_scale_turns_a_box_inside_out() -> None:
    seen = pnpg.both_ways(torch.tensor([0.0625]), step=0.01, count=10)
    assert seen.min().item() == pytest.approx(pnpg.LEAST_SCALE)


def test_scaled_boxes_keep_centre_and_aspect() -> None:
    given, scales = boxes(5), torch.tensor([[0.5, 1.0, 1.3]]).expand(5, 3)
    seen = pnpg.scaled_boxes(given, scales)
    sides, own = seen[..., 2:] - seen[..., :2], given[:, 2:] - given[:, :2]
    torch.testing.assert_close(sides, own[:, None] * scales[..., None])
    centre = (given[:, :2] + given[:, 2:]) / 2
    torch.testing.assert_close(
        (seen[..., :2] + seen[..., 2:]) / 2, centre[:, None].expand(-1, 3, -1)
    )


def test_boxes_are_cut_at_the_image_or_at_zero_alone() -> None:
    given = torch.tensor([[-5.0, -6.0, 50.0, 70.0]])
    assert pnpg.clamped(given, (60, 40)).tolist() == [[0, 0, 40, 60]]
    assert pnpg.clamped(given, None).tolist() == [[0, 0, 50, 70]]


def test_background_boxes_fill_the_image_and_a_fifth_beyond() -> None:
    seen = pnpg.background_boxes(torch.rand(4, 20000, generator=GENERATOR), (50, 100))
    assert (seen[:, 2:] >= seen[:, :2]).all()
    assert seen[:, 0].min() == pytest.approx(-20, abs=0.2)
    assert seen[:, 1].min() == pytest.approx(-10, abs=0.2)
    assert seen[:, 0].max() == pytest.approx(100, abs=0.2)
    assert seen[:, 2].max() == pytest.approx(120, abs=0.5)
    assert seen[:, 3].max() == pytest.approx(60, abs=0.5)


def test_background_equals_the_loop() -> None:
    drawn, positives = boxes(40), boxes(9)
    drawn[3, 2] = drawn[3, 0]  # without area
    keep = pnpg.is_background(drawn, positives, t_neg1=0.3)
    iou = box_iou(drawn.numpy(), positives.numpy())
    assert keep.tolist() == [all(v < 0.3 for v in row) for row in iou]
    assert keep[3]


@pytest.mark.parametrize(("drawn", "positives"), [(0, 0), (0, 3), (4, 0)])
def test_background_without_boxes(drawn: int, positives: int) -> None:
    keep = pnpg.is_background(boxes(drawn), boxes(positives), t_neg1=0.3)
    assert keep.tolist() == [True] * drawn


def test_degenerate_negatives_are_background_whatever_they_touch() -> None:
    positive = torch.tensor([[10.0, 10, 50, 50], [0, 0, 0, 0]])
    drawn = torch.tensor(
        [[20.0, 20, 20, 40], [30, 30, 30, 30], [40, 40, 20, 20], [20, 45, 45, 20], [-9, -9, -5, -5]]
    )
    assert pnpg.is_background(drawn, positive, t_neg1=0.3).tolist() == [True] * 5
    same = pnpg.is_background(positive, positive, t_neg1=0.3)
    assert same.tolist() == [False, True]  # one without area is like nothing, not even itself


def test_boxes_that_lie_outside_are_clamped_to_the_border() -> None:
    outside = torch.tensor([[-9.0, -9, -5, -5], [90, 70, 120, 90], [-3, 5, 130, 60]])
    seen = pnpg.clamped(outside, (64.0, 100.0))
    assert seen.tolist() == [[0, 0, 0, 0], [90, 64, 100, 64], [0, 5, 100, 60]]
    zero = pnpg.clamped(outside, None)
    assert zero.tolist() == [[0, 0, 0, 0], [90, 70, 120, 90], [0, 5, 130, 60]]


def test_boxes_turned_inside_out_have_no_parts() -> None:
    assert pnpg.centre_parts(torch.tensor([[90.0, 90, 10, 10]]), min_area=1).shape == (0, 4)


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.9, 1.0])
def test_t_neg2_says_which_random_parts_are_small(limit: float) -> None:
    whole = torch.tensor([[0.0, 0, 100, 80]])
    drawn = torch.rand(1, 4000, 4, generator=GENERATOR)
    nowhere = torch.zeros(1, 6, 4)
    seen = pnpg.random_parts(whole, drawn, nowhere, min_area=0, t_neg1=0.3, t_neg2=limit)
    share = box_iou(seen.numpy(), whole.numpy())[:, 0]
    assert limit - 0.02 < share.max() < limit
    assert (len(seen) < 3990) == (limit < 1)  # something is rejected


def test_random_parts_of_no_object_are_none() -> None:
    nothing = torch.zeros(0, 4)
    limits = {"min_area": 1, "t_neg1": 0.3, "t_neg2": 0.5}
    seen = pnpg.random_parts(nothing, torch.zeros(0, 4, 4), torch.zeros(0, 6, 4), **limits)
    assert seen.shape == (0, 4)


def test_centre_parts_are_a_quarter_of_large_boxes() -> None:
    given = torch.tensor([[0.0, 0, 64, 64], [0, 0, 64, 65], [100, 100, 300, 200]])
    seen = pnpg.centre_parts(given, min_area=64 * 64)
    assert seen.tolist() == [[16, 16.25, 48, 48.75], [150, 125, 250, 175]]
    assert np.diag(box_iou(seen.numpy(), given[1:].numpy())) == pytest.approx(0.25)


def test_no_large_box_gives_no_parts() -> None:
    assert pnpg.centre_parts(boxes(3), min_area=1e9).shape == (0, 4)
    assert pnpg.centre_parts(boxes(0), min_area=1).shape == (0, 4)


def test_random_parts_lie_inside_and_away_from_others() -> None:
    given = boxes(20)
    bags = torch.cat([given[:, None], boxes(60).reshape(20, 3, 4)], dim=1)
    uniforms = torch.rand(20, 8, 4, generator=GENERATOR)
    seen = pnpg.random_parts(given, uniforms, bags, min_area=100, t_neg1=0.3, t_neg2=0.5)
    assert len(seen)
    iou = box_iou(seen.numpy(), given.numpy())
    for part, row in zip(seen, iou, strict=True):
        homes = [
            i
            for i, box in enumerate(given)
            if (part[:2] >= box[:2] - 1e-3).all() and (part[2:] <= box[2:] + 1e-3).all()
        ]
        good = False
        for i in homes:
            others = torch.cat([bags[:i], bags[i + 1 :]]).reshape(-1, 4).numpy()
            far = (box_iou(part[None].numpy(), others) < 0.3).all()
            good = good or bool(row[i] < 0.5 and far)
        assert good


def test_random_parts_of_a_single_small_object_are_none() -> None:
    given = torch.tensor([[0.0, 0, 5, 5]])
    uniforms = torch.rand(1, 4, 4, generator=GENERATOR)
    seen = pnpg.random_parts(given, uniforms, given[:, None], min_area=25, t_neg1=0.3, t_neg2=0.5)
    assert seen.shape == (0, 4)
