"""A vision transformer with a token per class, which shows its attention.

WeakSAM, Sec. 3.1, after WeakTr: DeiT's blocks, but C class tokens before the patch tokens, and no
norm behind the last block, since a class is told by the mean over its token. Weights bear the names
that DeiT's have, so that its files can be loaded (`stages.learning.deit_weights`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDER = 4  # width of the inner layer of a block, in widths of a token
NORM_EPSILON = 1e-6
STD = 0.02  # of the first weights


@dataclass(frozen=True, slots=True)
class Seen:
    """What the transformer makes of a batch.

    Attributes
    ----------
    classes : (b, classes, dim) and patches : (b, dim, rows, columns), tokens of the last block.
    attention : (b, depth * heads, t, t), layer by layer, after the softmax, without gradients;
        t = classes + rows * columns.
    """

    classes: Tensor
    patches: Tensor
    attention: Tensor

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.patches.shape[2], self.patches.shape[3]


class Attention(nn.Module):
    """Self-attention whose weights are returned: fused kernels give none."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(b, t, dim) to the same, and the weights (b, heads, t, t)."""
        b, t, dim = tokens.shape
        split = self.qkv(tokens).reshape(b, t, 3, self.heads, dim // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # (b, heads, t, dim / heads) each
        scale = (dim // self.heads) ** -0.5
        weights = ((query * scale) @ key.transpose(-2, -1)).softmax(dim=-1)
        mixed = (weights @ value).transpose(1, 2).reshape(b, t, dim)
        return self.proj(mixed), weights


class Mlp(nn.Module):
    """Two layers with a GELU between them."""

    def __init__(self, dim: int):
        super().__init__()
        self.fc1 = nn.Linear(dim, WIDER * dim)
        self.fc2 = nn.Linear(WIDER * dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(b, t, dim) to the same."""
        found: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return found


class Block(nn.Module):
    """Attention and two layers, each beside a path around it."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPSILON)
        self.mlp = Mlp(dim)

    def forward(self, tokens: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (b, t, dim), and the attention's weights.

        kept : (2, b), by what the two branches of each image are multiplied; 0 drops one.
        """
        mixed, weights = self.attn(self.norm1(tokens))
        tokens = tokens + kept[0, :, None, None] * mixed
        return tokens + kept[1, :, None, None] * self.mlp(self.norm2(tokens)), weights


class Patches(nn.Module):
    """Pixels to patch tokens; what is less than a patch at the right and below is left out."""

    def __init__(self, patch: int, dim: int):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)

    def forward(self, pixels: Tensor) -> Tensor:
        """(b, 3, h, w) to (b, dim, h // patch, w // patch)."""
        found: Tensor = self.proj(pixels)
        return found


class ClassTokenVit(nn.Module):
    """The transformer. cells : side of the square of patches that positions are learned for."""

    def __init__(self, classes: int, *, depth: int, dim: int, heads: int, patch: int, cells: int):
        super().__init__()
        self.count, self.cells = classes, cells
        self.patch_embed = Patches(patch, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, classes, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, classes + cells**2, dim))
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.apply(_initialised)
        for tokens in (self.cls_token, self.pos_embed):
            nn.init.trunc_normal_(tokens, std=STD)

    def forward(self, pixels: Tensor, kept: Tensor | None = None) -> Seen:
        """Look at (b, 3, h, w) normalised pixels, of at least a patch.

        kept : (depth, 2, b), see `kept_branches`; None: all.
        """
        patches = self.patch_embed(pixels)
        grid, b = patches.shape[2:], len(pixels)
        tokens = torch.cat([self.cls_token.expand(b, -1, -1), _as_tokens(patches)], dim=1)
        tokens = tokens + self.positions((grid[0], grid[1]))
        kept = tokens.new_ones(len(self.blocks), 2, b) if kept is None else kept
        found = []
        for block, own in zip(self.blocks, kept, strict=True):
            tokens, weights = block(tokens, own)
            found.append(weights.detach())
        after = tokens[:, self.count :].transpose(1, 2).reshape(patches.shape)
        return Seen(tokens[:, : self.count], after, torch.cat(found, dim=1))

    def positions(self, grid: tuple[int, int]) -> Tensor:
        """Positions of class tokens and of a grid of patches: (1, t, dim), bicubic."""
        classes, patches = self.pos_embed[:, : self.count], self.pos_embed[:, self.count :]
        return torch.cat([classes, resized_positions(patches, self.cells, grid)], dim=1)


def resized_positions(patches: Tensor, cells: int, grid: Sequence[int]) -> Tensor:
    """Positions (1, cells^2, dim) of a square of patches for another grid: (1, n, dim)."""
    if tuple(grid) == (cells, cells):
        return patches
    square = patches.transpose(1, 2).reshape(1, -1, cells, cells)
    size = [int(side) for side in grid]
    return _as_tokens(F.interpolate(square, size=size, mode="bicubic", align_corners=False))


def kept_branches(drop: float, chances: Tensor) -> Tensor:
    """Stochastic depth: the later a block, the likelier an image skips it.

    Parameters
    ----------
    drop : chance of the last block. chances : (depth, 2, b), uniform in [0, 1).

    Returns
    -------
    (depth, 2, b): 0, or 1 / (1 - p), so that the mean stays.
    """
    rising = torch.linspace(0, drop, len(chances), device=chances.device)[:, None, None]
    return (chances >= rising).float() / (1 - rising)


def _as_tokens(patches: Tensor) -> Tensor:
    return patches.flatten(2).transpose(1, 2)  # (b, n, dim)


def _initialised(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=STD)
        nn.init.zeros_(module.bias)
