"""Whether RoI drop could tell wrong labels from sound ones: what it would drop of either.

    python -m benchmarks.bench_roi_drop results/retention/seed-1 --variants sam_top1 full

Takes detectors that were trained without it, shows them their training images once more, and prints
for pairs of thresholds (WeakSAM, Eq. 1) the share of RoIs that would be dropped: of those that hold
an object whose label is wrong (its box has an IoU under 0.5 with the object's), of those whose
label is sound, and of the background. A threshold helps as far as the first is above the second.
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
from stages.engines.torchvision import load_detector, losses_of
from stages.engines.training_images import StepSamples
from stages.engines.training_labels import Labels, StepReader
from stages.geometry.boxes import box_iou, xywh_to_xyxy
from stages.learning.trainer import load_model
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
KINDS = ("wrong", "sound", "background")


class Recording(WeightedRoIHeads):
    """Keeps, of its last forward, each RoI's losses, class (0: background) and object's row."""

    def select_training_samples(self, proposals: Any, targets: Any) -> Any:
        """The RoIs that are trained, as torchvision draws them."""
        found = super().select_training_samples(proposals, targets)
        self.matched, self.labels = found[1], found[2]
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
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    for name in args.variants:
        rois = [rois_of(world, name) for world in args.world]
        print(f"\n{name}: {len(args.world)} worlds; wrong labels ", end="")
        print(spread([share for _, share in rois]))
        print(f"{'% dropped of RoIs of':28}{''.join(f'{kind:>16}' for kind in KINDS)}")
        for rule, drop in RULES.items():
            shares = [dropped(losses, drop) for losses, _ in rois]
            cells = [spread([share[kind] for share in shares]) for kind in KINDS]
            print(f"{rule:28}{''.join(f'{cell:>16}' for cell in cells)}", flush=True)


def rois_of(world: Path, variant: str) -> tuple[dict[str, Tensor], float]:
    """Losses of the RoIs of all training images, by kind, (r, 2); the share of wrong labels."""
    folder = world / variant
    checkpoint = folder / "train/torchvision/model.pt"
    settings = from_values(Train, load_model(checkpoint)[1]["settings"], "train")
    labels = Labels(folder / "export/pseudo_labels.json")
    fits = fits_of(labels, folder / "export/pseudo_labels.json", world)
    model: Any = load_detector(settings, checkpoint, torch.device("cpu"))[0].train()
    model.roi_heads.__class__ = Recording
    reader = StepReader(world / "partworld/train/images", labels, settings, seed=0)
    found: dict[str, list[Tensor]] = {kind: [] for kind in KINDS}
    for number, image_id in enumerate(labels.image_ids):
        torch.manual_seed(step_seed(0, number))  # anchors and RoIs are drawn
        sample = reader._sample(image_id, flip=False)
        with torch.no_grad():
            losses_of(model, StepSamples(number, [sample], settings.test_side))
        heads = model.roi_heads
        kinds = kinds_of(heads.labels[0], heads.matched[0], fits[image_id])
        for kind in KINDS:
            found[kind].append(torch.stack(heads.losses, dim=1)[kinds == KINDS.index(kind)])
    every = np.concatenate(list(fits.values()))
    return {kind: torch.cat(rows) for kind, rows in found.items()}, float((every < SOUND).mean())


def fits_of(labels: Labels, path: Path, world: Path) -> dict[int, np.ndarray]:
    """Of each image's labels, in their order, the box IoU with the object of the same id."""
    truth = json.loads((world / "partworld/train/annotations.json").read_text())
    boxes = {entry["id"]: entry["bbox"] for entry in truth["annotations"]}
    fits: dict[int, list[float]] = {image_id: [] for image_id in labels.image_ids}
    for entry in json.loads(path.read_text())["annotations"]:
        pair = xywh_to_xyxy(np.array([entry["bbox"], boxes[entry["id"]]], dtype=np.float32))
        fits[entry["image_id"]].append(float(box_iou(pair[:1], pair[1:])[0, 0]))
    return {image_id: np.array(values) for image_id, values in fits.items()}


def kinds_of(labels: Tensor, matched: Tensor, fits: np.ndarray) -> Tensor:
    """(r,) the place in KINDS of each RoI."""
    is_sound = torch.from_numpy(fits >= SOUND)[matched]
    return torch.where(labels > 0, is_sound.long(), KINDS.index("background"))


def dropped(losses: Mapping[str, Tensor], drop: RoiDrop) -> dict[str, float]:
    """The share of the RoIs of each kind that would be dropped."""
    return {
        kind: float((~kept_rois(rows[:, 0], rows[:, 1], drop)).float().mean())
        for kind, rows in losses.items()
    }


def spread(values: Sequence[float]) -> str:
    """Mean ± sd over worlds, in %."""
    made = summary([100 * value for value in values])
    return f"{made['mean']:.1f}" + ("" if made["sd"] is None else f" ± {made['sd']:.1f}")


if __name__ == "__main__":
    main()
