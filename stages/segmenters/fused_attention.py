"""SAM's image encoder with PyTorch's own attention, in one kernel.

The stock encoder multiplies, adds the relative positions, takes the softmax and multiplies again,
each a pass through memory: 1 GB of it in each of the four global blocks of vit_h. The kernel is
given the positions as a bias, which is as large and written once; it rounds otherwise, so masks
differ by single pixels.
"""

import torch
from segment_anything.modeling import Sam
from segment_anything.modeling.image_encoder import Attention, get_rel_pos
from torch import Tensor, nn
from torch.nn import functional as F


def with_fused_attention(sam: Sam) -> Sam:
    """The same SAM, its image encoder changed in place."""
    for block in sam.image_encoder.blocks:
        block.attn = FusedAttention(block.attn)
    return sam


class FusedAttention(nn.Module):
    """What a stock attention computes, in one kernel.

    Parameters
    ----------
    stock : whose weights are used.
    """

    def __init__(self, stock: Attention):
        super().__init__()
        self.stock = stock

    def forward(self, x: Tensor) -> Tensor:
        """(b, h, w, c) cells of windows or images to (b, h, w, c)."""
        b, h, w, _ = x.shape
        qkv = self.stock.qkv(x).reshape(b, h * w, 3, self.stock.num_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (b, heads, h * w, channels of a head)
        bias = self._bias(q, h, w) if self.stock.use_rel_pos else None
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=self.stock.scale)
        out: Tensor = self.stock.proj(found.transpose(1, 2).reshape(b, h, w, -1))
        return out

    def _bias(self, q: Tensor, h: int, w: int) -> Tensor:
        """(b, heads, h * w, h * w): what the relative positions add, as in segment_anything."""
        down = get_rel_pos(h, h, self.stock.rel_pos_h)  # (h, h, c)
        across = get_rel_pos(w, w, self.stock.rel_pos_w)
        cells = q.reshape(*q.shape[:2], h, w, -1)
        of_rows = torch.einsum("bnhwc,hkc->bnhwk", cells, down)
        of_columns = torch.einsum("bnhwc,wkc->bnhwk", cells, across)
        return (of_rows[..., :, None] + of_columns[..., None, :]).flatten(4).flatten(2, 3)
