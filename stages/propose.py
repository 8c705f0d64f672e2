"""propose: a segmenter's masks for every weak label, one Parquet shard per job.

In come images and weak labels; out goes table `proposals`: for each object its bag of masks with
box, area, the segmenter's own score and stability. SAPNet, Sec. 3.1 and 4.2 (no code of it was
published). Labels become prompts here, by the door of the prompters. What the segmenter has said of
an image is kept beside the results: it is asked again only where the photograph, its prompts, the
settings, the weights or the code are others.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch

from stages.methods.prompter import PROMPTERS, Prompter
from stages.photographs.reading import image_path, read_rgb
from stages.runtime.code import code_of
from stages.runtime.device import leased
from stages.runtime.doors import opened
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.segmenters.answers_kept import Kept, address_of
from stages.segmenters.on_demand import PACKAGES, OnDemand
from stages.segmenters.proposing import Proposer
from stages.settings.prompt import Prompt
from stages.settings.propose import Propose
from stages.settings.section import from_json, provenance_values
from stages.tables.images import shard_images
from stages.tables.in_parts import write_in_parts
from stages.tables.prompts import PROMPTS
from stages.tables.proposals import PROPOSALS
from stages.tables.shards import check_same
from stages.tables.table import empty_table, read_table, rows_by_image, rows_table
from stages.tables.weak_labels import WEAK_LABELS

Image = dict[str, Any]
Prompts = Mapping[int, pa.Table]  # by image_id; of images with a prompt alone
LABEL_COLUMNS = "image_id label_id kind category_id bag_id x y box status".split()
OF_IMAGE = ("image_id", "digest", "height", "width", "orientation")  # that answers depend on


def living_labels(path: Path, kinds: frozenset[str]) -> tuple[pa.Table, pa.Table]:
    """Rows of table `weak_labels`, without their masks: those that count, and the deleted ones.

    Parameters
    ----------
    kinds : that a prompter makes prompts of.

    Raises
    ------
    ValueError : a label of a kind that nobody asks about, and that is no mask.
    """
    rows = read_table(path, WEAK_LABELS, columns=LABEL_COLUMNS)
    deleted = pc.equal(rows.column("status"), "deleted")
    labels = rows.filter(pc.invert(deleted))
    served = pc.is_in(labels.column("kind"), pa.array([*sorted(kinds), "mask"]))
    for row in labels.filter(pc.invert(served)).slice(0, 1).to_pylist():
        raise ValueError(
            f"{path}: image {row['image_id']}, label {row['label_id']}: a {row['kind']} of class "
            f"{row['category_id']}, and no prompter of prompt.sources asks about a {row['kind']}. "
            "Give each object a point, a box or a mask, or remove these labels: methods that learn "
            "from tags (WeakSAM) are not there yet."
        )
    return labels, rows.filter(deleted)


def prompts_of(image: Image, labels: pa.Table, prompters: Sequence[Prompter]) -> pa.Table:
    """Rows of table `prompts` of one image; a later prompter's count on from those before."""
    rows = [row for prompter in prompters for row in prompter.prompts(image, labels).to_pylist()]
    rows.sort(key=lambda row: row["bag_id"])
    used = Counter[int]()
    for row in rows:
        row["prompt_id"] = used[row["bag_id"]]
        used[row["bag_id"]] += 1
    return rows_table(PROMPTS, rows)


class ImageProposer:
    """Rows of one image: kept ones, or read it, ask, and write down the bags."""

    def __init__(
        self,
        images: Mapping[int, Image],
        prompts: Prompts,
        segmenter: OnDemand,
        kept: Kept,
        settings: Propose,
        *,
        folder: Path,
        seed: int,
    ):
        self.images, self.prompts, self.segmenter, self.kept = images, prompts, segmenter, kept
        self.settings, self.folder, self.seed = settings, folder, seed

    def __call__(self, image_id: int) -> tuple[pa.Table]:
        """Table `proposals` of one image; empty for an image without prompts."""
        if image_id not in self.prompts:
            return (empty_table(PROPOSALS),)
        return (self.kept.of(self._parts(image_id), lambda: self._asked(image_id)),)

    def deciding(self) -> dict[str, Any]:
        """JSON-able; all that the rows of these images depend on beside the provenance."""
        files = [[row["file_name"], *(row[k] for k in OF_IMAGE)] for row in self.images.values()]
        addresses = [address_of(self.kept.facts, self._parts(k)) for k in self.prompts]
        return {"images": files, "answers": addresses}

    def _parts(self, image_id: int) -> dict[str, Any]:
        image = self.images[image_id]
        asked = self.prompts[image_id].to_pylist()
        return {**{name: image[name] for name in OF_IMAGE}, "prompts": asked}

    def _asked(self, image_id: int) -> pa.Table:
        image = self.images[image_id]
        pixels = read_rgb(image_path(self.folder, image["file_name"]), digest=image["digest"])
        proposer = Proposer(self.segmenter(), self.settings, seed=self.seed)
        return proposer.rows(image, pixels, self.prompts[image_id])


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "propose")
    for flag in ("image-folder", "images", "weak-labels", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    parser.add_argument("--answers", type=Path, required=True, help="results/<run>/answers")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `propose`")
    parser.add_argument("--prompt-settings", default="{}", help="JSON of the section `prompt`")
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Propose, args.settings, "propose")
    sources = from_json(Prompt, args.prompt_settings, "prompt")
    torch.set_num_threads(args.threads)
    modules = [PROMPTERS[entry.source].module for entry in sources.sources]
    prompters: list[Prompter] = [
        opened(module).opened_prompter(entry)
        for module, entry in zip(modules, sources.sources, strict=True)
    ]
    kinds = frozenset[str]().union(*(prompter.kinds for prompter in prompters))
    labels, deleted = living_labels(args.weak_labels, kinds)
    images = {row["image_id"]: row for row in shard_images(args.images, args.shard).to_pylist()}
    mine = rows_by_image(labels)
    found = {k: prompts_of(images[k], mine[k], prompters) for k in images if k in mine}
    prompts = {image_id: rows for image_id, rows in found.items() if len(rows)}
    with ExitStack() as stack:
        segmenter = OnDemand(settings, lambda: stack.enter_context(leased(args.device)))
        kept = Kept(args.answers, args.out, PROPOSALS, answer_facts(segmenter, args.seed))
        proposer = ImageProposer(
            images, prompts, segmenter, kept, settings, folder=args.image_folder, seed=args.seed
        )
        facts = _provenance(args, sources, segmenter, modules)
        table = _written(args.out, proposer, facts)
    kept.finish()
    gone = sum(image_id in images for image_id in deleted.column("image_id").to_pylist())
    say("propose", summary(table, len(images), len(prompts), kept.asked, gone))


def answer_facts(segmenter: OnDemand, seed: int) -> dict[str, Any]:
    """What all answers depend on: the settings of section `propose` without the size of a part."""
    values = {key: value for key, value in segmenter.values.items() if key != "chunk"}
    return segmenter.facts("stages.segmenters.proposing", values, seed=seed)


def _written(out: Path, proposer: ImageProposer, facts: Mapping[str, Any]) -> pa.Table:
    """The shard's table, once it adds up with the prompts."""
    ids = list(proposer.images)
    (table,) = write_in_parts(
        [(out, PROPOSALS)],
        ids,
        proposer,
        provenance=facts,
        chunk=proposer.settings.chunk,
        progress=Progress("propose", len(ids)),
        also=proposer.deciding(),
    )
    wanted = [pair for rows in proposer.prompts.values() for pair in _bags_of(rows)]
    check_same(_bags_of(table), wanted, what="bags", where=out)
    return table


def _bags_of(rows: pa.Table) -> list[tuple[int, ...]]:
    ids = (rows.column("image_id").to_pylist(), rows.column("bag_id").to_pylist())
    return list(zip(*ids, strict=True))


def _provenance(
    args: argparse.Namespace,
    sources: Prompt,
    segmenter: OnDemand,
    modules: Sequence[str],
) -> dict[str, Any]:
    return provenance_of(
        "stages.propose",
        settings=segmenter.values,
        prompt_settings=provenance_values(sources),
        seed=args.seed,
        packages=PACKAGES,
        code=code_of("stages.propose", segmenter.module, *modules),
        model_sha256=segmenter.digest,
        shard=args.shard,
    )


def summary(table: pa.Table, images: int, prompted: int, asked: int, deleted: int) -> Sentence:
    """The closing sentence of the log.

    Parameters
    ----------
    prompted : images with prompts, of which `asked` were embedded now. deleted : labels left out.
    """
    bags = len(set(_bags_of(table)))
    empty = len(table) - sum(table.column("valid").to_pylist())
    return (
        f"embedded {asked} images, {prompted - asked} answered before; {images} images, {bags} "
        f"bags, {len(table)} proposals, {empty} empty, {deleted} deleted labels left out."
    )


if __name__ == "__main__":
    run("propose", main)
