"""Label quality of a data set, image by image: each choice against the object it was made for.

SAPNet, Table 7. A choice is compared with the object that its weak label came from (instance_id =
annotation id); crowds are left out. A mask that was given is no choice of the pipeline: it is
counted and not scored. Pure: what an image holds comes as a `JudgedImage`.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.metrics.calibration import Calibration
from stages.metrics.choices import ScoredBag
from stages.metrics.drop_rates import DropRates
from stages.metrics.label_quality import LabelQuality, RefinedBoxes
from stages.metrics.mask_quality import MASK_IOU
from stages.metrics.object_quality import (
    PSEUDO_LABEL,
    TRUSTED,
    TrueObject,
    WrittenLabel,
    object_quality,
)
from stages.metrics.object_sizes import share_of, size_name, size_names

COUNTS = ("images", "instances", "given", "scored", "without_proposals", "without_truth")


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """What is known of one image; mappings are by instance.

    classes : category_id of the weak label.
    given : instances whose mask was given.
    bags : instances without proposals are not there.
    chosen : proposal_id of each choice that the pipeline made.
    refined : the boxes that `RefinedBoxes` names, xyxy px; instances without them are not there.
    rules : BMS's rule for each object that it saw.
    written : the pseudo-labels.
    objects : those with a mask; None where there is no ground truth at all.
    tags, born : how many tags the image has, and how many pseudo-labels were made of them; they
        come from no object, so that nothing here scores them.
    """

    classes: Mapping[int, int]
    given: Collection[int]
    bags: Mapping[int, ScoredBag]
    chosen: Mapping[int, Mapping[str, int]]
    refined: Mapping[int, Mapping[str, Sequence[float]]]
    rules: Sequence[str]
    written: Mapping[int, WrittenLabel]
    objects: Mapping[int, TrueObject] | None
    tags: int = 0
    born: int = 0


class Judge:
    """Collects label quality and counts, one image after the other.

    Parameters
    ----------
    limits : group_cover, local_cover and local_inside of `mask_statistics`.
    sizes : rising edges of the size classes, as shares of the image's area.
    """

    def __init__(self, limits: Mapping[str, float], sizes: Sequence[float]):
        self.limits, self.sizes = limits, sizes
        self.quality, self.refined = LabelQuality(), RefinedBoxes()
        self.calibration, self.drops = Calibration(), DropRates()
        self.counts: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()  # of BMS
        self.tags: Counter[str] = Counter()  # what is not scored here: tags and labels of them
        self.untrusted = 0  # scored pseudo-labels whose box alone is to be trained

    def image(self, image: JudgedImage) -> dict[int, float]:
        """Count one image.

        Returns
        -------
        Mask IoU with the true object, by instance, of each label that is scored.

        Raises
        ------
        ValueError : a weak label and its object are of different classes.
        """
        self.counts.update(images=1, instances=len(image.classes))
        self.tags.update(tags=image.tags, images=image.tags > 0, labels=image.born)
        self.rules.update(image.rules)
        found: dict[int, float] = {}
        for instance, category_id in image.classes.items():
            if instance in image.given:
                self.counts["given"] += 1
                continue
            written = image.written.get(instance)
            if written and written.agreement:
                self.drops.add(written.agreement)
            if instance not in image.bags:
                self.counts["without_proposals"] += 1
            elif image.objects is not None and instance not in image.objects:
                self.counts["without_truth"] += 1
            elif image.objects is not None:
                _check_class(instance, category_id, image.objects[instance])
                iou = self._score(image, instance, image.objects)
                if iou is not None:
                    found[instance] = iou
        return found

    def _score(
        self, image: JudgedImage, instance: int, objects: Mapping[int, TrueObject]
    ) -> float | None:
        """Take in one object; the mask IoU of its label, where it has one."""
        goal, written = objects[instance], image.written.get(instance)
        rest = [other for key, other in objects.items() if key != instance]
        quality = object_quality(
            image.bags[instance],
            image.chosen.get(instance, {}),
            written,
            truth=goal,
            others=[other.rle for other in rest if other.category_id == goal.category_id],
            limits=self.limits,
        )
        self.counts["scored"] += 1
        size = size_name(share_of(goal.rle), self.sizes)
        self.quality.add(goal.category_id, quality, difficulty=goal.difficulty, size=size)
        if instance in image.refined:
            self.refined.add(image.refined[instance], goal.box)
        if not written:
            return None
        iou = float(quality.statistics[PSEUDO_LABEL][MASK_IOU])
        self.untrusted += not written.is_trusted
        self.calibration.add(written.score, iou)
        return iou

    def summary(self, *, categories: int) -> dict[str, Any]:
        """Everything measured; the choice `trusted` is there where some label is not.

        Parameters
        ----------
        categories : how many classes the data set has.
        """
        choices, gaps = self.quality.means(categories=categories), self.quality.gaps()
        if not self.untrusted:
            choices.pop(TRUSTED, None)
            gaps.pop(TRUSTED, None)
        return {
            "choices": choices,
            "sizes": size_names(self.sizes),  # in their order, which that of keys is not
            "gap": gaps,
            "refined_box_iou": self.refined.means(),
            **self.calibration.summary(),
        }


def _check_class(instance: int, category_id: int, goal: TrueObject) -> None:
    if category_id != goal.category_id:
        raise ValueError(
            f"instance {instance} has class {category_id}, but {goal.category_id} in the ground "
            "truth. Give the file that the labels came from."
        )
