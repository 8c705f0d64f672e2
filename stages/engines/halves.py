"""Two detectors that judge each other's images: who learns from which half, and who judges whom.

A detector that judges the labels that it learned from tells outliers, and believes what it could
learn by heart. Cross-fitting parts the images in two: each detector learns from one half, and an
image is judged by the one that has not learned from it. Source: the out-of-sample predictions of
confident learning (Northcutt et al., 2021, Sec. 3), with two folds; SAPNet, WeakSAM and SIM have
nothing of the kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.learning.model_file import load_model
from stages.runtime.randomness import Purpose, rng_of

HALVES = (1, 2)
ALL = 0  # of a detector that has learned from all images


def half_of(image_id: int, seed: int) -> int:
    """1 or 2: an image's half, by its id and the seed alone, so that a new one moves no other."""
    return 1 + int(rng_of(seed, Purpose.HALF, image_id).integers(2))


@dataclass(frozen=True, slots=True)
class Judges:
    """Model files by the half that each has learned from, ALL for a single one.

    seed : of the halves.
    """

    models: Mapping[int, Path]
    seed: int

    def of(self, image_id: int) -> Path:
        """The model that is asked about an image: of two the one that has not learned from it."""
        if ALL in self.models:
            return self.models[ALL]
        first, second = HALVES
        return self.models[second if half_of(image_id, self.seed) == first else first]


def judges_of(paths: Sequence[Path]) -> Judges:
    """The models that `train` wrote, told apart by their headers.

    Raises
    ------
    ValueError : a file is no model, or they are neither one detector of all images nor the two of
        one training in halves.
    """
    headers = [load_model(path)[1] for path in paths]
    models = {header.get("half", ALL): path for header, path in zip(headers, paths, strict=True)}
    seeds = {header.get("seed", 0) for header in headers}
    is_pair = len(paths) == len(HALVES) and set(models) == set(HALVES) and len(seeds) == 1
    if not is_pair and (len(paths) > 1 or ALL not in models):
        told = [f"half {header['half']}" if "half" in header else "all" for header in headers]
        learned = ", ".join(f"{p} from {what}" for p, what in zip(paths, told, strict=True))
        raise ValueError(
            f"--model: {learned}, with seeds {sorted(seeds)}. Give one detector that has learned "
            "from all images, or the two of the two halves of one seed."
        )
    return Judges(models, seeds.pop())
