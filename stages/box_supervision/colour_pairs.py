"""Pixels of one colour are of one object: the pairwise loss of BoxInst.

BoxInst (Tian et al., CVPR 2021), Eq. 4 to 7: an edge joins a pixel to one of its eight neighbours
two px away; where both have nearly one colour, they should get one label. SIM (CVPR 2023) keeps
this loss; its public code takes another threshold, 0.1, on colour times feature similarity, which
the paper does not mention. We take BoxInst's colours and 0.3.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

DILATION = 2  # px between a pixel and its neighbours
THETA = 2.0  # of the colour similarity, L*a*b* units
STEPS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def colour_similarity(lab: Tensor, valid: Tensor) -> Tensor:
    """How alike each pixel and its neighbours are.

    Parameters
    ----------
    lab : (h, w, 3) L*a*b*, see `lab.py`. valid : (h, w) of 0 and 1, pixels that are of the image.

    Returns
    -------
    (8, h, w): exp(-distance / 2), by offset, row after row; 0 where the neighbour lies beyond the
    border or is not valid.

    Source: BoxInst, Eq. 5, and public code for what is not valid.
    """
    neighbours = _shifted(lab.permute(2, 0, 1))  # (8, 3, h, w)
    distance = (lab.permute(2, 0, 1)[None] - neighbours).norm(dim=1)
    inside = _shifted(valid[None].to(lab.dtype))[:, 0]
    alike: Tensor = (-distance / THETA).exp() * inside
    return alike


def disagreement(first: Tensor, second: Tensor) -> Tensor:
    """Minus log of the chance that two pixels get one label.

    Parameters
    ----------
    first, second : logits of the pixels, of one shape.

    Returns
    -------
    Of the same shape, at least 0: -log P, P = p q + (1 - p) (1 - q), in log space.

    Source: BoxInst, Eq. 4 and 6.
    """
    both = F.logsigmoid(first) + F.logsigmoid(second)
    neither = F.logsigmoid(-first) + F.logsigmoid(-second)
    return -torch.logaddexp(both, neither)


def pairwise_parts(
    logits: Tensor, similarity: Tensor, boxes: Tensor, *, threshold: float
) -> tuple[Tensor, int]:
    """Disagreement of the edges that are of one colour and start in their box: sum and number.

    Parameters
    ----------
    logits : (n, h, w) of each positive of an image. similarity : (8, h, w) of the image, 0 beyond
        the border. boxes : (n, h, w) of 0 and 1.
    threshold : similarity of an edge that counts, above 0.

    Returns
    -------
    Scalar, and number of edges; 0 and 0 where none counts.

    Raises
    ------
    ValueError : the threshold is not above 0, so that edges beyond the border would count.

    Source: BoxInst, Eq. 7.
    """
    if threshold <= 0:
        raise ValueError(f"threshold is {threshold:g}; it must be above 0.")
    counted = (similarity >= threshold) & (boxes[:, None] > 0)
    mask, step, y, x = counted.nonzero(as_tuple=True)  # few of all edges: the rest costs nothing
    ways = torch.tensor(STEPS, device=logits.device) * DILATION
    v, u = y + ways[step, 0], x + ways[step, 1]
    losses = disagreement(logits[mask, y, x], logits[mask, v, u])
    return losses.sum(), len(losses)


def pairwise_loss(parts: Sequence[tuple[Tensor, int]]) -> Tensor:
    """The mean over the edges of all images of a batch.

    Parameters
    ----------
    parts : of `pairwise_parts`, one at least.

    Returns
    -------
    Scalar; 0 where no edge counts.
    """
    total = torch.stack([disagreed for disagreed, _ in parts]).sum()
    return total / max(sum(edges for _, edges in parts), 1)


def _shifted(maps: Tensor) -> Tensor:
    """(n, h, w) to (8, n, h, w): what lies at each offset of a pixel, 0 beyond the border."""
    height, width = maps.shape[-2:]
    large = F.pad(maps, (DILATION,) * 4)
    parts = [
        large[
            :, DILATION * (1 + dy) : DILATION * (1 + dy) + height,
            DILATION * (1 + dx) : DILATION * (1 + dx) + width,
        ]
        for dy, dx in STEPS
    ]  # fmt: skip
    return torch.stack(parts)
