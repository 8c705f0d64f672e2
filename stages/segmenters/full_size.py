"""From SAM's small logits to masks of the image's size, and how sure they are.

`Sam.postprocess_masks` enlarges in two bilinear steps: to the model's input, and from there, cut at
the padding, to the image. On a CPU OpenCV takes the same steps ten times as fast as torch. Its
weights are finer than torch's float32 ones, so a logit differs by some 1e-5; pixels that near to
the border of a mask are taken anew with torch's weights, so that the masks are the stock ones.
Where a mask can be is seen between the two steps, and beyond that part nothing is looked for or
counted. On a GPU the stock steps stay, and only what is asked for comes from there, masks as bits.
"""

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.utils.amg import calculate_stability_score
from torch import Tensor
from torch.nn import functional as F

NEAR = 1e-4  # logits; nearer to 0 than this, rounding may decide the side
Part = tuple[slice, slice]  # rows and columns of an image


@dataclass(frozen=True, slots=True)
class FullSize:
    """Masks on the grid of the image, s of each of p prompts.

    masks : (p, s, height, width) bool. stability : (p, s) float32, IoU of the mask at two
    thresholds. logits : (p, s, height, width) float32; None: they are not wanted.
    """

    masks: np.ndarray
    stability: np.ndarray
    logits: np.ndarray | None


def full_size(
    predictor: SamPredictor, small: Tensor, *, offset: float, logits: bool = False
) -> FullSize:
    """SAM's small logits as masks of the image that was set.

    Parameters
    ----------
    small : (p, s, h, w) float32, as the mask decoder gives them.
    offset : of the stability score, in logits.
    """
    model, shape = predictor.model, (*small.shape[:2], *predictor.original_size)
    threshold, input_size = model.mask_threshold, predictor.input_size
    if small.device.type != "cpu":
        found = model.postprocess_masks(small, input_size, predictor.original_size)
        return cut(found, threshold=threshold, offset=offset, logits=logits)
    masks = np.empty(shape, dtype=bool)
    kept = np.empty(shape, dtype=np.float32) if logits else None
    outs = itertools.repeat(np.empty(shape[2:], np.float32)) if kept is None else _planes(kept)
    side, stability = (model.image_encoder.img_size,) * 2, np.empty(shape[:2], dtype=np.float32)
    planes = zip(_planes(small.numpy()), outs, _planes(masks), strict=False)
    for k, (plane, out, mask) in enumerate(planes):  # one at a time: it stays in the cache
        square = cv2.resize(plane, side, interpolation=cv2.INTER_LINEAR)
        part = _enlarged(square[: input_size[0], : input_size[1]], out, threshold - offset)
        np.greater(out, threshold, out=mask)
        stability.flat[k] = _stability(out[part], threshold, offset)
    return FullSize(masks, stability, kept)


def cut(found: Tensor, *, threshold: float, offset: float, logits: bool = False) -> FullSize:
    """Logits of the image's size as masks.

    Parameters
    ----------
    found : (p, s, height, width) float32, on any device.
    threshold : above it a pixel belongs to the mask. offset : of the stability score.
    """
    masks = masks_above(found, threshold)
    kept = found.cpu().numpy() if logits else None
    return FullSize(masks, stability_scores(found, threshold, offset), kept)


def _enlarged(image: np.ndarray, out: np.ndarray, lowest: float) -> Part:
    """Enlarge logits (h, w) into `out`, (height, width) float32.

    Returns
    -------
    The part of `out` beyond which no logit is above `lowest`, 0 at most.
    """
    size = (out.shape[0], out.shape[1])
    cv2.resize(image, size[::-1], dst=out, interpolation=cv2.INTER_LINEAR)
    part = _part(image, lowest, size)
    near = np.flatnonzero(np.abs(out[part]) < NEAR)
    if len(near):
        rows, columns = np.divmod(near, part[1].stop - part[1].start)
        rows, columns = rows + part[0].start, columns + part[1].start
        out[rows, columns] = _sampled(image, rows, columns, size)
    return part


def _part(image: np.ndarray, lowest: float, size: tuple[int, int]) -> Part:
    """The pixels of an image enlarged to `size` that can be above `lowest`, and a few around."""
    x, y, width, height = cv2.boundingRect((image > lowest - NEAR).view(np.uint8))
    return (
        _reached(y, height, image.shape[0], size[0]),
        _reached(x, width, image.shape[1], size[1]),
    )


def _reached(first: int, count: int, length: int, wanted: int) -> slice:
    """The output indices that any of `count` cells from `first` on has a weight in."""
    if not count:
        return slice(0, 0)
    scale = wanted / length
    low = math.floor((first - 0.5) * scale - 0.5)  # cell c reaches from c - 1 to c + 1
    high = math.ceil((first + count + 0.5) * scale - 0.5) + 1
    return slice(max(low, 0), min(high, wanted))


def _planes(values: np.ndarray) -> np.ndarray:
    """(p, s, h, w) as (p * s, h, w)."""
    return values.reshape(-1, *values.shape[2:])


def _sampled(
    image: np.ndarray, rows: np.ndarray, columns: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Single pixels of an image enlarged to `size`, with the float32 weights of torch: (k,)."""
    top, bottom, down = (taps[rows] for taps in _taps(image.shape[0], size[0]))
    left, right, across = (taps[columns] for taps in _taps(image.shape[1], size[1]))
    above = image[top, left] * (1 - across) + image[top, right] * across
    below = image[bottom, left] * (1 - across) + image[bottom, right] * across
    return np.asarray(above * (1 - down) + below * down)


@functools.lru_cache(maxsize=16)
def _taps(length: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two cells that each output index lies between, and the weight of the second, float32."""
    scale, half = np.float32(length / wanted), np.float32(0.5)
    at = (scale * (np.arange(wanted, dtype=np.float32) + half) - half).clip(min=0)
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
    found = [_stability(plane, threshold, offset) for plane in _planes(logits.numpy())]
    return np.array(found, dtype=np.float32).reshape(logits.shape[:2])


def _stability(plane: np.ndarray, threshold: float, offset: float) -> np.float32:
    """The same of one mask, or of a part of it with all of its pixels."""
    inner = np.count_nonzero(plane > threshold + offset)
    outer = int(np.count_nonzero(plane > threshold - offset))
    return np.float32(inner) / np.float32(max(outer, 1))
