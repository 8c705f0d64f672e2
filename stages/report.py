"""report: a page of the run, to see what was made and why; a folder that needs no server.

In come all tables, what evaluate measured, and the photographs; out go `index.html`, a picture of
each label that is shown, and scripts with their trails, which the page loads when a card is opened.
All labels are counted; `report.cards` of them are shown, half of them the most doubtful, the others
evenly through the rest. Names of files and classes are strangers' and get in as text alone. Times
and memory are those that Snakemake measured of the jobs behind the files, whenever that was: the
only thing here that differs between runs of equal inputs.
"""

import argparse
import base64
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from stages.reporting.doubt_figure import draw_doubt
from stages.reporting.page.alarms import alarms
from stages.reporting.page.contents import Counted, cards, counted, known_ious
from stages.reporting.page.overview import weak_label_counts
from stages.reporting.page.times import stage_times
from stages.reporting.page.writing import PER_FILE, page_text, picture_path, trail_script
from stages.reporting.trail_tables import TrailTables
from stages.runtime.atomic import replacing_folder
from stages.runtime.program import parser_of, run, say
from stages.runtime.progress import Progress
from stages.settings.report import Report
from stages.settings.section import from_json
from stages.tables.images import IMAGES
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS

TABLES = ("proposals", "selections", "trails", "pseudo-labels", "grades")


def written_cards(
    args: argparse.Namespace, found: Counted, settings: Report, folder: Path
) -> list[dict[str, Any]]:
    """Write pictures and trails into a folder; the fronts of the cards."""
    ious = known_ious(args.objects)
    shown = found.shown(settings.cards)
    progress = Progress("report", sum(map(len, shown.values())), unit="labels")
    fronts: list[dict[str, Any]] = []
    backs: list[dict[str, Any]] = []
    made = cards(tables_of(args), shown, args.image_folder, side=settings.picture, ious=ious)
    for index, card in enumerate(made):
        picture = folder / picture_path(index)
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(card.picture)
        fronts.append(card.front)
        backs.append(card.back)
        if len(backs) == PER_FILE:
            _write_trails(folder, index + 1 - PER_FILE, backs)
            backs = []
        progress.step()
    if backs:
        _write_trails(folder, len(fronts) - len(backs), backs)
    return fronts


def _write_trails(folder: Path, start: int, backs: Sequence[dict[str, Any]]) -> None:
    name, text = trail_script(start, backs)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="ascii")


def tables_of(args: argparse.Namespace) -> TrailTables:
    """The tables that are named on the command line."""
    return TrailTables(
        args.images,
        args.weak_labels,
        args.categories,
        proposals=args.proposals,
        selections=args.selections,
        trails=args.trails,
        pseudo_labels=args.pseudo_labels,
        grades=args.grades,
    )


def went_in(args: argparse.Namespace) -> list[tuple[str, int]]:
    """What the run started from, and how much of it."""
    images = len(read_table(args.images, IMAGES, columns=["image_id"]))
    labels = read_table(args.weak_labels, WEAK_LABELS, columns=["kind", "status"]).to_pylist()
    return [("images", images), *weak_label_counts(labels).items()]


def figures_of(
    args: argparse.Namespace, found: Counted, fronts: Sequence[dict[str, Any]]
) -> list[dict[str, str]]:
    """The pictures of the page, as base64, each with what it shows."""
    areas = np.array([front["a"] for front in fronts])
    with TemporaryDirectory() as folder:
        own = Path(folder) / "doubt.png"
        draw_doubt(found.quality, found.score, areas, own)
        shown = [(own, "Quality and score of all labels, and the size of those that are shown")]
        if args.figure and known_ious(args.objects):
            shown.insert(0, (args.figure, "Labels and detector against the ground truth"))
        return [
            {"data": base64.b64encode(path.read_bytes()).decode("ascii"), "text": text}
            for path, text in shown
        ]


def facts_of(
    args: argparse.Namespace, found: Counted, fronts: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """What the template shows beside the cards."""
    facts, all_labels = json.loads(args.facts), found.overview.all
    sums = all_labels.row("all")
    some = f"{len(fronts)} of {all_labels.labels} labels are shown"
    how = "" if len(fronts) == all_labels.labels else ", half of them the most doubtful"
    iou = "" if sums["iou"] is None else f", mean mask IoU {sums['iou']:.3f}"
    inputs = went_in(args)
    return {
        "title": facts["title"],
        "summary": f"{all_labels.labels} masks in {inputs[0][1]} images{iou}",
        "shown_note": f"{some}{how}.",
        "warnings": alarms(args.selections, found.classes, facts["settings"]),
        "went_in": inputs,
        "tables": found.overview.tables(),
        "has_truth": sums["iou"] is not None,
        "figures": figures_of(args, found, fronts),
        "times": stage_times(args.benchmarks),
        "paper": facts["paper"],
        "differing": facts["differing"],
        "settings": facts["settings"],
    }


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "report")
    for flag in ("images", "weak-labels", "categories", "image-folder", "out"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    for flag in TABLES:
        parser.add_argument(f"--{flag}", type=Path, nargs="+", default=[])
    parser.add_argument("--objects", type=Path, help="objects.parquet of evaluate")
    parser.add_argument("--figure", type=Path, help="figure.png of evaluate")
    parser.add_argument("--benchmarks", type=Path, nargs="*", default=[], help="of Snakemake")
    parser.add_argument("--facts", required=True, help="JSON: title, paper, differing, settings")
    parser.add_argument("--settings", default="{}", help="JSON of the config section `report`")
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Report, args.settings, "report")
    found = counted(tables_of(args), known_ious(args.objects))
    with replacing_folder(args.out) as folder:
        fronts = written_cards(args, found, settings, folder)
        facts = facts_of(args, found, fronts)
        text = page_text(facts, fronts)
        (folder / "index.html").write_text(text, encoding="utf-8")
        said = "".join(f"{sentence}\n" for sentence in facts["warnings"])
        (folder / "warnings.txt").write_text(said, encoding="utf-8")
    for sentence in facts["warnings"]:
        say("report", sentence)
    labels = found.overview.all.labels
    say("report", f"{len(fronts)} of {labels} labels shown; open {args.out / 'index.html'}.")


if __name__ == "__main__":
    run("report", main)
