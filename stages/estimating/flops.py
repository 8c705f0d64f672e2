"""Work of a SAM, counted on its architecture: nothing is computed, and no weights are needed.

A multiplication with its addition counts as two operations. PyTorch's own counter counts them on
modules without memory (device `meta`): convolutions and matrix products; all else is left out.
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from stages.segmenters.sam_loading import BUILDERS

TOKENS = 2  # that a prompt of one point becomes: itself, and a point that is none
TINY = "vit_tiny"  # small, and made of numbers that it computes with when it is built


@dataclass(frozen=True, slots=True)
class Work:
    """Of one SAM.

    encoder : FLOP of an image. decoder : FLOP of a prompt of one point with three masks.
    parameters : numbers of 4 bytes. embedding : bytes of what the encoder gives, float32.
    """

    encoder: int
    decoder: int
    parameters: int
    embedding: int


@cache
def work_of(model: str) -> Work:
    """The work of the architecture that `propose.sam.model` names."""
    with torch.device("cpu" if model == TINY else "meta"):
        sam = BUILDERS[model]()
    sam = sam.to("meta")
    side = sam.image_encoder.img_size
    cells = sam.prompt_encoder.image_embedding_size
    shape = (1, sam.prompt_encoder.embed_dim, *cells)
    with torch.no_grad(), torch.device("meta"):
        encoder = FlopCounterMode(display=False)
        with encoder:
            sam.image_encoder(torch.empty(1, 3, side, side))
        decoder = FlopCounterMode(display=False)
        with decoder:
            sam.mask_decoder(
                image_embeddings=torch.empty(shape),
                image_pe=torch.empty(shape),
                sparse_prompt_embeddings=torch.empty(1, TOKENS, shape[1]),
                dense_prompt_embeddings=torch.empty(shape),
                multimask_output=True,
            )
    return Work(
        encoder=encoder.get_total_flops(),
        decoder=decoder.get_total_flops(),
        parameters=sum(weight.numel() for weight in sam.parameters()),
        embedding=4 * math.prod(shape),
    )
