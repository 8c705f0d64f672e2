"""review: the labels that a person had best look at, as a list and as tasks of the tools they use.

In comes the file that export has written; out goes a folder: `review.csv` and `review.json`, the
most doubtful labels first, each with the reasons in words; and the images of that list with all of
their labels, `label_studio.json` (with `label_studio.xml`, the interface that shows them),
`cvat.xml` and `coco.json`, which FiftyOne opens. What a person makes of them goes back through
`stages.correct`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.formats.pseudo_label_file import PseudoLabelFile, opened_labels
from stages.formats.writer import KEEP
from stages.reviewing.cvat_tasks import HEAD, TAIL, image_lines
from stages.reviewing.label_studio_tasks import labeling_config, task_of
from stages.reviewing.listing import csv_text, doubts, image_order, in_words, json_text
from stages.runtime.atomic import replacing_folder
from stages.runtime.program import parser_of, run, say
from stages.settings.review import Review
from stages.settings.section import from_json

Entry = dict[str, Any]
Shown = Sequence[tuple[Entry, list[Entry]]]  # images with their annotations


def shown_images(file: PseudoLabelFile, order: Sequence[int]) -> Shown:
    """The images of the list in their order, each with all of its annotations."""
    wanted = set(order)
    found = {image["id"]: (image, mine) for image, mine in file.by_image() if image["id"] in wanted}
    return [found[image_id] for image_id in order]


def coco_values(shown: Shown, file: PseudoLabelFile) -> Entry:
    """COCO's lists of these images; each annotation tells its quality and reasons as attributes."""
    annotations = [
        {
            **{key: entry[key] for key in ("id", "image_id", "category_id", "bbox", "area")},
            **{"segmentation": entry["segmentation"], "iscrowd": 0, "score": entry["score"]},
            "mask_quality": entry["quality"]["mask_quality"],
            "reasons": in_words(entry["quality"].get("reasons", ())),
        }
        for _, mine in shown
        for entry in mine
    ]
    images = [image for image, _ in shown]
    return {"images": images, "categories": [*file.categories], "annotations": annotations}


def write_tasks(folder: Path, shown: Shown, file: PseudoLabelFile) -> None:
    """The tasks of all tools."""
    classes = {entry["id"]: str(entry["name"]) for entry in file.categories}
    with (folder / "label_studio.json").open("w", encoding="utf-8") as out:
        out.writelines(_listed(json.dumps(task_of(*pair, classes)) for pair in shown))
    (folder / "label_studio.xml").write_text(labeling_config(classes.values()), encoding="utf-8")
    with (folder / "cvat.xml").open("w", encoding="utf-8") as out:
        out.write(HEAD)
        for number, (image, mine) in enumerate(shown):
            out.writelines(image_lines(number, image, mine, classes))
        out.write(TAIL)
    (folder / "coco.json").write_text(json.dumps(coco_values(shown, file)), encoding="utf-8")


def _listed(texts: Iterator[str]) -> Iterator[str]:
    """A JSON list, an entry a line."""
    yield "["
    for number, text in enumerate(texts):
        yield f"{',' if number else ''}\n{text}"
    yield "\n]\n"


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    parser = parser_of(__doc__, "review")
    parser.add_argument("--labels", type=Path, required=True, help="pseudo_labels.json of export")
    parser.add_argument("--out", type=Path, required=True, help="folder")
    parser.add_argument("--settings", default="{}", help="JSON of the config section `review`")
    args = parser.parse_args(argv)
    settings = from_json(Review, args.settings, "review")
    file = opened_labels(args.labels, KEEP)
    found, of = doubts(file, settings.labels)
    shown = shown_images(file, image_order(found, settings.images))
    with replacing_folder(args.out) as folder:
        (folder / "review.csv").write_text(csv_text(found), encoding="utf-8")
        (folder / "review.json").write_text(json_text(found, of), encoding="utf-8")
        write_tasks(folder, shown, file)
    say("review", told({"labels": len(found), "of": of, "images": len(shown)}, args.out))


def told(counts: Mapping[str, int], out: Path) -> str:
    """The closing sentence."""
    return (
        f"the {counts['labels']} most doubtful of {counts['of']} labels are listed in "
        f"{out / 'review.csv'}, {counts['images']} images are tasks beside it."
    )


if __name__ == "__main__":
    run("review", main)
