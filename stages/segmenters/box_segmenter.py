"""What the segmenters share that answer boxes alone: one mask for each box, in slot 0.

In comes an image, then boxes; out goes for each box one map of logits at the size of the image. A
point beside a box is not looked at, several masks (`multimask`) are never given, and a prompt
without a box is refused. What such a segmenter has no estimate of, its own quality, is 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from stages.segmenters.full_size import cut
from stages.segmenters.prompt_batches import answers
from stages.segmenters.segmenter import Answered, Asked

SURE = 10.0  # logit of a pixel that is in, its negative of one that is out, where there is no shade
OFFSET = 1.0  # logits; of the stability score, as SAM's


class BoxSegmenter(ABC):
    """Asks about one image after the other, box by box.

    Attributes
    ----------
    name : of the segmenter, for its sentences. pixels : (height, width, 3) uint8 RGB, the image.
    side : 1 px; boxes are looked at in the image's own pixels, so no close-up is too small.
    """

    name: str
    pixels: np.ndarray

    @property
    def side(self) -> int:
        """Px of the least close-up that tells more than the image."""
        return 1

    def embed(self, pixels: np.ndarray) -> None:
        """Look at an image, (height, width, 3) uint8 RGB; all the work is done when asked."""
        self.pixels = pixels

    def ask(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool = False
    ) -> Iterator[Answered]:
        """Yield the mask of each prompt, in order, in one slot.

        Raises
        ------
        ValueError : a prompt without a box.
        """
        for prompt in prompts:
            if prompt.box is None:
                raise ValueError(
                    f"propose.segmenter: {self.name} answers boxes alone, but was asked with "
                    "points. Set prepare.labels: box, or propose.segmenter: sam."
                )
            found, quality = self.answer(prompt.box)
            scores = torch.tensor([[quality]], dtype=torch.float32)
            maps = torch.from_numpy(found)[None, None]  # (1 prompt, 1 slot, height, width)
            yield answers(cut(maps, threshold=0.0, offset=OFFSET, logits=logits), scores)[0]

    @abstractmethod
    def answer(self, box: np.ndarray) -> tuple[np.ndarray, float]:
        """The mask of one box.

        Parameters
        ----------
        box : (4,) xyxy px of the image.

        Returns
        -------
        (height, width) float32 logits, above 0 inside the mask, and the estimate of its quality, 0
        to 1.
        """


def hard_logits(mask: np.ndarray) -> np.ndarray:
    """Logits of a mask without shades: (height, width) bool to float32."""
    return np.where(mask, np.float32(SURE), np.float32(-SURE))
