"""What a classifier with class tokens knows of where things are: WeakTr's maps, for WeakSAM.

WeakSAM, Sec. 3.1, after WeakTr. Token order everywhere: the classes first, then the patches, row by
row. Attention is that of all heads of all layers, after its softmax.
"""

from typing import Literal

import torch
from torch import Tensor

REDUCTION = 4  # of the weights' inner width: WeakTr; its second edition has 8
EPSILON = 1e-8  # added to the range of a map (authors' code)

Fusion = Literal["mean", "aaf"]


def uniform_weights(attention: Tensor) -> Tensor:
    """The weight 1 for each head and layer: fusion without parameters.

    Parameters
    ----------
    attention : (b, m, t, t), of m heads and layers between t tokens.

    Returns
    -------
    (b, m).
    """
    return attention.new_ones(attention.shape[:2])


def adaptive_weights(attention: Tensor, squeeze: Tensor, excite: Tensor) -> Tensor:
    """How much each head of each layer counts for an image: adaptive attention fusion.

    Parameters
    ----------
    attention : (b, m, t, t). squeeze : (r, m) and excite : (m, r), two layers without biases;
        r = m / REDUCTION.

    Returns
    -------
    (b, m) in (0, 1): sigmoid(excite relu(squeeze mean(attention))).

    Source: WeakTr, adaptive attention fusion (average pooling, reduction 4). Since each row of an
    attention sums to 1, its mean is 1 / t whatever it holds: the weights are learned, but hardly
    differ between images.
    """
    pooled = attention.mean(dim=(2, 3))  # (b, m)
    return (torch.relu(pooled @ squeeze.T) @ excite.T).sigmoid()


def mean_attention(attention: Tensor, weights: Tensor) -> Tensor:
    """Weighted attention, averaged over heads and layers.

    Parameters
    ----------
    attention : (b, m, t, t). weights : (b, m).

    Returns
    -------
    (b, t, t): the mean of y_i A_i over m, not divided by the sum of the weights.
    """
    return torch.einsum("bm,bmst->bst", weights, attention) / attention.shape[1]


def cross_attention(attention: Tensor, grid: tuple[int, int], classes: int) -> Tensor:
    """From each class to each patch: (..., t, t) to (..., classes, rows, columns)."""
    cross = attention[..., :classes, classes:]
    return cross.reshape(*cross.shape[:-1], *grid)


def patch_attention(attention: Tensor, classes: int) -> Tensor:
    """From each patch to each patch: (..., t, t) to (..., patches, patches)."""
    return attention[..., classes:, classes:]


def coarse_map(logits: Tensor) -> Tensor:
    """CAM_coarse: the class logits of each patch, (..., classes, rows, columns), above 0."""
    return torch.relu(logits)


def fine_map(coarse: Tensor, cross: Tensor, patches: Tensor) -> Tensor:
    """CAM_fine: what a class's token and its coarse map agree upon, spread over alike patches.

    Parameters
    ----------
    coarse, cross : (b, classes, rows, columns). patches : (b, n, n), n = rows x columns.

    Returns
    -------
    (b, classes, rows, columns): patches . vec(cross * coarse), of each class.

    Source: WeakTr, CAM_fine.
    """
    fused = (cross * coarse).flatten(2)  # (b, classes, n)
    spread = torch.einsum("bpq,bcq->bcp", patches, fused)
    return spread.reshape(coarse.shape)


def normalised_maps(maps: Tensor) -> Tensor:
    """Each map from its lowest to its highest value, on a scale from 0 to 1.

    Parameters
    ----------
    maps : (..., height, width), of any precision.

    Returns
    -------
    The same shape, float32 in [0, 1]: (m - min) / (max - min + 1e-8). A flat map becomes zeros; in
    half precision 1e-8 would vanish, and a flat map be NaN.
    """
    exact = maps.float()
    low, high = exact.amin(dim=(-2, -1), keepdim=True), exact.amax(dim=(-2, -1), keepdim=True)
    return (exact - low) / (high - low + EPSILON)
