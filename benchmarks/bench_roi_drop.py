"""Whether RoI drop could tell wrong labels from sound ones: what it would drop of either.

    python -m benchmarks.bench_roi_drop results/retention/seed-1 --variants sam_top1 full
    python -m benchmarks.bench_roi_drop results/weaksam_demo/seed-3 --variants weaksam --match iou

Takes detectors that were trained without it, shows them their training images once more, and prints
for pairs of thresholds (WeakSAM, Eq. 1) the share of RoIs that would be dropped: of those that hold
an object whose label is wrong (its box has an IoU under 0.5 with the object's; of labels that were
born of tags, with each object of the class), of those whose label is sound, of those that lie on an
object that no label has (IoU of 0.5 at least) and are taught as background, and of the rest of the
background. A rule helps as far as it drops the first and the third, and neither of the others.
The ground truth is read here, after the training, to judge; no threshold is chosen by it.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stages.engines.hooks import kept_rois
from stages.engines.recipe import step_seed
from stages.engines.roi_heads import WeightedRoIHeads, roi_losses
from stages.engines.step_reader import StepReader
from stages.engines.torchvision import load_detector, losses_of
from stages.engines.training_images import StepSamples
from stages.engines.training_labels import Labels
from stages.geometry.boxes import box_iou, xywh_to_xyxy
from stages.learning.model_file import load_model
from stages.metrics.spread import summary
from stages.settings.section import from_values
from stages.settings.train import RoiDrop, Train

SOUND = 0.5  # box IoU of a label with its object
RULES = {
    "paper: any of cls 4, reg 1": RoiDrop(mode="any", cls=4.0, reg=1.0),
    "any of cls 4, reg 2": RoiDrop(mode="any", cls=4.0, reg=2.0),
    "any of cls 4, reg 4": RoiDrop(mode="any", cls=4.0, reg=4.0),
    "any of cls 2, reg 2": RoiDrop(mode="any", cls=2.0, reg=2.0),
    "code: both of cls 4, reg 4": RoiDrop(mode="both", cls=4.0, reg=4.0),
    "both of cls 2, reg 1": RoiDrop(mode="both", cls=2.0, reg=1.0),
    "both of cls 1, reg 1": RoiDrop(mode="both", cls=1.0, reg=1.0),
}
KINDS = ("wrong", "sound", "unseen", "background")


class Recording(WeightedRoIHeads):
    """Keeps, of its last forward, each RoI's losses, box, class (0: background), object's row."""

    def select_training_samples(self, proposals: Any, targets: Any) -> Any:
        """The RoIs that are trained, as torchvision draws them."""
        found = super().select_training_samples(proposals, targets)
        self.boxes, self.matched, self.labels = found[0], found[1], found[2]
        return found

    def _box_losses(
        self, logits: Tensor, deltas: Tensor, labels: Tensor, goals: Tensor
    ) -> dict[str, Tensor]:
        self.losses = roi_losses(logits, deltas, labels, goals)
        return super()._box_losses(logits, deltas, labels, goals)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("world", type=Path, nargs="+", help="folders of seeds of an ablation")
    parser.add_argument("--variants", nargs="+", default=["sam_top1", "full", "best"])
    parser.add_argument("--match", choices=("instance", "iou"), default="instance")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    for name in args.variants:
        rois = [rois_of(world, name, by_id=args.match == "instance") for world in args.world]
        print(f"\n{name}: {len(args.world)} worlds; wrong labels ", end="")
        print(spread([share for _, share in rois]))
        print(f"{'% dropped of RoIs of':28}{''.join(f'{kind:>16}' for kind in KINDS)}")
        for rule, drop in RULES.items():
            shares = [dropped(losses, drop) for losses, _ in rois]
            cells = [spread([share[kind] for share in shares]) for kind in KINDS]
            print(f"{rule:28}{''.join(f'{cell:>16}' for cell in cells)}", flush=True)


def rois_of(world: Path, variant: str, *, by_id: bool) -> tuple[dict[str, Tensor], float]:
    """Losses of the RoIs of all training images, by kind, (r, 2); the share of wrong labels."""
    folder = world / variant
    checkpoint = folder / "train/torchvision/model.pt"
    settings = from_values(Train, load_model(checkpoint)[1]["settings"], "train")
    path = folder / "export/pseudo_labels.json"
    labels, images = Labels(path), world / "partworld/train"
    facts = facts_of(path, images / "annotations.json", by_id=by_id)
    model: Any = load_detector(settings, checkpoint, torch.device("cpu"))[0].train()
    model.roi_heads.__class__ = Recording
    reader = StepReader(images / "images", labels, settings, seed=0)
    found: dict[str, list[Tensor]] = {kind: [] for kind in KINDS}
    for number, image_id in enumerate(labels.image_ids):
        torch.manual_seed(step_seed(0, number))  # anchors and RoIs are drawn
        sample = reader._sample(image_id, flip=False)
        with torch.no_grad():
            losses_of(model, StepSamples(number, [sample], settings.test_side))
        heads, (fits, missed) = model.roi_heads, facts[image_id]
        seen = missed * scale_of(sample.pixels.shape[1:], settings.test_side, settings.long_side)
        kinds = kinds_of(heads.labels[0], heads.matched[0], fits, heads.boxes[0].numpy(), seen)
        for kind in KINDS:
            found[kind].append(torch.stack(heads.losses, dim=1)[kinds == KINDS.index(kind)])
    every = np.concatenate([fits for fits, _ in facts.values()])
    return {kind: torch.cat(rows) for kind, rows in found.items()}, float((every < SOUND).mean())


def scale_of(size: Sequence[int], side: int, most: int) -> float:
    """How much torchvision enlarges an image of height and width `size`; a pixel is not told."""
    return min(side / min(size), most / max(size))


def facts_of(path: Path, truth: Path, *, by_id: bool) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Of each image how well its labels fit, in their order, and the objects that they miss.

    Parameters
    ----------
    path : pseudo_labels.json. truth : annotations of the same images; crowds are no objects.
    by_id : a label is of the object of its id; else of the one of its class that it fits best.

    Returns
    -------
    By image_id: (n,) IoU of boxes; (m, 4) xyxy px of objects of which no label is, by IoU SOUND.
    """
    labels = json.loads(path.read_text())
    own = {image["id"]: list[Any]() for image in labels["images"]}
    true = {image["id"]: list[Any]() for image in labels["images"]}
    for entry in labels["annotations"]:
        own[entry["image_id"]].append(entry)
    for entry in json.loads(truth.read_text())["annotations"]:
        if not entry.get("iscrowd") and entry["image_id"] in true:
            true[entry["image_id"]].append(entry)
    return {image_id: facts_of_image(own[image_id], true[image_id], by_id) for image_id in own}


def facts_of_image(
    labels: Sequence[Any], objects: Sequence[Any], by_id: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The same of one image; entries as COCO has them."""
    key = "id" if by_id else "category_id"
    boxes, true = boxes_of(labels), boxes_of(objects)
    ious = box_iou(boxes, true)  # (n, m)
    alike = np.array([[a[key] == b[key] for b in objects] for a in labels], dtype=bool)
    ious = np.where(alike.reshape(ious.shape), ious, 0)
    missed = ious.max(axis=0, initial=0) < SOUND
    return ious.max(axis=1, initial=0), true[missed]


def boxes_of(entries: Sequence[Any]) -> np.ndarray:
    """(n, 4) float32 xyxy px of COCO entries."""
    return xywh_to_xyxy(np.array([e["bbox"] for e in entries], dtype=np.float32).reshape(-1, 4))


def kinds_of(
    labels: Tensor, matched: Tensor, fits: np.ndarray, boxes: np.ndarray, missed: np.ndarray
) -> Tensor:
    """(r,) the place in KINDS of each RoI.

    Parameters
    ----------
    labels, matched : (r,) class, 0 for the background, and row of the label. fits : (n,) IoU of
    the labels. boxes : (r, 4), missed : (m, 4), of RoIs and of objects without a label, xyxy px.
    """
    on_missed = torch.from_numpy(box_iou(boxes, missed).max(axis=1, initial=0) >= SOUND)
    background = torch.where(on_missed, KINDS.index("unseen"), KINDS.index("background"))
    if not len(fits):
        return background
    is_sound = torch.from_numpy(fits >= SOUND)[matched]
    return torch.where(labels > 0, is_sound.long(), background)


def dropped(losses: Mapping[str, Tensor], drop: RoiDrop) -> dict[str, float]:
    """The share of the RoIs of each kind that would be dropped."""
    return {
        kind: float((~kept_rois(rows[:, 0], rows[:, 1], drop)).float().sum()) / max(len(rows), 1)
        for kind, rows in losses.items()
    }


def spread(values: Sequence[float]) -> str:
    """Mean ± sd over worlds, in %."""
    made = summary([100 * value for value in values])
    return f"{made['mean']:.1f}" + ("" if made["sd"] is None else f" ± {made['sd']:.1f}")


if __name__ == "__main__":
    main()
