"""What labels, proposals and detections are worth where no label comes from a known object. Pure.

WeakSAM, Tables 4, 5 and 7, image by image: labels and objects are matched by IoU (`matching`),
proposals have their recall, and the detections of the tags' bag CorLoc and AP50. CorLoc and AP50
are those of training images, whose tags are known: a class beyond the tags has no detections. What
an image holds comes as a `MatchedImage`.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.metrics.calibration import Calibration
from stages.metrics.corloc import CorLoc
from stages.metrics.matching import BOXES, MASKS, Matching
from stages.metrics.proposal_recall import ProposalRecall
from stages.metrics.shapes import Shapes
from stages.metrics.voc_ap50 import VocAp50

TAG_COUNTS = ("tags", "images", "without_label", "without_object", "untagged")


@dataclass(frozen=True, slots=True)
class Detections:
    """Every box of an image's bag of tags with its score for one class of the tags.

    boxes : category_id, boxes (n, 4) xyxy px as the method moved them, and scores.
    own : (n, 4) xyxy px, the proposals' own boxes.
    two_branch : (n,) score of the two-branch head alone; None where the method has none.
    selected : (n,) bool, those that the method took for detections.
    """

    boxes: Shapes
    own: np.ndarray
    two_branch: np.ndarray | None
    selected: np.ndarray


@dataclass(frozen=True, slots=True)
class MatchedImage:
    """What is known of one image.

    tags : classes of its tags, without those deleted.
    labels : its pseudo-labels, or None where no labels were given at all.
    proposals : (n, 4) xyxy px, of all its bags; detections : of its tags. Both are None where no
        tables were given; detections too where it has no tag.
    objects, ignored : true ones, and crowds; None where there is no ground truth at all.
    """

    tags: Collection[int]
    labels: Shapes | None
    proposals: np.ndarray | None
    detections: Detections | None
    objects: Shapes | None
    ignored: Shapes | None


class MatchJudge:
    """Collects all numbers, one image after the other.

    Parameters
    ----------
    is_masked : whether all labels and true objects have masks, so that those are matched as well.
    """

    def __init__(self, *, is_masked: bool):
        kinds = (BOXES, MASKS) if is_masked else (BOXES,)
        self.matchings = {kind: Matching(kind) for kind in kinds}
        self.calibration = Calibration()
        self.recall, self.average = ProposalRecall(), VocAp50()
        self.refined, self.two_branch = CorLoc(), CorLoc()
        self.counts: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()  # images by what was measured on them

    def image(self, image: MatchedImage) -> None:
        """Count one image."""
        self.counts.update(images=bool(image.tags), tags=len(image.tags))
        if image.labels is not None:
            self.seen["given"] += 1
            labelled = set(image.labels.category_id.tolist())
            self.counts["without_label"] += len(set(image.tags) - labelled)
        if image.objects is None or image.ignored is None:
            return
        self.seen.update(images=1, objects=len(image.objects))
        if image.tags:
            self._count_tags(image.tags, image.objects)
        if image.labels is not None:
            self._match(image.labels, image.objects, image.ignored)
        if image.proposals is not None:
            self.seen["proposed"] += 1
            self.recall.image(image.proposals, image.objects)
        if image.detections is not None:
            self._detect(image.tags, image.detections, image.objects, image.ignored)

    def _count_tags(self, tags: Collection[int], objects: Shapes) -> None:
        """Tags and objects that do not go together: those of files by others, or deleted ones."""
        there = objects.category_id.tolist()
        self.counts["without_object"] += len(set(tags) - set(there))
        self.counts["untagged"] += sum(category_id not in tags for category_id in there)

    def _match(self, labels: Shapes, objects: Shapes, ignored: Shapes) -> None:
        self.seen["labelled"] += 1
        for kind, matching in self.matchings.items():
            best = matching.image(labels, objects, ignored)
            if kind == MASKS and labels.scores is not None:
                kept = ~np.isnan(best)
                for score, overlap in zip(labels.scores[kept], best[kept], strict=True):
                    self.calibration.add(float(score), float(overlap))

    def _detect(
        self, tags: Collection[int], found: Detections, objects: Shapes, ignored: Shapes
    ) -> None:
        self.seen["detected"] += 1
        boxes = found.boxes
        assert boxes.scores is not None
        for category_id in sorted(set(tags) & set(objects.category_id.tolist())):
            goals, mine = objects.of_class(category_id).boxes, boxes.category_id == category_id
            self.refined.add(category_id, boxes.scores[mine], boxes.boxes[mine], goals)
            if found.two_branch is not None:
                self.seen["two_branch"] += len(found.two_branch)
                self.two_branch.add(category_id, found.two_branch[mine], found.own[mine], goals)
        kept = found.selected
        taken = Shapes(boxes.category_id[kept], boxes.boxes[kept], None, boxes.scores[kept])
        self.average.image(taken, objects, ignored)

    def summary(self) -> dict[str, Any]:
        """Everything measured; None for what there was nothing to measure of.

        Returns
        -------
        {"label_match": {"images", "boxes" and "masks": as `Matching.summary`, each of
        `Calibration.summary`}, "proposals": as `ProposalRecall.summary`, "wsod": {"images",
        "corloc", "corloc_two_branch": as `CorLoc.summary`, "ap50": as `VocAp50.summary`},
        "tags": {each of TAG_COUNTS: "tags" and the "images" that have one, tags "without_label" of
        their class and "without_object", and objects whose class is "untagged" in a tagged image}}.
        """
        return {
            "label_match": self._label_match() if self.seen["labelled"] else None,
            "proposals": self.recall.summary() if self.seen["proposed"] else None,
            "wsod": self._wsod() if self.seen["detected"] else None,
            "tags": self._tags() if self.counts["tags"] else None,
        }

    def _tags(self) -> dict[str, int | None]:
        """Counts of tags; None for what there was nothing to count by."""
        needs = {"without_label": "given", "without_object": "images", "untagged": "images"}
        return {
            name: self.counts[name] if name not in needs or self.seen[needs[name]] else None
            for name in TAG_COUNTS
        }

    def _label_match(self) -> dict[str, Any]:
        masks = self.matchings.get(MASKS)
        return {
            "images": self.seen["labelled"],
            BOXES: self.matchings[BOXES].summary(),
            MASKS: masks.summary() if masks else None,
            **self.calibration.summary(),
        }

    def _wsod(self) -> dict[str, Any]:
        return {
            "images": self.seen["detected"],
            "corloc": self.refined.summary(),
            "corloc_two_branch": self.two_branch.summary() if self.seen["two_branch"] else None,
            "ap50": self.average.summary(),
        }
