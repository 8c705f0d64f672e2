"""The networks of clues: what tells, from tags alone, where in an image a class is.

WeakSAM, Sec. 3.1 and App. F.1 (Table 8): whose clues they are can be exchanged. Their
modules have, beside what `stages.learning.prompt_networks` asks of all that learns to prompt,
* `opened_learner(fit, propose, *, classes, folder, device, cache, fresh) -> ClueLearner`; classes:
  their number.
`fresh` tells that a training begins: else what it started from is not read again.
What is trained by other means, such as CLIP, needs no learner: the prompter `clues` asks a
`ClueProvider` for nothing but maps.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from torch import Tensor, nn

CLASS_MAPS = ("coarse", "fine")  # a map per class; those of "cross" are of no class
MAPS = {"conv": ("coarse",), "vit": ("coarse", "fine", "cross")}  # that a network has


@dataclass(frozen=True, slots=True)
class Looks:
    """How often an image is looked at, and what is wanted of it.

    Attributes
    ----------
    names : of the maps.
    scales : of the network's input. flip : look at the mirrored image too.
    layers : whose attention is wanted, from 0; None: of all.
    """

    names: tuple[str, ...] = ("coarse",)
    scales: tuple[float, ...] = (1.0,)
    flip: bool = True
    layers: tuple[int, ...] | None = None


class ClueProvider(Protocol):
    """Tells where the classes of an image are."""

    def maps(
        self, image: "Mapping[str, Any]", columns: "Sequence[int]", looks: Looks
    ) -> "Mapping[str, Sequence[np.ndarray] | np.ndarray]":
        """Maps of one image, float32 from 0 to 1, each (height, width) px of the image itself.

        Parameters
        ----------
        image : row of table `images`.
        columns : places of the image's tags among all classes, at least one.

        Returns
        -------
        By name, those that `looks` wants: "coarse" and "fine" have a map per tag, in the order of
        `columns`; "cross" has any number.
        """


class ClueLearner(ClueProvider, Protocol):
    """A provider that learns from tags.

    Attributes
    ----------
    network : its weights, on the device on which it computes.
    """

    network: "nn.Module"

    def read(
        self, image: "Mapping[str, Any]", *, flip: bool, rng: "np.random.Generator"
    ) -> "Tensor":
        """What a training step needs of an image, on the CPU; `rng` decides what is changed."""

    def loss(
        self,
        images: "Sequence[Tensor]",
        keys: "Sequence[Any]",
        tags: "Tensor",
        rng: "np.random.Generator",
    ) -> "tuple[Tensor, dict[str, float]]":
        """Loss of a step, and its parts for the log.

        Parameters
        ----------
        images : what `read` made of the keys: rows of table `images`, and whether mirrored.
        tags : (b, classes) float, 1 for each tag. rng : of the step, for what is random in it.
        """

    def tag_logits(self, image: "Mapping[str, Any]") -> "Tensor":
        """(classes,) on the CPU: which classes the network sees in an image, above 0 if likely."""
