"""coco_rle: the pseudo-labels as they are, with the numbers of classes that were asked for.

Out goes `annotations.json`, one entry per line: all keys of `pseudo_labels.json`, its masks as
run-length codes. Nothing is lost.
"""

from collections.abc import Iterator
from pathlib import Path

from stages.formats.coco_writing import write_entries
from stages.formats.pseudo_label_file import Entry, PseudoLabelFile
from stages.formats.writer import Counts

NAME = "annotations.json"


def write(labels: PseudoLabelFile, folder: Path) -> Counts:
    """Write the labels; see `stages.formats.writer`."""
    counts: Counts = {"images": len(labels.images), "annotations": 0}
    with (folder / NAME).open("w", encoding="utf-8") as file:
        entries = _counted(labels.annotations(), counts)
        write_entries(file, labels.info, labels.images, labels.categories, entries)
    return counts


def _counted(entries: Iterator[Entry], counts: Counts) -> Iterator[Entry]:
    for entry in entries:
        counts["annotations"] += 1
        yield entry
