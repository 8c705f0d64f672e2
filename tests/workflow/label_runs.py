"""Runs on the drawn data set in any format: settings, many runs at once, and what must come out."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from stages.geometry.masks import rles_to_masks
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.drawn_objects import SIZES, Drawn, Split
from tests.workflow.workspace import ROOT, TINY, Outcome, merged, run_snakemake

PLURALS = {"point": "points", "box": "boxes", "mask": "masks"}
EXPORTED = "sapnet/export/pseudo_labels.json"
NO_LEARNING: dict[str, Any] = {  # SAM's best answer is the pseudo-label
    "shards": 1,
    "prepare": {"labels": "given"},
    "propose": {"prompts": [{"source": "label", "masks": "all"}]},
    "select": {"method": "sam_top1"},
    "refine": {"method": "as_it_is", "vote": {"enabled": False}, "zoom": {"enabled": False}},
}
MODULE = """
module {run}:
    snakefile:
        "{snakefile}"
    config:
        config["{run}"]


use rule * from {run} as {run}_*
"""
Rows = list[dict[str, Any]]


def settings(train: Mapping[str, str], *changes: Mapping[str, Any]) -> dict[str, Any]:
    """The tiny run without learning on these labels, up to export, with these changes."""
    dataset = {"source": "files", "train": dict(train), "ground_truth": False}
    ends = {"dataset": dataset, "train": {"enabled": False}}
    return merged(TINY, NO_LEARNING, ends, *changes)


def below(split: Split, folder: Path) -> Split:
    """A split as a config names it whose paths start from a folder."""
    return {key: str(Path(path).relative_to(folder)) for key, path in split.items()}


@dataclass(frozen=True, slots=True)
class Runs:
    """Many runs side by side, as modules of one workflow, by the name of the run."""

    folder: Path

    def configure(self, configs: Mapping[str, Mapping[str, Any]], targets: Sequence[str]) -> None:
        """Write the workflow of these runs. targets : paths below `results`."""
        modules = [MODULE.format(run=run, snakefile=ROOT / "Snakefile") for run in configs]
        files = "".join(f'        "results/{target}",\n' for target in targets)
        head = f'configfile: "outer.yaml"\n\n\nrule all:\n    input:\n{files}\n'
        (self.folder / "Snakefile").write_text("\n".join([head, *modules]))
        (self.folder / "outer.yaml").write_text(yaml.safe_dump(dict(configs)))

    def snakemake(self, *arguments: str) -> Outcome:
        """Run Snakemake, which must succeed."""
        outcome = run_snakemake(self.folder, *arguments)
        assert outcome.code == 0, outcome.text
        return outcome

    def prepared(self, *arguments: str) -> set[str]:
        """Whose `prepare` a dry run would run."""
        jobs = self.snakemake("-n", *arguments).jobs()
        return {rule.removesuffix("_prepare") for rule in jobs if rule.endswith("_prepare")}

    def splits(self) -> list[dict[str, Path]]:
        """Paths of the photographs and labels of each run."""
        configs = yaml.safe_load((self.folder / "outer.yaml").read_text()).values()
        trains = [config["dataset"]["train"] for config in configs]
        return [{key: self.folder / path for key, path in train.items()} for train in trains]

    def copy(self, folder: Path) -> "Runs":
        """The same elsewhere, dates and all."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Runs(folder)


def sentence(objects: Sequence[Drawn], format: str, *, labels: str = "given") -> str:
    """What `prepare` says of a data set first."""
    counts = Counter(thing.kind for thing in objects)
    kinds = ", ".join(f"{counts[kind]} {PLURALS[kind]}" for kind in PLURALS if counts[kind])
    images = len({thing.photograph for thing in objects} if format == "csv" else SIZES)
    text = f"{images} images, {len(objects)} labels of format {format} (prepare.labels: {labels})"
    return f"prepare: {text}: {kinds}."


def weak_labels(run: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Photograph, class and row of each weak label of a run, in the order of the drawn objects."""
    folder = run / "prepare"
    images = {row["image_id"]: row["file_name"] for row in _rows(folder / "images", IMAGES)}
    names = {row["category_id"]: row["name"] for row in _rows(folder / "categories", CATEGORIES)}
    rows = _rows(folder / "weak_labels", WEAK_LABELS)
    found = [(images[row["image_id"]], names[row["category_id"]], row) for row in rows]
    return sorted(found, key=lambda each: (_place(each[0]), each[2]["label_id"]))


def annotations(run: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """The same of the exported annotations."""
    data = json.loads((run / EXPORTED).read_text())
    images = {image["id"]: image["file_name"] for image in data["images"]}
    names = {entry["id"]: entry["name"] for entry in data["categories"]}
    found = [
        (images[entry["image_id"]], names[entry["category_id"]], entry)
        for entry in data["annotations"]
    ]
    return sorted(found, key=lambda each: (_place(each[0]), each[2]["provenance"]["instance_id"]))


def is_given(row: Mapping[str, Any], thing: Drawn) -> bool:
    """Whether a weak label says of an object what is drawn."""
    if row["kind"] != thing.kind:
        return False
    if thing.kind == "point":
        return bool(np.allclose((row["x"], row["y"]), thing.point, atol=1e-4))
    if thing.kind == "box":
        return bool(np.allclose(row["box"], thing.box, atol=1e-4))
    return bool(row["rle"] == thing.rle["counts"])


def keeps(annotation: Mapping[str, Any], thing: Drawn) -> bool:
    """Whether an annotation has a mask, and the given mask or box unchanged."""
    code = annotation["segmentation"]
    if thing.kind == "mask":
        return bool(code["counts"].encode() == thing.rle["counts"])
    if thing.kind == "box":
        x0, y0, x1, y1 = thing.box
        if not np.allclose(annotation["bbox"], (x0, y0, x1 - x0, y1 - y0), atol=0.01):
            return False
    pixels = rles_to_masks([{**code, "counts": code["counts"].encode()}])[0]
    return pixels.shape == thing.size and (bool(pixels.any()) or not annotation["mask_weight"])


def _place(photograph: str) -> int:
    """Of a drawn photograph, whatever its suffix."""
    return [Path(name).stem for name in SIZES].index(Path(photograph).stem)


def _rows(path: Path, record: Any) -> Rows:
    rows: Rows = read_table(path.with_suffix(".parquet"), record).to_pylist()
    return rows
