"""refine: from the scores of bags to one mask for each object, and how it came about.

In come one shard of proposals and selections, and the trained network where the method learns; out
go table `pseudo_labels`, which is all that export reads, and table `trail`. The methods stand
behind the door `stages.methods.refiner`. A mask that a person gave is passed through here, whatever
the method says of the object.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stages.labels.by_instance import labels_of_instances
from stages.labels.given import born_again, given_masks
from stages.learning.arguments import add_arguments, feature_modules
from stages.learning.labelled import tally
from stages.learning.shard import Shard, check_selections, checked_bags, opened_shard, walked
from stages.methods.kit import Kit
from stages.methods.refiner import REFINERS, Refiner
from stages.methods.refining import FORMER, former_files, kit_of
from stages.runtime.code import code_of
from stages.runtime.device import leased
from stages.runtime.doors import opened
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.runtime.threads import use_threads
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.readers import chosen
from stages.settings.refine import Refine
from stages.settings.section import provenance_values
from stages.tables.categories import CATEGORIES
from stages.tables.in_parts import write_in_parts
from stages.tables.keys import keys_of
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.record import Record
from stages.tables.selections import SELECTIONS
from stages.tables.table import empty_table
from stages.tables.trail import TRAIL

PROPOSED = tuple(PROPOSALS.schema.names)
SCORED = tuple(SELECTIONS.schema.names)


class ImageRefiner:
    """Rows of one image after the other, along rising ids."""

    def __init__(self, refiner: Refiner | None, shard: Shard, proposals: Path, selections: Path):
        self.refiner, self.shard = refiner, shard
        self.proposals = walked(proposals, PROPOSALS, PROPOSED)
        self.selections = walked(selections, SELECTIONS, SCORED)

    def __call__(self, image_id: int) -> list[pa.Table]:
        """Tables `pseudo_labels` and `trail` of one image; empty for an image without objects."""
        image = self.shard.images[image_id]
        labels = self.shard.labels_of.get(image_id)
        if labels is None:
            return [empty_table(PSEUDO_LABELS), empty_table(TRAIL)]
        given = given_masks(image, labels)
        ids = given[0].column("instance_id").to_pylist()
        made = self._made(image, labels)
        ids += born_again(made[0], labels)
        rows, trail = (
            _merged(record, [without(mine, ids), theirs])
            for record, mine, theirs in zip((PSEUDO_LABELS, TRAIL), made, given, strict=True)
        )
        if own_objects(rows) != list(labels_of_instances(labels)):
            raise RuntimeError(f"image {image_id}: the refiner did not label every object.")
        return [rows, trail]

    def _made(self, image: Any, labels: pa.Table) -> Sequence[pa.Table]:
        """What the refiner makes of the bags, if there are any."""
        proposals = self.proposals.rows(image["image_id"])
        scores = self.selections.rows(image["image_id"])
        if proposals is None or scores is None or self.refiner is None:
            return empty_table(PSEUDO_LABELS), empty_table(TRAIL)
        return self.refiner.labels(image, labels, proposals, scores)


def own_objects(rows: pa.Table) -> list[int]:
    """Ids of the objects that were annotated; others are born of tags."""
    return [number for number in rows.column("instance_id").to_pylist() if number >= 0]


def without(rows: pa.Table, instance_ids: Sequence[int]) -> pa.Table:
    """The rows of other objects than these."""
    strange = pc.is_in(rows.column("instance_id"), pa.array(instance_ids, pa.int64()))
    return rows.filter(pc.invert(strange))


def _merged(record: Record, parts: Sequence[pa.Table]) -> pa.Table:
    order = [(name, "ascending") for name in record.key]
    return pa.concat_tables(parts).sort_by(order).combine_chunks()


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    use_threads(args.threads)
    with ExitStack() as stack:
        device = cache(lambda: stack.enter_context(leased(args.device)))
        kit, refine = kit_of(args, device)
        method = opened(REFINERS[refine.method].module)
        facts = facts_of(args, kit, refine, method.facts_of_method(kit))
        shard = opened_shard(
            args.images, args.weak_labels, args.shard, {args.categories: CATEGORIES}
        )
        bags = checked_bags(shard, args.proposals)
        check_selections(shard, args.selections, bags, seed=args.seed)
        refiner = method.opened_refiner(kit, device) if len(bags) else None
        rows, trail = write_in_parts(
            [(args.out, PSEUDO_LABELS), (args.out_trail, TRAIL)],
            shard.image_ids,
            ImageRefiner(refiner, shard, args.proposals, args.selections),
            provenance=facts,
            chunk=refine.chunk,
            progress=Progress("refine", len(shard.images)),
            inputs=(args.categories, args.proposals, args.selections, *former_files(args)),
            also={"rows": shard.deciding()},
        )
    if asker := kit.zoom or kit.boxes:
        asker.kept.finish()
    say("refine", f"{tally(len(shard.images), bags)}, {counted(rows, trail, shard.labels)}.")


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "refine")
    add_arguments(parser, files=("proposals", "selections", "out", "out-trail", "answers"))
    parser.add_argument("--select-settings", default="{}", help="JSON of the section `select`")
    for flag, text in FORMER.items():
        parser.add_argument(f"--former-{flag}", type=Path, help=f"of the round before: {text}")
    parser.add_argument("--model", type=Path, help="that holds the network, where one is learned")
    parser.add_argument("--propose-model", type=Path, help="of a segmenter that is looked through")
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    return parser


def facts_of(
    args: argparse.Namespace, kit: Kit, refine: Refine, of_method: dict[str, Any]
) -> dict[str, Any]:
    """Provenance: of the network and of the segmenter too, where they are asked."""
    method = REFINERS[refine.method]
    modules = [method.module]
    features = getattr(kit.select.block, "features", None)
    modules += feature_modules(features, kit.propose) if method.fit and features else ()
    asker = kit.zoom or kit.boxes
    modules += [SEGMENTERS[kit.propose.segmenter].module] if asker or kit.propose_model else []
    asked = {"asked_sha256": asker.kept.facts["model_sha256"]} if asker else {}
    return provenance_of(
        "stages.refine",
        settings=chosen("refine", provenance_values(refine)),
        code=code_of("stages.refine", *modules),
        seed=args.seed,
        shard=args.shard,
        select_settings=chosen("select", provenance_values(kit.select)),
        propose_settings=chosen("propose", provenance_values(kit.propose)),
        **asked,
        **of_method,
    )


def counted(rows: pa.Table, trail: pa.Table, labels: pa.Table) -> Sentence:
    """What became of the objects, for the log."""
    given = rows.column("mask_source").to_pylist().count("given")
    deleted = labels.column("status").to_pylist().count("deleted")
    notes = Counter(filter(None, trail.column("note").to_pylist()))
    told = "".join(f", {count} {note}" for note, count in sorted(notes.items()))
    text = f"{len(rows) - given} refined, {given} given, {deleted} labels deleted{told}"
    return text + untold(rows, labels)


def untold(rows: pa.Table, labels: pa.Table) -> Sentence:
    """How many tags no pseudo-label came of, for the log; nothing where there are no tags."""
    living = labels.filter(pc.not_equal(labels.column("status"), "deleted"))
    tags = keys_of(living.filter(pc.equal(living.column("kind"), "tag")), "category_id")
    missing = list(tags - keys_of(rows, "category_id"))
    if not missing:
        return f", each of {len(tags)} tags has a label" if tags else ""
    image, category = missing[0]
    return (
        f", {len(missing)} of {len(tags)} tags without a label (first: image {image}, class "
        f"{category})"
    )


if __name__ == "__main__":
    run("refine", main)
