"""Whether clues know classes and where they are: of a model that fit_prompt has trained.

    python -m benchmarks.bench_clues results/demo/fit_prompt/model.pt results/demo/partworld/val \
        --source '{"maps": ["coarse"]}'

Looks at images with true masks, such as PartWorld's held-out ones, and prints
* tag mAP: of each class, the average precision of the network's own scores over all images;
* pointing: the share of the true tags in whose map the highest pixel lies in an object of the
  class; for cross-attention, the share of all its maps in which it lies in any object;
* peaks: how many are asked about in an image, and the share that lies in an object of the class,
  or of any class for cross-attention.
Tag mAP alone cannot choose a network: pooling that looks at few cells raises it and points worse.
Nothing is trained, and nothing is written.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.geometry.masks import rles_to_masks, segmentation_to_rle
from stages.learning.clue_models import fitted_clues
from stages.learning.clue_networks import CLASS_MAPS, ClueLearner, Looks
from stages.learning.model_file import load_model
from stages.methods.prompters.clues import Clues
from stages.photographs.reading import digest_of
from stages.settings.fit_prompt import FitPrompt
from stages.settings.prompters.clues import Settings
from stages.settings.propose import Propose
from stages.settings.section import from_json, from_values
from stages.tables.table import rows_table
from stages.tables.weak_labels import TAG_BAG, WEAK_LABELS

PLAIN = {"orientation": 1, "black": None, "white": None}  # how PartWorld's images are read


@dataclass(frozen=True, slots=True)
class Known:
    """An image and what is in it: its row of table `images`, and a mask of each of its classes."""

    row: dict[str, Any]
    masks: Mapping[int, np.ndarray]

    def is_hit(self, category: int | None, x: float, y: float) -> bool:
        """Whether a point lies in an object of a class, or of any where that is None."""
        wanted = self.masks.values() if category is None else [self.masks[category]]
        return any(bool(mask[int(y), int(x)]) for mask in wanted)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path, help="with images/ and annotations.json")
    parser.add_argument("--source", default="{}", help="JSON of the keys of prompter clues")
    parser.add_argument("--propose-settings", default="{}", help="JSON of the section `propose`")
    parser.add_argument("--embeddings", type=Path, help="folder in which they are kept, or none")
    parser.add_argument("--count", type=int, help="of how many images; all")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    began = time.process_time()
    coco = json.loads((args.folder / "annotations.json").read_text())
    categories = sorted(entry["id"] for entry in coco["categories"])
    learner = opened(args, coco)
    settings = from_json(Settings, args.source, "source")
    clues = Clues(learner, settings, order={c: k for k, c in enumerate(categories)}, seed=0)
    images = true_images(args.folder, coco)[: args.count]
    print(f"{len(images)} images, {sum(len(image.masks) for image in images)} tags")
    print(f"tag mAP   {tag_map(learner, images, categories):.3f}")
    for name in settings.maps:
        print(f"pointing  {name:7} {pointing(clues, images, name):.3f}")
    rows = asked(clues, images)
    for name in settings.maps:
        hits = [hit for source, hit in rows if source == name]
        share = np.mean(hits) if hits else float("nan")
        print(f"peaks     {name:7} {share:.3f} of {len(hits) / len(images):.2f} an image")
    print(f"{time.process_time() - began:.0f} CPU seconds")


def opened(args: argparse.Namespace, coco: Mapping[str, Any]) -> ClueLearner:
    """The network, with the settings that stand in its file."""
    _, header = load_model(args.model)
    names = [e["name"] for e in sorted(coco["categories"], key=lambda entry: entry["id"])]
    return fitted_clues(
        args.model,
        from_values(FitPrompt, header["settings"], "fit_prompt"),
        from_json(Propose, args.propose_settings, "propose"),
        classes=names,
        folder=args.folder / "images",
        device=torch.device("cpu"),
        cache=args.embeddings,
    )


def true_images(folder: Path, coco: Mapping[str, Any]) -> list[Known]:
    """The images that have objects, by id; crowds are none."""
    masks: dict[int, dict[int, np.ndarray]] = {}
    sizes = {entry["id"]: (entry["height"], entry["width"]) for entry in coco["images"]}
    for entry in coco["annotations"]:
        if not entry.get("iscrowd"):
            rle = segmentation_to_rle(entry["segmentation"], *sizes[entry["image_id"]])
            own = masks.setdefault(entry["image_id"], {})
            known = own.get(entry["category_id"], False)
            own[entry["category_id"]] = rles_to_masks([rle])[0].astype(bool) | known
    images = sorted(coco["images"], key=lambda entry: entry["id"])
    rows = [{**_row(folder, entry), **PLAIN} for entry in images if entry["id"] in masks]
    return [Known(row, dict(sorted(masks[row["image_id"]].items()))) for row in rows]


def _row(folder: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    name = entry["file_name"]
    known = {"image_id": entry["id"], "height": entry["height"], "width": entry["width"]}
    digest = digest_of((folder / "images" / name).read_bytes())
    return {**known, "file_name": name, "digest": digest}


def tag_map(learner: ClueLearner, images: Sequence[Known], categories: Sequence[int]) -> float:
    """Mean over the classes that any image has."""
    scores = torch.stack([learner.tag_logits(image.row) for image in images]).numpy()
    truth = np.array([[category in image.masks for category in categories] for image in images])
    pairs = zip(scores.T, truth.T, strict=True)
    return float(np.mean([average_precision(s, t) for s, t in pairs if t.any()]))


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Mean, over the images that have a class, of the precision at their place by falling score.

    Parameters
    ----------
    scores : (n,) float. truth : (n,) bool, at least one true.
    """
    found = truth[np.argsort(-scores, kind="stable")]
    precision = np.cumsum(found) / np.arange(1, len(found) + 1)
    return float(precision[found].mean())


def pointing(clues: Clues, images: Sequence[Known], name: str) -> float:
    """Share of maps of one kind whose highest pixel lies where it should."""
    looks = Looks((name,), clues.looks.scales, clues.looks.flip, clues.looks.layers)
    hits = []
    for image in images:
        columns = [clues.order[category] for category in image.masks]
        maps = clues.provider.maps(image.row, columns, looks)[name]
        of: list[int | None] = [None] * len(maps)
        of = list(image.masks) if name in CLASS_MAPS else of
        for own, category in zip(maps, of, strict=True):
            y, x = np.unravel_index(int(own.argmax()), own.shape)
            hits.append(image.is_hit(category, float(x), float(y)))
    return float(np.mean(hits))


def asked(clues: Clues, images: Sequence[Known]) -> list[tuple[str, bool]]:
    """Of each peak that is asked about: its map, and whether it lies where it should."""
    found = []
    for image in images:
        rows = clues.prompts(image.row, tags(image)).to_pylist()
        for row in (row for row in rows if row["kind"] == "peak"):
            hit = image.is_hit(row["category_id"], *row["points"][0])
            found.append((row["source_map"], hit))
    return found


def tags(image: Known) -> pa.Table:
    """The true classes as rows of table `weak_labels`."""
    known = {"image_id": image.row["image_id"], "kind": "tag", "bag_id": TAG_BAG}
    return rows_table(
        WEAK_LABELS,
        [
            {**known, "label_id": number, "category_id": category, "status": "given"}
            for number, category in enumerate(image.masks)
        ],
    )


if __name__ == "__main__":
    main()
