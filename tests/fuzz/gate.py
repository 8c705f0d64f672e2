"""All that reads a stranger's labels, one after the other: what may come of them, and what may not.

A result or a ValueError in our words may come. Any other error, a ValueError in Python's words, or
a result that no table can hold, is a finding.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from stages.engines.step_reader import StepReader
from stages.engines.training_labels import Labels
from stages.formats.coco import read_coco
from stages.formats.coco_truth import Truths
from stages.formats.coco_writing import write_entries
from stages.formats.format import AUTO, FORMATS, Labelled
from stages.formats.labels_at import labels_at
from stages.geometry.masks import masks_to_rles
from stages.metrics.coco_ap import detector_ap
from stages.photographs.admitting import Admission
from stages.planning.watched import FAULTS, digest_of_files, digest_of_photographs
from stages.prepare import category_columns, image_columns, weak_rows
from stages.runtime.doors import opened
from stages.runtime.faults import Faults
from stages.scoring.truth import Truth, scoring_truth
from stages.settings.prepare import Prepare
from stages.settings.train import Train
from stages.tables.categories import CATEGORIES
from stages.tables.checks import validate
from stages.tables.images import IMAGES
from stages.tables.table import rows_table, table_of
from stages.tables.weak_labels import WEAK_LABELS
from stages.translate import entry_of, renumbered
from tests.fuzz.cases import HEIGHT, WIDTH

WAYS = tuple(Prepare(labels=way, crowds="all") for way in ("given", "point", "box", "tag"))
SETTINGS = (*WAYS, Prepare(labels="point", point="quasi_center"))
PLAIN = {"orientation": 1, "black": None, "white": None, "digest": "0" * 64}
PYTHONS = re.compile(  # what Python, numpy and pyarrow say, and no sentence of ours
    r"invalid literal|Exceeds the limit|could not convert|embedded null|to unpack|codec can't"
    r"|' object |has no attribute|must be (real|str|a str|an int)|not subscript"
    r"|unhashable|not JSON compliant|out of bounds|inhomogeneous|broadcast|cannot convert|Traceback"
    r"|out of range|argument|recursion|operand|Python int|zero-size"
)


TRAIN = Train(batch_images=2, multi_mask={"enabled": True})
KNOWN = ({"category_id": 7, "name": "dog"}, {"category_id": 2**31 - 1, "name": "rare"})
LARGE = 1_000_000  # px


class BrokenPromise(Exception):
    """What is returned is not what the door promises."""


def try_labels(name: str, source: Path, images: Path) -> bool:
    """Read labels as planning, prepare, translate, train and evaluate do.

    Parameters
    ----------
    name : of the format. images : the folder of the photographs.

    Returns
    -------
    Whether there were labels in it.

    Raises
    ------
    Anything but ValueError : a finding.
    """
    with _refused():
        _promised(labels_at(source, images, read=AUTO, faults=Faults())[0] in FORMATS, "a format")
    _try_planning(name, source, images)
    if name == "coco":
        (file,) = opened(FORMATS[name].module).sources(source, images)
        _try_scoring(file, images)
    faults = Faults(source)
    found: Labelled | None = None
    with _refused():
        _, found = labels_at(source, images, read=name, faults=faults)
    with _refused():
        faults.check()
    if found is None:
        return False
    _check(found)
    _try_gate(found, images)
    _try_truth(found, source.parent / "truth.json", images)
    return bool(found.labels)


@contextmanager
def _refused() -> Iterator[None]:
    """A ValueError may be raised within, in our words."""
    try:
        yield
    except ValueError as error:
        said = re.sub(r"\(.*\)", "", str(error))  # there a sentence of ours may quote a cause
        is_whole = all(line.endswith(".") for line in said.splitlines())
        if PYTHONS.search(said) or isinstance(error, UnicodeError) or not is_whole:
            raise BrokenPromise(f"a sentence of ours, not {error!r}") from error


def _promised(is_kept: bool, what: str) -> None:
    if not is_kept:
        raise BrokenPromise(what)


def _try_planning(name: str, source: Path, images: Path) -> None:
    """What the Snakefile asks."""
    labels, store = opened(FORMATS[name].module), images.parent.parent / "watched.json"
    files: Sequence[Path] = []
    with _refused():
        files = labels.sources(source, images)
        _promised(all(isinstance(path, Path) for path in files), "paths")
    digest_of_files(files, base=source, store=store)
    names: list[Any] = []
    try:
        names = list(labels.file_names(source, images))
    except FAULTS:
        return
    if all(isinstance(name, str) for name in names):
        digest_of_photographs(images, names, store=store)


def _check(found: Labelled) -> None:
    """What `Labelled` promises."""
    ids = [image["id"] for image in found.images]
    numbers = [entry["id"] for entry in found.categories]
    texts = [*(image["file_name"] for image in found.images), *found.left_out, *found.told]
    texts += [entry["name"] for entry in found.categories]
    keys = [(label.image_id, label.id) for label in found.labels]
    _promised(ids == sorted({*ids}), "images sorted by id")
    _promised(numbers == sorted({*numbers}), "categories sorted by id")
    _promised(all(_is_text(text) for text in texts), "names that can be written")
    _promised({label.image_id for label in found.labels} <= {*ids}, "labels of known images")
    _promised({label.category_id for label in found.labels} <= {*numbers}, "known classes")
    _promised(len({*keys}) == len(keys), "labels numbered within their image")
    _promised(all(label.place for label in found.labels), "a place for each label")
    for side in ("height", "width"):
        sides = [image[side] for image in found.images]
        _promised(all(s is None or (type(s) is int and s > 0) for s in sides), "sides in px")


def _is_text(value: Any) -> bool:
    """Whether it is text that can be written as UTF-8; nothing but that is printed and stored."""
    if not isinstance(value, str) or not value:
        return False
    value.encode()
    return True


def _try_gate(found: Labelled, images: Path) -> None:
    """What prepare makes of the labels, with photographs that are there and with any."""
    Admission(images, Prepare()).measured(found.images)
    sized = [{**image, **PLAIN, "height": HEIGHT, "width": WIDTH} for image in found.images]
    _hold(IMAGES, table_of(IMAGES, image_columns(sized, 2)))
    _hold(CATEGORIES, table_of(CATEGORIES, category_columns(found.categories)))
    for settings in SETTINGS:
        faults = Faults(Path("labels"))
        with _refused():
            rows, _, told = weak_rows(found, sized, settings, seed=0, faults=faults)
            _hold(WEAK_LABELS, rows_table(WEAK_LABELS, rows))
            _promised(all(map(_is_text, told)), "words")
        with _refused():
            faults.check()


def _hold(record: Any, table: pa.Table) -> None:
    try:
        validate(table, record, record.name)
    except ValueError as error:
        raise BrokenPromise(f"a table that holds: {error}") from error


def _try_truth(found: Labelled, path: Path, images: Path) -> None:
    """What translate writes, and what train and evaluate read of it."""
    found = renumbered(found, KNOWN)
    _check(found)
    sized = {image["id"]: {**image, "height": HEIGHT, "width": WIDTH} for image in found.images}
    faults = Faults(Path("labels"))
    truths = Truths(has_ids=found.has_ids, faults=faults)
    with path.open("w", encoding="utf-8") as file:
        made = truths.annotations(found.labels, sized)
        write_entries(file, {}, map(entry_of, sized.values()), iter(found.categories), made)
    with _refused():
        faults.check()
    json.loads(path.read_text(encoding="utf-8"))
    if truths.written:
        _promised(read_coco(path).annotations != [], "annotations that are read")
        _try_scoring(path, images)


def _try_scoring(path: Path, images: Path) -> None:
    """A COCO file as evaluate and train read it."""
    with _refused():
        read_coco(path, annotated=False)
    for reader in (_score, _evaluate):
        with _refused():
            reader(path)
    with _refused():
        _train(path, images)


def _score(path: Path) -> None:
    truth = Truth(path)
    for image in read_coco(path).images:
        with _refused():  # what is wrong with one keeps nothing from the others
            truth.objects(image["id"])


def _evaluate(path: Path) -> None:
    """Each image has one detection, where a mask of its size fits into memory."""
    truth = scoring_truth(path)
    some = {"category_id": truth["categories"][0]["id"], "bbox": [10, 10, 50, 40], "score": 0.5}
    results = []
    for image in truth["images"]:
        size = image["height"], image["width"]
        if size[0] * size[1] < LARGE:
            mask = masks_to_rles(np.ones((1, *size), dtype=np.uint8))[0]
            results.append({"image_id": image["id"], "segmentation": mask, **some})
    detector_ap(truth, results)


def _train(path: Path, images: Path) -> None:
    """All objects, and a first step of training on them."""
    labels = Labels(path)
    labels.masks_ignored("score")
    for number in labels.image_ids:
        with _refused():
            boxes = labels.objects(number).boxes
            _promised(bool((boxes[:, 2:] > boxes[:, :2]).all()), "boxes with an area")
    StepReader(images, labels, TRAIN, 0)(0)
