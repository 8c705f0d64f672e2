"""The two heads that see masks, mixed: what is trained on salient images, and asked.

BoxCaseg (CVPR 2021), Sec. 3.3 and Table 6. The prose reads as if 0.7 were the transferred head's
share, the public code gives it to the salient head (`fcn_ratio`); we follow the code. Any share
from 0.3 to 0.7 gives nearly the same there.
"""

from torch import Tensor


def mixed_logits(salient: Tensor, transferred: Tensor, *, salient_weight: float) -> Tensor:
    """Logits of both heads, the salient ones `salient_weight` (0 to 1) of the sum; any shape."""
    return salient_weight * salient + (1 - salient_weight) * transferred
