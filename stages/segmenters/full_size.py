"""From SAM's small logits to masks of the image's size, and how sure they are.

`Sam.postprocess_masks` enlarges in two bilinear steps: to the model's input, and from there, cut at
the padding, to the image. On a CPU OpenCV takes the same steps ten times as fast as torch. Its
weights are finer than torch's float32 ones, so a logit differs by some 1e-5; pixels that near to
the border of a mask are taken anew with torch's weights, so that the masks are the stock ones. On a
GPU the stock steps stay, and only what is asked for comes from there, masks as bits.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.utils.amg import calculate_stability_score
from torch import Tensor
from torch.nn import functional as F

NEAR = 1e-4  # logits; nearer to 0 than this, rounding may decide the side


def full_size_logits(predictor: SamPredictor, small: Tensor) -> Tensor:
    """Logits on the grid of the image that was set.

    Parameters
    ----------
    small : (p, s, h, w) float32, as the mask decoder gives them.

    Returns
    -------
    (p, s, height, width) float32, on the device of `small`.
    """
    if small.device.type != "cpu":
        sizes = (predictor.input_size, predictor.original_size)
        found: Tensor = predictor.model.postprocess_masks(small, *sizes)
        return found
    side = int(predictor.model.image_encoder.img_size)
    planes = small.reshape(-1, *small.shape[2:]).numpy()
    large = enlarged(planes, side, predictor.input_size, predictor.original_size)
    return torch.from_numpy(large).view(*small.shape[:2], *large.shape[1:])


def enlarged(
    planes: np.ndarray, side: int, input_size: tuple[int, int], original_size: tuple[int, int]
) -> np.ndarray:
    """(n, h, w) float32 logits as (n, *original_size).

    Parameters
    ----------
    side : px of the model's square input. input_size, original_size : (height, width) of the
        image in it, and on disk.
    """
    height, width = original_size
    found = np.empty((len(planes), height, width), dtype=np.float32)
    for plane, out in zip(planes, found, strict=True):
        square = cv2.resize(plane, (side, side), interpolation=cv2.INTER_LINEAR)
        image = square[: input_size[0], : input_size[1]]
        cv2.resize(image, (width, height), dst=out, interpolation=cv2.INTER_LINEAR)
        near = np.flatnonzero(np.abs(out) < NEAR)
        if len(near):
            rows, columns = np.divmod(near, width)
            out[rows, columns] = _sampled(image, rows, columns, original_size)
    return found


def _sampled(
    image: np.ndarray, rows: np.ndarray, columns: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Single pixels of an image enlarged to `size`, with the float32 weights of torch: (k,)."""
    top, bottom, down = _taps(rows, image.shape[0], size[0])
    left, right, across = _taps(columns, image.shape[1], size[1])
    above = image[top, left] * (1 - across) + image[top, right] * across
    below = image[bottom, left] * (1 - across) + image[bottom, right] * across
    return np.asarray(above * (1 - down) + below * down)


def _taps(index: np.ndarray, length: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two cells that each output index lies between, and the weight of the second, float32."""
    scale, half = np.float32(length / wanted), np.float32(0.5)
    at = (scale * (index.astype(np.float32) + half) - half).clip(min=0)
    first = at.astype(np.int64)
    return first, (first + 1).clip(max=length - 1), at - first.astype(np.float32)


def masks_above(logits: Tensor, threshold: float) -> np.ndarray:
    """(p, s, height, width) bool: where the logits are above `threshold`."""
    if logits.device.type == "cpu":
        return np.asarray(logits.numpy() > threshold)
    return from_bits(bits_of(logits > threshold).cpu().numpy(), logits.shape)


def bits_of(masks: Tensor) -> Tensor:
    """Bool of any shape, eight to a byte, the first one highest: (bytes,) uint8, where they lie.

    They leave a GPU in an eighth of the time; the last byte is filled up with zeros.
    """
    flat = masks.reshape(-1).to(torch.uint8)
    eights = F.pad(flat, (0, -len(flat) % 8)).view(-1, 8)
    places = 1 << torch.arange(7, -1, -1, device=masks.device, dtype=torch.uint8)
    return (eights * places).sum(dim=1, dtype=torch.uint8)


def from_bits(packed: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """What `bits_of` has packed, bool of `shape`."""
    flat = np.unpackbits(packed, count=math.prod(shape))
    return flat.view(bool).reshape(tuple(shape))


def stability_scores(logits: Tensor, threshold: float, offset: float) -> np.ndarray:
    """IoU of each mask at `threshold` plus and minus `offset`, (p, s) float32; 0 for no pixel.

    As `calculate_stability_score` of segment_anything, but for masks without a pixel.
    """
    if logits.device.type != "cpu":
        scores = calculate_stability_score(logits, threshold, offset).nan_to_num(0.0)
        return np.asarray(scores.cpu().numpy(), dtype=np.float32)
    planes = logits.numpy().reshape(-1, *logits.shape[2:])
    inner = [np.count_nonzero(plane > threshold + offset) for plane in planes]
    outer = [np.count_nonzero(plane > threshold - offset) for plane in planes]
    scores = np.array(inner, dtype=np.float32) / np.array(outer, dtype=np.float32).clip(min=1)
    return np.asarray(scores.reshape(logits.shape[:2]))
