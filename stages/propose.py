"""propose: a segmenter's masks for every weak label, one Parquet shard per job.

In come images and weak labels; out goes table `proposals`: for each object its bag of masks with
box, area, the segmenter's own score and stability. SAPNet, Sec. 3.1 and 4.2 (no code of it was
published). Labels become prompts here, by the door of the prompters. What the segmenter has said of
an image is kept beside the results: it is asked again only where the photograph, its prompts, the
settings, the weights or the code are others. Where a prompter has looked at the photographs, stage
`prompt` has made the prompts, and they are read.
"""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from stages.methods.prompter import PROMPTERS
from stages.methods.shard_prompts import (
    Prompts,
    ShardPrompts,
    WrittenPrompts,
    living_labels,
    told_apart,
)
from stages.photographs.reading import photograph
from stages.runtime.code import code_of
from stages.runtime.device import leased
from stages.runtime.doors import opened
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.runtime.threads import use_threads
from stages.segmenters.answers_kept import OF_IMAGE, Kept, address_of
from stages.segmenters.on_demand import OnDemand
from stages.segmenters.proposing import Proposer
from stages.settings.prompt import Prompt
from stages.settings.propose import Propose
from stages.settings.section import from_json, provenance_values
from stages.tables.images import IMAGES, shard_images
from stages.tables.in_parts import write_in_parts
from stages.tables.keys import Keys, check_same, joined, keys_of
from stages.tables.proposals import PROPOSALS
from stages.tables.shards import check_alike
from stages.tables.table import empty_table
from stages.tables.weak_labels import WEAK_LABELS


class ImageProposer:
    """Rows of one image: kept ones, or read it, ask, and write down the bags.

    Attributes
    ----------
    addresses : of the answers, by image_id; of images with prompts alone.
    bags : (image_id, bag_id) of all prompts.
    """

    def __init__(
        self,
        prompts: Prompts,
        segmenter: OnDemand,
        kept: Kept,
        settings: Propose,
        *,
        folder: Path,
        seed: int,
    ):
        self.prompts, self.segmenter, self.kept = prompts, segmenter, kept
        self.settings, self.folder, self.seed = settings, folder, seed
        self.addresses: dict[int, str] = {}
        bags = list[Keys]()
        for image_id in prompts.images:
            asked = prompts.of(image_id)
            if len(asked):
                self.addresses[image_id] = address_of(kept.facts, self._parts(image_id, asked))
                bags.append(keys_of(asked, "bag_id"))
        self.bags = joined(bags)

    def __call__(self, image_id: int) -> tuple[pa.Table]:
        """Table `proposals` of one image; empty for an image without prompts."""
        if image_id not in self.addresses:
            return (empty_table(PROPOSALS),)
        prompts = self.prompts.of(image_id)
        parts = self._parts(image_id, prompts)
        return (self.kept.of(parts, lambda: self._asked(image_id, prompts)),)

    def deciding(self) -> dict[str, Any]:
        """JSON-able; all that the rows of these images depend on beside the provenance."""
        rows = self.prompts.images.values()
        files = [[row["file_name"], *(row[name] for name in OF_IMAGE)] for row in rows]
        return {"images": files, "answers": list(self.addresses.values())}

    def _parts(self, image_id: int, prompts: pa.Table) -> dict[str, Any]:
        image = self.prompts.images[image_id]
        return {**{name: image[name] for name in OF_IMAGE}, "prompts": prompts.to_pylist()}

    def _asked(self, image_id: int, prompts: pa.Table) -> pa.Table:
        image = self.prompts.images[image_id]
        pixels = photograph(self.folder, image)
        proposer = Proposer(self.segmenter(), self.settings, seed=self.seed)
        return proposer.rows(image, pixels, prompts)


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "propose")
    for flag in ("image-folder", "images", "weak-labels", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--prompts", type=Path, help="table of stage `prompt`, where there is one")
    parser.add_argument("--model", type=Path, help="of fit_propose, where the segmenter learns")
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    parser.add_argument("--answers", type=Path, required=True, help="results/<run>/answers")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=1, help="images in work, a thread each")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `propose`")
    parser.add_argument("--prompt-settings", default="{}", help="JSON of the section `prompt`")
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Propose, args.settings, "propose")
    sources = from_json(Prompt, args.prompt_settings, "prompt")
    use_threads(args.threads)
    check_alike({args.images: IMAGES, args.weak_labels: WEAK_LABELS})
    images = {row["image_id"]: row for row in shard_images(args.images, args.shard).to_pylist()}
    prompts, deleted, modules = prompts_of(args, sources, images)
    with ExitStack() as stack:
        device = args.device
        segmenter = OnDemand(settings, lambda: stack.enter_context(leased(device)), args.model)
        kept = Kept(args.answers, args.out, PROPOSALS, answer_facts(segmenter, args.seed))
        proposer = ImageProposer(
            prompts, segmenter, kept, settings, folder=args.image_folder, seed=args.seed
        )
        facts = _provenance(args, sources, segmenter, modules)
        table = _written(args.out, proposer, facts, at_once=args.at_once)
    kept.finish()
    gone = sum(image_id in images for image_id in deleted.column("image_id").to_pylist())
    say("propose", summary(table, len(images), len(proposer.addresses), kept.asked, gone))


def prompts_of(
    args: argparse.Namespace, sources: Prompt, images: Mapping[int, Any]
) -> tuple[Prompts, pa.Table, Sequence[str]]:
    """The prompts of the shard, the labels that were deleted, and the modules that make prompts."""
    if args.prompts:
        labels, deleted = told_apart(args.weak_labels)
        return WrittenPrompts(images, labels, args.prompts), deleted, ()
    modules = [PROMPTERS[entry.source].module for entry in sources.sources]
    pairs = zip(modules, sources.sources, strict=True)
    prompters = [opened(module).opened_prompter(entry) for module, entry in pairs]
    labels, deleted = living_labels(args.weak_labels, prompters)
    return ShardPrompts(images, labels, prompters), deleted, modules


def answer_facts(segmenter: OnDemand, seed: int) -> dict[str, Any]:
    """What all answers depend on: the settings of section `propose` without the size of a part."""
    values = {key: value for key, value in segmenter.values.items() if key != "chunk"}
    return segmenter.facts("stages.segmenters.proposing", values, seed=seed)


def _written(
    out: Path, proposer: ImageProposer, facts: Mapping[str, Any], *, at_once: int
) -> pa.Table:
    """The shard's table, once it adds up with the prompts."""
    ids = list(proposer.prompts.images)
    (table,) = write_in_parts(
        [(out, PROPOSALS)],
        ids,
        proposer,
        provenance=facts,
        chunk=proposer.settings.chunk,
        progress=Progress("propose", len(ids)),
        also=proposer.deciding(),
        at_once=at_once,
    )
    check_same(keys_of(table, "bag_id"), proposer.bags, what="bags", where=out)
    return table


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
        packages=segmenter.packages,
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
    bags = len(keys_of(table, "bag_id"))
    empty = len(table) - sum(table.column("valid").to_pylist())
    return (
        f"embedded {asked} images, {prompted - asked} answered before; {images} images, {bags} "
        f"bags, {len(table)} proposals, {empty} empty, {deleted} deleted labels left out."
    )


if __name__ == "__main__":
    run("propose", main)
