"""Prompts in batches of what is alike, whichever model answers them.

On a CPU larger batches gain nothing and cost memory; on a GPU they do gain. What a batch takes is
its masks at the size of the photograph, so on a large one it is smaller. When a GPU runs out of
memory the batch is halved and the work goes on.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from stages.runtime.program import say
from stages.segmenters.full_size import FullSize
from stages.segmenters.segmenter import Answered, Asked

SLOTS = 3  # masks of a prompt, where all are wanted
MASK_BYTES = 6  # of a pixel of one: a float32 logit, its side of the threshold, what is counted


class BatchedSegmenter(ABC):
    """Asks a model a batch at a time.

    Attributes
    ----------
    name : of the segmenter, for its sentences. batch : prompts at a time, at most.
    mask_memory : MiB of full-size masks at a time, at most, but for those of one prompt.
    size : (height, width) px of the image that was embedded last.
    """

    name: str
    batch: int
    mask_memory: int
    size: tuple[int, int]

    def ask(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool = False
    ) -> Iterator[Answered]:
        """Yield the masks of each prompt, in order: three slots, or with `multimask` False one."""
        done = 0
        while done < len(prompts):
            batch = _alike(prompts[done : done + self._most(multimask)])
            try:
                answered = self._ask_batch(batch, multimask=multimask, logits=logits)
            except torch.cuda.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                torch.cuda.empty_cache()
                self.batch = max(1, len(batch) // 2)
                say(self.name, f"GPU memory is short: {self.batch} prompts at a time from now on.")
                continue
            yield from answered
            done += len(batch)

    def _most(self, multimask: bool) -> int:
        """Prompts whose masks fit into `mask_memory`, at least one."""
        pixels = self.size[0] * self.size[1] * (SLOTS if multimask else 1)
        return max(1, min(self.batch, (self.mask_memory << 20) // (pixels * MASK_BYTES)))

    @abstractmethod
    def _ask_batch(
        self, prompts: Sequence[Asked], *, multimask: bool, logits: bool
    ) -> list[Answered]:
        """The answers to prompts that are alike."""


def stacked(
    prompts: Sequence[Asked],
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Points (n, p, 2) float32, their signs (n, p) and boxes (n, 4) of n prompts that are alike."""
    points = signs = boxes = None
    if prompts[0].points is not None:
        points = np.stack([p.points for p in prompts if p.points is not None]).astype(np.float32)
        signs = np.stack([p.signs for p in prompts if p.signs is not None])
    if prompts[0].box is not None:
        boxes = np.stack([p.box for p in prompts if p.box is not None]).astype(np.float32)
    return points, signs, boxes


def answers(found: FullSize, scores: Tensor) -> list[Answered]:
    """What a model said, as one answer for each of n prompts.

    Parameters
    ----------
    found : s masks of each prompt. scores : (n, s), its own estimate of them.
    """
    iou, logits = scores.cpu().numpy(), found.logits
    return [
        Answered(None if logits is None else logits[i], mask, iou[i], found.stability[i])
        for i, mask in enumerate(found.masks)
    ]


def _alike(prompts: Sequence[Asked]) -> Sequence[Asked]:
    """The leading prompts of the shape of the first: only these form one batch."""
    wanted = _shape(prompts[0])
    for number, prompt in enumerate(prompts):
        if _shape(prompt) != wanted:
            return prompts[:number]
    return prompts


def _shape(prompt: Asked) -> tuple[int, bool]:
    """Number of points, -1 for none at all, and whether there is a box."""
    return (-1 if prompt.points is None else len(prompt.points), prompt.box is not None)
