r"""correct: what people have made of labels, from the export of their tool to a file for `prepare`.

    python -m stages.correct --labels results/mine/sapnet/export/pseudo_labels.json \
        --corrected project-1.json --images photographs --out corrections.json

In come the labels that were handed out and what came back, in any format of labels that is read:
Label Studio's JSON, CVAT's XML, COCO (FiftyOne) and others. Labels are matched by their masks: what
came back as it was is accepted, what was redrawn or has another class is corrected, what is gone is
deleted, what is new is added. Out goes the file for `dataset.corrections`: the next run takes these
masks as they are, and asks the segmenter about images alone in which a label was deleted.

Which images were looked at: those that Label Studio calls submitted; of other tools, which do not
tell, those in which something was changed, or with --all-reviewed all that came back.
"""

import argparse
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from stages.formats.corrections import corrections_values
from stages.formats.format import AUTO, FORMATS, Label, Labelled
from stages.formats.labels_at import labels_at
from stages.formats.mask_decoding import decoded_mask
from stages.formats.pseudo_label_file import PseudoLabelFile, opened_labels
from stages.formats.standing import in_px
from stages.formats.writer import KEEP
from stages.geometry.masks import rle_areas, rle_of, written_rle
from stages.labels.correcting import Outcome, Shape, is_untouched, outcomes
from stages.runtime.atomic import write_text
from stages.runtime.faults import Faults
from stages.runtime.program import Sentence, parser_of, run, say

SUBMITTED = ("label_studio",)  # formats that tell which images were looked at
SAME, ALIKE = 0.95, 0.3  # IoU from which a mask was left as it was; is what became of a label
Row = dict[str, Any]


def theirs_by_name(found: Labelled) -> dict[str, list[Label]]:
    """The labels that came back, by the path of their photograph; images without any as well."""
    names = {image["id"]: _path(image["file_name"]) for image in found.images}
    by_name: dict[str, list[Label]] = {name: [] for name in names.values()}
    for label in found.labels:
        by_name[names[label.image_id]].append(label)
    return by_name


def _path(name: str) -> str:
    """One form for all ways to write a path."""
    return unicodedata.normalize("NFC", str(PurePosixPath(name.replace("\\", "/"))))


def shapes_of(
    labels: Sequence[Label], image: Row, classes: Mapping[int, int], faults: Faults
) -> list[Shape]:
    """What a person has drawn in an image; what is no mask, or has no pixels, is a fault.

    Parameters
    ----------
    classes : number of each of their classes among ours.
    """
    found = []
    for label in labels:
        with faults.caught("corrected labels without a mask", label.place or f"label {label.id}"):
            placed = in_px(label, image["width"], image["height"])
            if placed.mask is None:
                raise ValueError("it has no mask. Draw one, or delete it.")
            rle = decoded_mask(placed.mask, image["height"], image["width"])
            if not rle_areas([rle])[0]:
                raise ValueError("its mask has no pixels. Draw it again, or delete it.")
            found.append(Shape(label.id, classes[label.category_id], rle))
    return found


def handed_out(annotations: Sequence[Row]) -> list[Shape]:
    """Our labels of an image."""
    return [
        Shape(
            entry["id"],
            entry["category_id"],
            rle_of(entry["segmentation"]["counts"].encode("ascii"), *entry["segmentation"]["size"]),
        )
        for entry in annotations
    ]


def class_numbers(file: PseudoLabelFile, found: Labelled, source: Path) -> dict[int, int]:
    """Number of each of their classes among ours, by name.

    Raises
    ------
    ValueError : a class is not ours.
    """
    ours = {str(entry["name"]): entry["id"] for entry in file.categories}
    used = {label.category_id for label in found.labels}
    numbers = {}
    for entry in found.categories:
        if entry["id"] in used:
            if str(entry["name"]) not in ours:
                raise ValueError(
                    f"{source}: class {entry['name']!r} is not among those of the labels "
                    f"({', '.join(ours)}). Rename it in the tool, and export again."
                )
            numbers[entry["id"]] = ours[str(entry["name"])]
    return numbers


class Correcting:
    """Walks over the images that came back; keeps count.

    counts : of each outcome, of images, and of what was left alone.
    """

    def __init__(self, args: argparse.Namespace, file: PseudoLabelFile):
        self.args, self.file, self.counts = args, file, Counter[str]()
        self.faults = Faults(args.corrected)
        name, found = labels_at(args.corrected, args.images, read=args.format, faults=self.faults)
        self.is_told = name in SUBMITTED or args.all_reviewed
        self.classes = class_numbers(file, found, args.corrected)
        self.theirs = theirs_by_name(found)
        self.next = max((entry["id"] for entry in file.annotations()), default=0) + 1
        self.seen: list[Row] = []

    def entries(self) -> Iterator[Row]:
        """The annotations of the file of corrections."""
        for image, annotations in self.file.by_image():
            name = _path(image["file_name"])
            if name not in self.theirs:
                continue
            drawn = shapes_of(self.theirs.pop(name), image, self.classes, self.faults)
            limits = {"same": self.args.same, "alike": self.args.alike}
            made = outcomes(handed_out(annotations), drawn, **limits)
            if is_untouched(made) and not self.is_told:
                self.counts["untouched"] += 1
                continue
            self.seen.append(image)
            objects = {entry["id"]: _object(entry) for entry in annotations}
            yield from (self._entry(image, outcome, objects) for outcome in made)

    def _entry(self, image: Row, outcome: Outcome, objects: Mapping[int, int]) -> Row:
        self.counts[outcome.status] += 1
        number = outcome.number
        if number is None:
            number, self.next = self.next, self.next + 1
        return {
            **{"id": number, "image_id": image["id"], "category_id": outcome.category_id},
            **{"instance_id": objects.get(number, number), "status": outcome.status},
            "segmentation": written_rle(outcome.rle),
        }


def _object(entry: Row) -> int:
    """The object that a label is about: its own, or where it was born of a tag the label's id."""
    instance = int(entry["provenance"]["instance_id"])
    return instance if instance >= 0 else int(entry["id"])


def told(found: Correcting, out: Path) -> Sentence:
    """The closing sentence."""
    counts = found.counts
    kinds = ", ".join(f"{counts[k]} {k}" for k in ("accepted", "corrected", "deleted", "added"))
    text = f"{len(found.seen)} images were looked at: {kinds} labels; {out}."
    if counts["untouched"]:
        text += (
            f" {counts['untouched']} images came back as they were and are left alone, since their "
            "tool does not tell whether anybody looked; --all-reviewed accepts them."
        )
    if found.theirs:
        first = next(iter(found.theirs))
        text += f" {len(found.theirs)} images are not among the labels (first: {first})."
    return text


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "correct")
    for flag, text in (
        ("labels", "pseudo_labels.json of export, as it was when it was handed out"),
        ("corrected", "what came back: a file, or a folder"),
        ("images", "folder of the photographs"),
        ("out", "JSON, for dataset.corrections"),
    ):
        parser.add_argument(f"--{flag}", type=Path, required=True, help=text)
    parser.add_argument("--format", default=AUTO, choices=(AUTO, *FORMATS))
    parser.add_argument("--all-reviewed", action="store_true", help="every image was looked at")
    parser.add_argument("--same", type=float, default=SAME, help="IoU of a mask left as it was")
    parser.add_argument("--alike", type=float, default=ALIKE, help="IoU of a label and its mask")
    return parser


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    args = _parser().parse_args(argv)
    if not 0 < args.alike <= args.same <= 1:
        raise ValueError(f"--alike {args.alike:g} and --same {args.same:g}: wanted 0 < alike <= "
                         "same <= 1.")  # fmt: skip
    found = Correcting(args, opened_labels(args.labels, KEEP))
    entries = list(found.entries())
    found.faults.check()
    if not entries:
        raise ValueError(
            f"{args.corrected}: nothing in it was looked at, as far as it tells. If the labels are "
            "right as they are, say --all-reviewed."
        )
    values = corrections_values(found.seen, entries, {"same": args.same, "alike": args.alike})
    write_text(args.out, json.dumps(values) + "\n")
    say("correct", told(found, args.out))


if __name__ == "__main__":
    run("correct", main)
