"""prompt: all prompters of `prompt.sources`, in order, for one shard; some of them look at pixels.

In come images, weak labels and the network that fit_prompt has trained; out goes table `prompts`,
which `propose` reads. WeakSAM, Sec. 3.2. Where no prompter looks at pixels this program is not in
the DAG, and `propose` asks the prompters itself. The maps are not stored: they are large, and their
peaks are here with value and source. The rows of an image depend on that image, its labels and the
network alone.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import torch

from stages.labels.tags import tags_of
from stages.learning.arguments import add_arguments
from stages.learning.clue_networks import CLASS_MAPS
from stages.methods.kit import LookingKit
from stages.methods.prompter import PROMPTERS, Prompter, is_looking
from stages.methods.shard_prompts import LABEL_COLUMNS, ShardPrompts, living_labels
from stages.runtime.code import code_of
from stages.runtime.device import leased
from stages.runtime.doors import opened
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.runtime.threads import use_threads
from stages.settings.fit_prompt import FitPrompt
from stages.settings.prompt import Prompt
from stages.settings.propose import Propose
from stages.settings.readers import chosen, for_fit
from stages.settings.section import from_json, provenance_values
from stages.tables.categories import CATEGORIES
from stages.tables.images import shard_images
from stages.tables.in_parts import write_in_parts
from stages.tables.prompts import PROMPTS
from stages.tables.shards import rows_digest
from stages.tables.table import read_table, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS

CHUNK = 64  # images per part: a killed shard loses at most one part


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "prompt")
    add_arguments(parser, files=("out",))
    parser.add_argument("--model", type=Path, help="of fit_prompt, where a prompter looks")
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    parser.add_argument("--fit-settings", default="{}", help="JSON of the section `fit_prompt`")
    args = parser.parse_args(argv)
    use_threads(args.threads)
    settings, kit = from_json(Prompt, args.settings, "prompt"), kit_of(args)
    facts = facts_of(args, settings, kit)
    table = shard_images(args.images, args.shard)
    images = {row["image_id"]: row for row in table.to_pylist()}
    with leased(args.device if images else "cpu") as device:
        prompters = opened_prompters(settings, kit, device) if images else []
        labels = labels_of(args.weak_labels, prompters, images)
        prompts = ShardPrompts(images, labels, prompters)
        [written] = write_in_parts(
            [(args.out, PROMPTS)],
            list(images),
            lambda image_id: [prompts.of(image_id)],
            provenance=facts,
            chunk=CHUNK,
            progress=Progress("prompt", len(images)),
            inputs=(args.categories,),
            also={"rows": [rows_digest(table), rows_digest(labels)]},
        )
    names = [name for entry in settings.sources for name in getattr(entry, "maps", ())]
    say("prompt", summary(written, labels, len(images), names))


def kit_of(args: argparse.Namespace) -> LookingKit:
    """What prompters that look are opened with."""
    rows = read_table(args.categories, CATEGORIES).to_pylist()
    return LookingKit(
        image_folder=args.image_folder,
        classes={row["category_id"]: row["name"] for row in rows},
        propose=from_json(Propose, args.propose_settings, "propose"),
        fit=from_json(FitPrompt, args.fit_settings, "fit_prompt"),
        model=args.model,
        embeddings=args.embeddings,
        seed=args.seed,
    )


def opened_prompters(settings: Prompt, kit: LookingKit, device: torch.device) -> list[Prompter]:
    """The prompters in their order; those that look with their networks on `device`."""
    found = []
    for entry in settings.sources:
        module = opened(PROMPTERS[entry.source].module)
        kits = (kit, device) if is_looking(entry.source) else ()
        found.append(module.opened_prompter(entry, *kits))
    return found


def labels_of(path: Path, prompters: Sequence[Prompter], images: dict[int, Any]) -> pa.Table:
    """The labels of these images that count.

    Raises
    ------
    ValueError : a label of a kind that no prompter asks about; an empty shard asks nobody.
    """
    if not images:
        return read_table(path, WEAK_LABELS, columns=LABEL_COLUMNS).slice(0, 0)
    labels, _ = living_labels(path, prompters)
    kept = [image_id in images for image_id in labels.column("image_id").to_pylist()]
    return labels.filter(pa.array(kept, pa.bool_()))


def facts_of(args: argparse.Namespace, settings: Prompt, kit: LookingKit) -> dict[str, Any]:
    """Provenance: of the network too, where a prompter looks."""
    modules, more = list[str](), dict[str, Any]()
    for entry in settings.sources:
        name = PROMPTERS[entry.source].module
        modules.append(name)
        if is_looking(entry.source):
            modules += opened(name).modules_of(kit)
            more |= opened(name).facts_of_method(kit)
    return provenance_of(
        "stages.prompt",
        settings=provenance_values(settings),
        code=code_of("stages.prompt", *modules),
        seed=args.seed,
        shard=args.shard,
        fit_settings=for_fit("fit_prompt", provenance_values(kit.fit)),
        propose_settings=chosen("propose", provenance_values(kit.propose)),
        **more,
    )


def summary(written: pa.Table, labels: pa.Table, images: int, maps: Sequence[str]) -> Sentence:
    """The closing sentence of the log: flat maps are those of a class that have no peak.

    Parameters
    ----------
    written : table `prompts`. labels : that count, of the shard. images : of the shard.
    maps : names of those that were looked at.
    """
    tags = [len(tags_of(rows)) for rows in rows_by_image(labels).values()]
    tagged = sum(count > 0 for count in tags)
    peaks = written.filter(pc.equal(written.column("kind"), "peak"))
    boxes = pc.sum(pc.equal(written.column("kind"), "box")).as_py() or 0
    keys = peaks.select(["source_map", "image_id", "category_id"]).to_pylist()
    counts = Counter(key["source_map"] for key in keys)
    seen = Counter(name for name, _, _ in {tuple(key.values()) for key in keys})
    flat = sum(sum(tags) - seen[name] for name in maps if name in CLASS_MAPS)
    each = ", ".join(f"{counts[name]} {name}" for name in maps) or "none"
    if not tagged:
        return f"{images} images, {len(written)} prompts, {boxes} of them boxes."
    return (
        f"{images} images, {images - tagged} without tags, {len(written)} prompts; peaks: {each}; "
        f"{flat} flat maps."
    )


if __name__ == "__main__":
    run("prompt", main)
