"""label_cost: what a label buys; kinds of labels side by side, by the seconds that they cost.

In come, of every kind with every seed, the `metrics.json` of its labels and its detector, the table
of its weak labels and that of the classes; out go `label_cost.json` with every number and its value
for each seed, `label_cost.md` with the tables and `label_cost.png`. Seconds are counted out of the
tables: how many points, boxes and masks there are, and how many classes are asked for in how many
images (Bearman et al., ECCV 2016); what each takes says `label_cost.seconds`. Where a detector
learns from the truth, all of its annotations are outlined. Nothing is compared that does not rest
on the same objects.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.metrics.label_costs import check_costs, label_costs
from stages.metrics.label_seconds import Label, label_counts, outline_counts, seconds_of
from stages.reporting.label_cost_figure import draw_label_costs
from stages.reporting.label_cost_table import label_cost_table
from stages.runtime.atomic import write_text
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.provenance import provenance_of, sha256_of
from stages.scoring.case_metrics import by_case, runs_of
from stages.settings.label_cost import LabelCost
from stages.settings.overrides import FULLY_SUPERVISED
from stages.settings.section import from_json, provenance_values, to_values
from stages.tables.categories import CATEGORIES
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS

Metrics = Mapping[str, Any]


def labels_in(path: Path) -> list[Label]:
    """Image, class and kind of each weak label; deleted ones count for nothing."""
    table = read_table(path, WEAK_LABELS, columns=["image_id", "category_id", "kind", "status"])
    columns = (table.column(name).to_pylist() for name in table.column_names)
    return [tuple(row) for *row, status in zip(*columns, strict=True) if status != "deleted"]


def counts_of(metrics: Metrics, labels: Iterable[Label], classes: int, *, outlined: bool) -> Any:
    """How often a person has done what, for one kind and seed, as `label_counts`.

    Parameters
    ----------
    outlined : the detector learns from the truth; then the masks that it learnt from count, and
        the weak labels only tell which classes are where.
    """
    size = {"images": metrics["counts"]["images"], "classes": classes}
    if not outlined:
        return label_counts(labels, **size)
    if not metrics.get("training"):
        raise ValueError(
            "metrics of a detector that learns from the truth lack the facts of its training. "
            "Rerun evaluate."
        )
    return outline_counts(labels, metrics["training"]["annotations"], **size)


def numbers_of(args: argparse.Namespace, settings: LabelCost) -> dict[str, Any]:
    """Everything behind the tables, as written to label_cost.json."""
    cases = args.variants, args.seeds
    runs = runs_of(args.metrics, *cases, "--metrics")
    check_costs(runs, args.seeds)
    tables = by_case(args.weak_labels, *cases, "--weak-labels")
    classes = by_case(args.categories, *cases, "--categories")
    counts = {
        name: [
            counts_of(
                metrics,
                labels_in(table),
                read_table(names, CATEGORIES).num_rows,
                outlined=name in args.supervised,
            )
            for metrics, table, names in zip(runs[name], tables[name], classes[name], strict=True)
        ]
        for name in runs
    }
    values = to_values(settings.seconds)
    images = {name: [metrics["counts"]["images"] for metrics in runs[name]] for name in runs}
    seconds = {
        name: [
            seconds_of(found, values, images=number)
            for found, number in zip(counts[name], images[name], strict=True)
        ]
        for name in runs
    }
    return {
        "seeds": args.seeds,
        "images": next(iter(images.values())),
        "seconds_each": values,
        "counts": counts,
        **label_costs(runs, seconds, FULLY_SUPERVISED),
        "provenance": _provenance(args, settings),
    }


def _provenance(args: argparse.Namespace, settings: LabelCost) -> dict[str, Any]:
    files = (*args.metrics, *args.weak_labels, *args.categories)
    return provenance_of(
        "stages.label_cost",
        settings=provenance_values(settings),
        seed=args.seeds[0],
        packages=("matplotlib", "numpy"),
        files=[sha256_of(path) for path in files],
    )


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "label_cost")
    for flag, what in (("metrics", "of evaluate"), ("weak-labels", ""), ("categories", "")):
        parser.add_argument(
            f"--{flag}",
            type=Path,
            nargs="+",
            required=True,
            help=f"variant by variant, seed by seed{', ' * bool(what)}{what}",
        )
    parser.add_argument("--variants", nargs="+", required=True, help="names of the kinds")
    parser.add_argument("--supervised", nargs="*", default=[], help="those that learn from truth")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    for flag in ("out", "out-table", "out-figure"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `label_cost`")
    return parser


def summary(numbers: Mapping[str, Any]) -> Sentence:
    """The closing sentence of the log."""
    means = {name: entry["seconds"]["mean"] for name, entry in numbers["kinds"].items()}
    told = ", ".join(f"{name} {value:.1f}" for name, value in means.items())
    return f"{len(numbers['seeds'])} seeds; seconds an image: {told}."


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(LabelCost, args.settings, "label_cost")
    numbers = numbers_of(args, settings)
    table = label_cost_table(numbers)
    draw_label_costs(numbers, args.out_figure)
    write_text(args.out_table, table)
    write_text(args.out, json.dumps(numbers, indent=1, allow_nan=False) + "\n")
    print(table, end="", flush=True)
    say("label_cost", summary(numbers))


if __name__ == "__main__":
    run("label_cost", main)
