"""The door to the segmenters: promptable models that answer prompts with masks.

A module behind it has
* `PACKAGES`: names of the installed packages whose versions matter;
* `model_digest(settings) -> str`: SHA-256 of the weights, "" where it has none; it raises
  ValueError where they are missing or not the wanted ones, and loads nothing;
* `opened_segmenter(settings, *, device: torch.device) -> Segmenter`.
`settings` is the block of section `propose` that bears the name. Its keys `checkpoint`, a weight
file, and `sha256`, or `path`, a folder as `transformers` writes it, are known to the plan, which
looks for the files and watches them.

A segmenter that learns from the weak labels has in its door the module that trains its network
(`fit`; program fit_propose), which has
* `trained(args, settings, facts)`: trains, or goes on where it was cut, and writes model and log;
* `facts_of_fit(settings) -> dict`: what the training depends on beside settings and code, for
  provenance: `packages` and checksums of weights; raises ValueError where a file is missing.
`settings` is section `propose`. The first two functions above then take the network as `model`,
a path. Its block has a key `model`, a network that another run has trained, or null. Salient images
are given to those alone whose door says that they read them.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from stages.runtime.doors import Method

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

SEGMENTERS = {  # by propose.segmenter
    "sam": Method("stages.segmenters.sam", settings="stages.settings.segmenters.sam"),
    "transformers": Method(
        "stages.segmenters.transformers", settings="stages.settings.segmenters.transformers"
    ),
    "filled": Method("stages.segmenters.filled"),
    "ellipse": Method("stages.segmenters.ellipse"),
    "grabcut": Method("stages.segmenters.grabcut", settings="stages.settings.segmenters.grabcut"),
    "saliency": Method(
        "stages.segmenters.saliency", settings="stages.settings.segmenters.saliency"
    ),
    "boxcaseg": Method(
        "stages.segmenters.boxcaseg",
        settings="stages.settings.segmenters.boxcaseg",
        fit="stages.learning.crop_fitting",
        salient=True,
    ),
    "sim": Method(
        "stages.segmenters.sim_teacher",
        settings="stages.settings.segmenters.sim",
        fit="stages.learning.sim_fitting",
        former=("refine",),
    ),
}
BOXES_ALONE = ("filled", "ellipse", "grabcut", "saliency", "boxcaseg", "sim")  # answer no points
SHAPES = ("filled", "ellipse")  # of those, what does not look at the image


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt, in px of the image that was embedded last.

    points : (p, 2) float32 x, y, or None. signs : (p,) int, 1 on the object, 0 beside it, or None.
    box : (4,) float32 xyxy, or None.
    """

    points: "np.ndarray | None"
    signs: "np.ndarray | None"
    box: "np.ndarray | None"


@dataclass(frozen=True, slots=True)
class Answered:
    """What a segmenter says to one prompt, in s slots.

    logits : (s, height, width) float32, above 0 inside the mask. masks : (s, height, width) bool.
    predicted_iou : (s,) float32, its own estimate. stability : (s,) float32, 0 to 1, the IoU of the
    mask at two thresholds. chances : (s, height, width) float32, 0 to 1, where column `soft` of
    table proposals is to keep them; None: nobody reads them.
    """

    logits: "np.ndarray | None"
    masks: "np.ndarray"
    predicted_iou: "np.ndarray"
    stability: "np.ndarray"
    chances: "np.ndarray | None" = None


class Segmenter(Protocol):
    """A promptable model: an image is embedded once, and then asked about."""

    @property
    def side(self) -> int:
        """Px of the longer side of the image as the model sees it."""

    def embed(self, pixels: "np.ndarray") -> None:
        """Look at an image, (height, width, 3) uint8 RGB; costs far more than a question."""

    def ask(
        self, prompts: "Sequence[Asked]", *, multimask: bool, logits: bool = False
    ) -> "Iterator[Answered]":
        """Yield the masks of each prompt, in order, of the image that was embedded last.

        They come as they are made, so that no more than a batch of them waits in memory; all are to
        be taken before the next image is embedded.

        Parameters
        ----------
        multimask : several masks for each prompt, where the model has them; False: its single one.
        logits : whether the logits are wanted too; else they are None.
        """
