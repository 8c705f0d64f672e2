"""select: a selector scores every proposal and chooses among those of each bag.

In come one shard of proposals and, where the method learns, the trained network; out goes table
`selections`. The methods stand behind the door `stages.methods.selector`.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stages.labels.tags import tags_of
from stages.learning.arguments import add_arguments, category_ids, feature_modules
from stages.learning.labelled import tally
from stages.learning.shard import Shard, checked_bags, opened_shard, walked
from stages.methods.kit import Kit
from stages.methods.selector import SELECTORS, Selector
from stages.runtime.code import code_of
from stages.runtime.device import leased
from stages.runtime.doors import opened
from stages.runtime.program import parser_of, run, say
from stages.runtime.progress import Progress
from stages.runtime.provenance import provenance_of
from stages.runtime.threads import use_threads
from stages.settings.propose import Propose
from stages.settings.readers import chosen
from stages.settings.section import from_json, provenance_values
from stages.settings.select import Select
from stages.tables.categories import CATEGORIES
from stages.tables.in_parts import write_in_parts
from stages.tables.keys import keys_of
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import empty_table
from stages.tables.weak_labels import TAG_BAG

KEY = ("bag_id", "proposal_id")  # of a row in its image


class ImageSelector:
    """Rows of one image after the other, along rising ids.

    Parameters
    ----------
    proposals : file of the shard. columns : of it that the selector reads.
    """

    def __init__(
        self, selector: Selector | None, shard: Shard, proposals: Path, columns: Sequence[str]
    ):
        self.selector, self.shard = selector, shard
        self.proposals = walked(proposals, PROPOSALS, columns)

    def __call__(self, image_id: int) -> list[pa.Table]:
        """Table `selections` of one image; empty for an image without proposals."""
        rows = self.proposals.rows(image_id)
        if rows is None or self.selector is None:
            return [empty_table(SELECTIONS)]
        image, labels = self.shard.images[image_id], self.shard.labels_of[image_id]
        scores = self.selector.scores(image, labels, rows)
        if keys_of(scores, *KEY) != keys_of(rows, *KEY) or not scores_tags(scores, rows, labels):
            raise RuntimeError(f"image {image_id}: the selector did not score every proposal.")
        return [scores]


def scores_tags(scores: pa.Table, rows: pa.Table, labels: pa.Table) -> bool:
    """Whether each proposal of an image's bag of tags is scored for every tag, and for no more.

    Refiners compare the scores of a class with each other, so none may be left out for being low.

    Parameters
    ----------
    scores, rows, labels : of one image, of the tables `selections`, `proposals`, `weak_labels`.
    """
    wanted = pc.sum(pc.equal(rows.column("bag_id"), TAG_BAG)).as_py() or 0
    mine = scores.filter(pc.equal(scores.column("bag_id"), TAG_BAG)).column("category_id")
    counts = {row["values"]: row["counts"] for row in mine.value_counts().to_pylist()}
    return counts == (dict.fromkeys(tags_of(labels), wanted) if wanted else {})


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "select")
    add_arguments(parser, files=("proposals", "out"))
    parser.add_argument("--model", type=Path, help="of fit_select, where the method learns")
    parser.add_argument("--shard", required=True, help="such as 0003-of-0128")
    args = parser.parse_args(argv)
    use_threads(args.threads)
    kit = kit_of(args)
    method = opened(SELECTORS[kit.select.method].module)
    facts = facts_of(args, kit, method.facts_of_method(kit))
    shard = opened_shard(args.images, args.weak_labels, args.shard, {args.categories: CATEGORIES})
    bags = checked_bags(shard, args.proposals)
    with ExitStack() as stack:
        device = cache(lambda: stack.enter_context(leased(args.device)))
        selector = method.opened_selector(kit, device) if len(bags) else None
        [table] = write_in_parts(
            [(args.out, SELECTIONS)],
            shard.image_ids,
            ImageSelector(selector, shard, args.proposals, method.COLUMNS),
            provenance=facts,
            chunk=kit.select.chunk,
            progress=Progress("select", len(shard.images)),
            inputs=(args.categories, args.proposals),
            also={"rows": shard.deciding()},
        )
    count = sum(table.column("selected").to_pylist())
    say("select", f"{tally(len(shard.images), bags)}, {count} chosen.")


def kit_of(args: argparse.Namespace) -> Kit:
    """What the selector is opened with."""
    return Kit(
        image_folder=args.image_folder,
        category_ids=category_ids(args.categories),
        propose=from_json(Propose, args.propose_settings, "propose"),
        select=from_json(Select, args.settings, "select"),
        model=args.model,
        embeddings=args.embeddings,
    )


def facts_of(args: argparse.Namespace, kit: Kit, of_method: dict[str, Any]) -> dict[str, Any]:
    """Provenance: of the network too, where there is one."""
    method = SELECTORS[kit.select.method]
    features: Sequence[str] = ()
    if method.fit:
        features = feature_modules(kit.select.block.features, kit.propose)
    return provenance_of(
        "stages.select",
        settings=chosen("select", provenance_values(kit.select)),
        code=code_of("stages.select", method.module, *features),
        seed=args.seed,
        shard=args.shard,
        propose_settings=chosen("propose", provenance_values(kit.propose)),
        **of_method,
    )


if __name__ == "__main__":
    run("select", main)
