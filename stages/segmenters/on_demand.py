"""The segmenter that the settings choose: its weights are checked at once, itself opened when due.

Where all answers are kept from an earlier run, or a shard is empty, no model is loaded.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock, local
from typing import TYPE_CHECKING, Any

from stages.runtime.code import code_of
from stages.runtime.device import Device
from stages.runtime.doors import opened
from stages.runtime.provenance import provenance_of
from stages.segmenters.segmenter import SEGMENTERS, Segmenter
from stages.settings.propose import Propose
from stages.settings.readers import chosen
from stages.settings.section import provenance_values

if TYPE_CHECKING:
    import torch

PACKAGES = ("pycocotools", "opencv-python-headless", "numpy")  # of what becomes of the answers


class OnDemand:
    """Opens the segmenter of section `propose` on its first question, one for each thread.

    Attributes
    ----------
    module : name of the module behind the door. digest : SHA-256 of the weights.
    packages : names of the installed packages whose versions matter.
    values : section `propose` as plain values: shared keys and the segmenter's own block.

    Raises
    ------
    ValueError : the weights are missing or not the wanted ones.
    """

    def __init__(self, settings: Propose, device: Device, model: Path | None = None):
        """`device` is called when the model is loaded: a lease is taken no earlier.

        model : that stage `fit_propose` has trained, or the config has named, of a segmenter that
            learns; None for all others.
        """
        self.settings, self.device = settings, device
        self.trained = trained_model(settings.segmenter, model)
        self.module = SEGMENTERS[settings.segmenter].module
        self.block = getattr(settings, settings.segmenter, None)
        self.values = chosen("propose", provenance_values(settings))
        method = opened(self.module)
        self.digest: str = method.model_digest(self.block, **self.trained)
        self.packages = frozenset({*PACKAGES, *method.PACKAGES})
        self._own, self._opening = local(), Lock()

    def __call__(self) -> Segmenter:
        """The segmenter, on a thread the same one each time: it remembers the image it looks at."""
        found: Segmenter | None = getattr(self._own, "segmenter", None)
        if found is None:
            with self._opening:
                opener = opened(self.module).opened_segmenter
                found = opener(self.block, device=self._leased, **self.trained)
            self._own.segmenter = found
        return found

    @cached_property
    def _leased(self) -> "torch.device":
        return self.device()

    def facts(self, asker: str, settings: Mapping[str, Any], *, seed: int = 0) -> dict[str, Any]:
        """What every answer depends on, beside the image and what is asked about it.

        Parameters
        ----------
        asker : module that asks, such as "stages.segmenters.proposing".
        settings : plain values that decide the answers. seed : where random numbers are drawn.
        """
        return provenance_of(
            asker,
            settings=settings,
            seed=seed,
            packages=self.packages,
            code=code_of(asker, self.module),
            model_sha256=self.digest,
        )


def trained_model(segmenter: str, model: Path | None) -> dict[str, Path]:
    """What a segmenter is opened with beside its keys: its trained network, where it learns.

    Raises
    ------
    ValueError : it learns and there is no model, or the other way round.
    """
    learns = bool(SEGMENTERS[segmenter].fit)
    if learns and model is None:
        raise ValueError(
            f"propose.segmenter: {segmenter} needs --model, and none was given. Run fit_propose, "
            f"or set propose.{segmenter}.model."
        )
    if model is not None and not learns:
        raise ValueError(
            f"--model is {model}, but propose.segmenter is {segmenter}, which is trained by "
            "nobody here. Leave the flag out."
        )
    return {} if model is None else {"model": model}
