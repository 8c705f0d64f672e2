"""Dropout that draws from the seed, the step and the image alone.

OICR's and MIST's code has 0.5 behind fc6 and fc7 (WeakSAM, Sec. 3.3, on VGG-16). A training that
was killed goes on with the same draws, and those of an image do not depend on the batch that it is
in, nor on the process that has it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from stages.runtime.randomness import Purpose, rng_of

SEEDS = 2**63  # of torch's generators


class ImageDropout(nn.Module):
    """Sets a share of numbers to 0, and scales the others so that their mean stays.

    Only in training mode; it has no weights and no state beside the step's generators.

    Parameters
    ----------
    rate : share in [0, 1); 0 changes nothing and draws nothing.
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate
        self.generators: list[torch.Generator] = []

    def begin(
        self, image_ids: Sequence[int], *, seed: int, step: int, device: torch.device
    ) -> None:
        """Draw anew from here, for the images of a step."""
        if not self.rate:
            return
        rngs = [rng_of(seed, Purpose.DROPOUT, step, image_id) for image_id in image_ids]
        self.generators = [
            torch.Generator(device).manual_seed(int(rng.integers(SEEDS))) for rng in rngs
        ]

    def forward(self, vectors: Tensor, counts: Sequence[int]) -> Tensor:
        """(r, hidden) to the same; counts : rows of each image, in the order of `begin`."""
        if not self.training or not self.rate:
            return vectors
        drawn = [
            torch.rand(count, vectors.shape[1], generator=generator, device=vectors.device)
            for count, generator in zip(counts, self.generators, strict=True)
        ]
        kept = torch.cat(drawn) >= self.rate  # (r, hidden)
        return vectors * (kept.to(vectors.dtype) / (1 - self.rate))
