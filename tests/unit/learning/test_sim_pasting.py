"""What SIM's teacher sees once objects are pasted: the authors' case, loops over pixels."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.box_supervision.pasting import hulls
from stages.learning.sim_masks import PseudoMasks, Shown
from stages.learning.sim_pasting import pasted_onto

CASE = json.loads((Path(__file__).parents[2] / "golden" / "boxes.json").read_text())["copy_paste"]


def rows_to_masks(rows: list[list[str]]) -> np.ndarray:
    return np.array([[list(map(int, line)) for line in mask] for mask in rows], dtype=np.uint8)


def block(x0: int, y0: int, x1: int, y1: int, size: tuple[int, int] = (8, 8)) -> np.ndarray:
    mask = np.zeros((1, *size), dtype=np.uint8)
    mask[0, y0:y1, x0:x1] = 1
    return mask


def masks_of(
    masks: np.ndarray, ignored: np.ndarray | None = None, weight: float = 1.0
) -> PseudoMasks:
    looked_at = np.ones_like(masks) if ignored is None else 1 - ignored
    return PseudoMasks(masks, looked_at, torch.full((len(masks),), weight))


def shown_of(masks: np.ndarray, found: PseudoMasks | None = None) -> Shown:
    """A dark image of boxes about `masks`, of the classes 0, 1, ...; nothing is said of them."""
    none = np.zeros((len(masks), 0, 0), dtype=np.uint8)
    found = found or PseudoMasks(none, none, torch.zeros(len(masks)))
    pixels = np.zeros((*masks.shape[1:], 3), dtype=np.uint8)
    return Shown(pixels, torch.from_numpy(hulls(masks)), torch.arange(len(masks)), found)


def paste(target: Shown, masks: PseudoMasks, *, least: int = 1) -> Shown:
    """The target with bright objects of class 9."""
    size = masks.masks.shape[1:]
    pixels = np.full((*size, 3), 200, dtype=np.uint8)
    classes = torch.full((len(masks.weights),), 9)
    return pasted_onto(target, pixels, masks, classes, least=least)


def test_pixels_boxes_and_masks_as_in_sim() -> None:
    masks = rows_to_masks(CASE["target_masks_rows"])
    one, other = (np.array(CASE[f"image_channel_{n}"], np.uint8) for n in ("target", "source"))
    target = shown_of(masks, masks_of(masks))
    target.pixels[:] = one[:, :, None]
    stamps = masks_of(rows_to_masks(CASE["pasted_mask_rows"]))
    pixels = np.repeat(other[:, :, None], 3, axis=2)
    found = pasted_onto(target, pixels, stamps, torch.tensor([9]), least=1)
    for channel in range(3):
        np.testing.assert_array_equal(found.pixels[:, :, channel], CASE["image_channel_out"])
    kept = CASE["kept_indices"]
    np.testing.assert_array_equal(found.masks.masks, rows_to_masks(CASE["masks_out_rows"])[kept])
    np.testing.assert_array_equal(found.boxes, CASE["boxes_out_xyxy"])
    assert found.classes.tolist() == [0, 1, 9]  # the covered third is gone
    assert found.pasted == 1


@pytest.mark.parametrize("size", [(12, 14), (7, 14), (12, 9), (16, 20)])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_loop_over_pixels_makes(seed: int, size: tuple[int, int]) -> None:
    """Of donors of other sizes too, with pixels that are left open in both images."""
    rng = np.random.default_rng(seed)
    masks, ignored = (rng.random((3, 12, 14)) < share for share in (0.5, 0.2))
    stamps, open_ = (rng.random((2, *size)) < share for share in (0.4, 0.3))
    target = shown_of(masks.astype(np.uint8), masks_of(*map(np.uint8, (masks, ignored))))  # type: ignore[arg-type]
    target.pixels[:] = rng.integers(0, 256, (12, 14, 3))
    pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    donor = masks_of(*map(np.uint8, (stamps, open_)))  # type: ignore[arg-type]
    found = pasted_onto(target, pixels, donor, torch.tensor([7, 8]), least=1)
    assert found.pasted == 2
    assert found.classes.tolist() == [0, 1, 2, 7, 8]
    assert found.masks.weights.tolist() == [1] * 5
    assert found.cover is not None
    for y, x in np.ndindex(12, 14):
        inside = y < size[0] and x < size[1]
        on = [inside and bool(stamps[k, y, x] and not open_[k, y, x]) for k in range(2)]
        assert found.cover[y, x] == any(on)
        wanted = pixels[y, x] if any(on) else target.pixels[y, x]
        assert (found.pixels[y, x] == wanted).all()
        left = [masks[k, y, x] and not any(on) for k in range(3)]
        assert found.masks.masks[:, y, x].tolist() == [*left, *on]
        seen = [not ignored[k, y, x] or any(on) for k in range(3)]
        assert found.masks.looked_at[:, y, x].tolist() == [*seen, True, True]


def test_pixels_that_the_donor_leaves_open_are_not_pasted() -> None:
    found = paste(shown_of(block(6, 6, 8, 8)), masks_of(block(0, 0, 4, 4), block(2, 0, 4, 4)))
    assert found.boxes[-1].tolist() == [0, 0, 2, 4]
    np.testing.assert_array_equal(found.pixels[:, :, 0] == 200, block(0, 0, 2, 4)[0])


COVERED = [  # mask and weight of the target (its box is 0 0 4 4), pasted, whether it stays
    (block(0, 0, 4, 4), 1.0, block(0, 0, 4, 4), False),
    (block(0, 0, 4, 4), 1.0, block(0, 0, 4, 3), True),
    (block(1, 1, 3, 3), 1.0, block(1, 1, 3, 3), False),  # of its box a frame is left
    (block(1, 1, 3, 3), 0.0, block(1, 1, 3, 3), True),  # its mask is not to be trusted
    (block(0, 0, 0, 0), 1.0, block(1, 1, 3, 3), True),  # it had none, at this size
]


@pytest.mark.parametrize(("mask", "weight", "pasted", "stays"), COVERED)
def test_what_is_covered_wholly_is_left_out(
    mask: np.ndarray, weight: float, pasted: np.ndarray, stays: bool
) -> None:
    target = shown_of(block(0, 0, 4, 4), masks_of(mask, weight=weight))
    found = paste(target, masks_of(pasted))
    assert found.classes.tolist() == [0, 9][1 - stays :]
    assert len(found.masks.masks) == len(found.masks.weights) == len(found.boxes) == 1 + stays


@pytest.mark.parametrize(
    ("x0", "side", "pasted"), [(8, 4, 0), (7, 4, 0), (6, 4, 1), (0, 1, 0), (0, 2, 1)]
)
def test_what_is_cut_off_or_tiny_is_not_pasted(x0: int, side: int, pasted: int) -> None:
    target = shown_of(block(0, 4, 4, 8))
    stamp = block(x0, 0, x0 + side, side, (8, 24))
    found = paste(target, masks_of(stamp), least=2)
    assert found.pasted == pasted
    assert (found is target) == (pasted == 0)


def test_of_several_those_that_fit_are_pasted_with_their_classes() -> None:
    stamps = np.concatenate([block(9, 0, 12, 3, (8, 12)), block(1, 0, 4, 3, (8, 12))])
    found = pasted_onto(
        shown_of(block(0, 4, 4, 8)),
        np.zeros((8, 12, 3), np.uint8),
        masks_of(stamps),
        torch.tensor([5, 6]),
        least=1,
    )
    assert found.classes.tolist() == [0, 6]
    assert found.boxes[-1].tolist() == [1, 0, 4, 3]


def test_an_image_without_objects_gets_some() -> None:
    found = paste(shown_of(np.zeros((0, 8, 8), np.uint8)), masks_of(block(1, 2, 4, 5)))
    assert found.boxes.tolist() == [[1, 2, 4, 5]]
    assert found.masks.masks.shape == (1, 8, 8)


def test_objects_of_which_nothing_was_said_stay_so() -> None:
    found = paste(shown_of(block(0, 0, 8, 4)), masks_of(block(1, 2, 4, 5)))
    assert found.masks.weights.tolist() == [0, 1]
    assert found.masks.masks.shape == (2, 8, 8)
    assert found.boxes[0].tolist() == [0, 0, 8, 4]
