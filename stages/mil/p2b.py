"""P2BNet's boxes: among which a point's box is looked for, and what those with high scores make.

Chen et al., "Point-to-Box Network for Accurate Object Detection via Single Point Supervision" (ECCV
2022), Sec. 3.2 and 3.3; SAPNet, Sec. 4.2, asks SAM with the box. Bags are scored as in PSM and PRM
(`stages.mil.psm`, `stages.mil.prm`), which took that from here. A coarse box has the sides v s and
s / v, so that its aspect is v squared. A box is moved by shares of its own sides; the paper does
not say of whose. Departure, off at a `shift` of 0: coarse boxes beside those that are centred on
the point, which the paper's are, and which suits points near the middle of an object.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from stages.mil.pnpg import clamped

WAYS = ((0.0, 0.0), (-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))  # in which boxes are moved
LEAST_HALF = 0.5  # px, half a side of a box whose point lies on the border
LEAST_SUM = 1e-12  # of weights


def coarse_boxes(
    points: Tensor,
    size: tuple[float, float],
    *,
    scales: Sequence[float],
    ratios: Sequence[float],
    shift: float = 0.0,
) -> Tensor:
    """CBP's boxes of each point: of every scale in every ratio, within the image.

    A box about its point is cut on both sides alike, so that it stays centred; others as they are.

    Parameters
    ----------
    points : (n, 2) x, y px, in the image. size : (height, width) px of the image.
    scales : s, in shorter sides of the image; paper: 0.04, 0.08, ... 1.28.
    ratios : v; a box has the sides v s and s / v.
    shift : below 0.5, in sides of a box; 0: centred alone (paper), else four more beside each, to
        the left, the right, above and below.

    Returns
    -------
    (n, 1 or 5 x scales x ratios, 4) xyxy px; ratios run fastest, ways slowest.
    """
    v = points.new_tensor(ratios).repeat(len(scales))
    s = points.new_tensor(scales).repeat_interleave(len(ratios)) * min(size)
    sides = torch.stack([v * s, s / v], dim=1)  # (m, 2) width and height
    room = torch.minimum(points, points.new_tensor([size[1], size[0]]) - points)
    half = torch.minimum(sides / 2, room[:, None]).clamp(min=LEAST_HALF)
    centred = torch.cat([points[:, None] - half, points[:, None] + half], dim=-1)
    found = [clamped(centred, size)]
    for way in WAYS[1:] if shift else ():
        middle = points[:, None] + points.new_tensor(way) * shift * sides  # (n, m, 2)
        found.append(clamped(torch.cat([middle - sides / 2, middle + sides / 2], dim=-1), size))
    return torch.cat(found, dim=1)


def refined_boxes(
    boxes: Tensor, size: tuple[float, float], *, factors: Sequence[float], shift: float
) -> Tensor:
    """PBR's boxes about each coarse one: every pair of factors for its sides, in every way.

    Parameters
    ----------
    boxes : (n, 4) xyxy px. size : (height, width) px of the image, at which they are cut.
    factors : of either side; paper: 1, 1.2, 1.3, 0.8, 0.7. shift : in sides; paper: 0.1.

    Returns
    -------
    (n, 5 x factors^2, 4); ways run fastest, then factors of the height. The box itself is the
    first where the first factor is 1.
    """
    f = boxes.new_tensor(factors)
    pairs = torch.cartesian_prod(f, f)  # (p, 2) of width and height
    sides = (boxes[:, 2:] - boxes[:, :2])[:, None] * pairs  # (n, p, 2)
    moves = sides[:, :, None] * shift * boxes.new_tensor(WAYS)  # (n, p, 5, 2)
    middle = ((boxes[:, :2] + boxes[:, 2:]) / 2)[:, None, None] + moves
    half = sides[:, :, None] / 2
    found = torch.cat([middle - half, middle + half], dim=-1)
    return clamped(found, size).flatten(1, 2)


def merged(boxes: Tensor, scores: Tensor, *, top: int) -> Tensor:
    """The mean of the `top` best boxes of each bag, each with its score as weight.

    Parameters
    ----------
    boxes : (n, m, 4). scores : (n, m) at least 0; of the class of each object. top : paper: 7.

    Returns
    -------
    (n, 4); where all scores are 0, the plain mean.
    """
    weights, best = scores.topk(min(top, scores.shape[1]), dim=1)
    weights = weights + LEAST_SUM
    chosen = boxes.gather(1, best[..., None].expand(-1, -1, 4))  # (n, top, 4)
    return (chosen * weights[..., None]).sum(dim=1) / weights.sum(dim=1, keepdim=True)
