"""estimate: what a run will cost, told before it starts.

In come the facts of the run, as the plan has them; out goes a text on the screen, and the same
numbers as JSON: images, prompts, work of the segmenter counted on its architecture, time by stage,
disk and memory. Times are those of earlier runs of the same folder where there are benchmarks;
else the segmenter is tried on a few images here, or, for a GPU that is not here, published numbers
are taken, with their source. What is not known is named, not guessed. Nothing of the run is made.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from stages.checkup.folders import nearest
from stages.estimating.asks import asks_of
from stages.estimating.counts import Counts, counted, scaled
from stages.estimating.flops import Work, work_of
from stages.estimating.forecast import forecast, past_of
from stages.estimating.probe import Shown, grid_about, prompts_about
from stages.estimating.summary import disk_of, more_unknown, text_of
from stages.estimating.survey import surveyed
from stages.estimating.tempo import tempo_of
from stages.estimating.wording import disk_text, unknown_text
from stages.partworld.scenes import Scene, render_scene
from stages.runtime.atomic import write_text
from stages.runtime.program import parser_of, run
from stages.runtime.threads import use_threads
from stages.settings.estimate import Estimate
from stages.settings.section import from_json

Values = Mapping[str, Any]
SCENES = 16  # drawn to count objects


def drawn(facts: Values, most: int) -> tuple[Counts, list[Shown]]:
    """Counts of PartWorld by a few scenes of it, and some of them with what is asked."""
    world, way = facts["dataset"]["partworld"], facts["settings"]["prepare"]["labels"]
    scenes = min(SCENES, world["train"])
    rows: list[tuple[int, str, int]] = []
    shown: list[Shown] = []
    for index in range(scenes):
        scene = render_scene(facts["seed"], "train", index, look=world["look"])
        masks = [scene.mask(item) for item in scene.instances if not item.is_crowd]
        rows += _labels_of(scene, way, index)
        kinds = {kind for _, kind, _ in rows}
        points = [_middle(mask) for mask in masks] if "point" in kinds else []
        boxes = [_hull(mask) for mask in masks] if "box" in kinds else []
        grid = grid_about(scene.image) if "tag" in kinds else []
        shown.append(Shown(scene.image, prompts_about(points, boxes, grid)))
    how = f"reckoned from {scenes} scenes, drawn for the purpose"
    few = counted(rows, images=scenes, held_out=0, how=how)
    held_out = world["val"] if facts["held_out"] else 0
    return scaled(few, world["train"], held_out=held_out, how=how), shown[:most]


def _labels_of(scene: Scene, way: str, index: int) -> list[tuple[int, str, int]]:
    """(image, kind, bag) of the weak labels that `prepare` will make of a scene's objects."""
    kinds = {"given": ("mask",), "box_and_point": ("box", "point")}.get(way, (way,))
    items = [item for item in scene.instances if not item.is_crowd]
    if way == "tag":
        return [(index, "tag", -k) for k in sorted({item.category_id for item in items})]
    return [(index, kind, item.instance_id) for item in items for kind in kinds]


def _middle(mask: np.ndarray) -> tuple[float, float]:
    """The pixel of a mask in the middle of its list."""
    rows, columns = np.nonzero(mask)
    return float(columns[len(columns) // 2]) + 0.5, float(rows[len(rows) // 2]) + 0.5


def _hull(mask: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask)
    x0, y0 = float(columns.min()), float(rows.min())
    return x0, y0, float(columns.max()) + 1, float(rows.max()) + 1


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "estimate")
    parser.add_argument("--facts", required=True, help="JSON of the run, as the plan has it")
    parser.add_argument("--settings", default="{}", help="JSON of the config section `estimate`")
    parser.add_argument("--out", type=Path, required=True, help="JSON of the same numbers")
    parser.add_argument("--threads", type=int, default=1)
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    args = _parser().parse_args(argv)
    settings, facts = from_json(Estimate, args.settings, "estimate"), json.loads(args.facts)
    facts["threads"] = args.threads
    use_threads(args.threads)
    work, folder = _work(facts["settings"]["propose"]), Path("results")
    if facts["dataset"]["source"] == "partworld":
        counts, shown = drawn(facts, settings.images)
    else:
        prepare = facts["settings"]["prepare"]
        counts, shown = surveyed(facts["train"], facts["held_out"], prepare, settings.images)
    asks = asks_of(counts, facts["settings"], [stage["name"] for stage in facts["stages"]])
    tempo = tempo_of(facts, settings, shown, work)
    is_here = settings.device == "here"
    rows = forecast(
        facts["stages"],
        asks,
        work=(work.encoder, work.decoder) if work else None,
        pace=tempo.pace,
        past=past_of(facts["stages"], lambda h: folder / h / "benchmarks") if is_here else {},
    )
    disk = disk_of(asks, work, tempo.probed)
    free = shutil.disk_usage(nearest(folder)).free
    lines = text_of(facts, settings, counts, rows, tempo)
    more = more_unknown(facts, settings, tempo)
    unknown = unknown_text(rows, counts, facts["rounds"], more)
    print("\n".join([*lines, "", "disk", disk_text(disk, free), "", "not known", unknown]))
    numbers = {"counts": asdict(counts), "rows": [asdict(row) for row in rows], "disk": disk}
    probed = asdict(tempo.probed) if tempo.probed else None
    told = {"device": settings.device, "times": tempo.told, "tried": probed}
    write_text(args.out, json.dumps({**told, **numbers}, indent=1) + "\n")


def _work(propose: Values) -> Work | None:
    return work_of(propose["sam"]["model"]) if propose["segmenter"] == "sam" else None


if __name__ == "__main__":
    run("estimate", main)
