import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.formats.exported import check_pseudo_labels, entries_of, label_counts
from stages.geometry.masks import masks_to_rles
from tests.pseudo_labels import rectangle_mask
from tests.written_labels import usual, write_labels, write_lines

MASK = rectangle_mask((20, 30), (3, 4, 8, 6))
OWN, GIVEN = ({"instance_id": 3, "box_given": given} for given in (False, True))
TRUSTED = {"bbox": [3.0, 4.0, 5.0, 2.0], "area": 10, "mask_weight": 1.0}
BOX_ONLY = {
    **{"bbox": [1.0, 2.0, 6.25, 7.5], "area": 46.88, "mask_weight": 0.0},
    "untrusted": "the mask has no pixels",
}


def annotation(mask: np.ndarray = MASK, **more: Any) -> dict[str, Any]:
    rle = masks_to_rles(mask[None])[0]
    segmentation = {"size": rle["size"], "counts": rle["counts"].decode()}
    keys = {
        "id": 1,
        "image_id": 5,
        "category_id": 2,
        "iscrowd": 0,
        "segmentation": segmentation,
        "score": 0.5,
    }
    return {**keys, "provenance": OWN, **more}


def write(folder: Path, *annotations: dict[str, Any]) -> Path:
    image = {"id": 5, "file_name": "a.png", "height": 20, "width": 30}
    path = folder / "labels.json"
    return write_lines(path, annotations, [image], [{"id": 2, "name": "a"}])


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [annotation(**TRUSTED)],
        [annotation(**TRUSTED, score=0.1) | {"mask_weight": 0.25}],
        [annotation(**TRUSTED) | {"mask_weight": 2.5}],
        [annotation(**{**TRUSTED, "bbox": [1.5, 2, 28.5, 17]}, provenance=GIVEN)],
        [
            annotation(**TRUSTED),
            annotation(**TRUSTED) | {"id": 0, "provenance": {**OWN, "instance_id": 4}},
        ],
        [annotation(np.zeros_like(MASK), **BOX_ONLY)],
        [annotation(**BOX_ONLY)],
    ],
    ids=[
        "none",
        "trusted",
        "trusted by a quarter",
        "trusted much",
        "a given box",
        "ids of any order",
        "box without mask",
        "box and untrusted mask",
    ],
)
def test_what_export_promises_passes(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    check_pseudo_labels(write(tmp_path, *entries), annotations=len(entries))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (annotation(**TRUSTED) | {"area": 11}, "area 11 for 10 pixels"),
        (annotation(**TRUSTED) | {"bbox": [3, 4, 5, 3]}, "for the hull"),
        (annotation(np.zeros_like(MASK), **TRUSTED), "without pixels has mask_weight 1.0"),
        (annotation(**TRUSTED) | {"mask_weight": -1}, "no number from 0 on"),
        (annotation(**BOX_ONLY) | {"untrusted": None}, "mask_weight 0, and no word of why"),
        (annotation(**TRUSTED) | {"mask_weight": float("nan")}, "no number from 0 on"),
        (annotation(**TRUSTED) | {"mask_weight": float("inf")}, "no number from 0 on"),
        (annotation(**TRUSTED, provenance=GIVEN) | {"bbox": [25, 2, 6.25, 7.5]}, "not inside"),
        (annotation(**TRUSTED, provenance=GIVEN) | {"area": 11}, "area 11 for 10 pixels"),
        (annotation(**BOX_ONLY) | {"bbox": [25, 2, 6.25, 7.5]}, "not inside"),
        (annotation(**BOX_ONLY) | {"bbox": [1, 2, 0, 7.5]}, "not inside"),
        (annotation(**BOX_ONLY) | {"area": 10}, "area 10 for a box of 46.88 px"),
    ],
    ids=[
        "area",
        "hull",
        "no pixels",
        "negative weight",
        "no reason",
        "no weight",
        "no limit",
        "a given box outside",
        "area beside a given box",
        "outside",
        "no width",
        "area of the box",
    ],
)
def test_a_fault_is_named(tmp_path: Path, entry: dict[str, Any], words: str) -> None:
    with pytest.raises(RuntimeError, match=f"annotation 1: .*{words}"):
        check_pseudo_labels(write(tmp_path, entry), annotations=1)


def test_a_missing_annotation_is_found(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="1 annotations instead of 2"):
        check_pseudo_labels(write(tmp_path, annotation(**TRUSTED)), annotations=2)


def test_labels_without_a_trusted_mask_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path, annotation(**TRUSTED), annotation(**BOX_ONLY) | {"id": 2})
    assert label_counts(path) == {"annotations": 2, "without_mask": 1}


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"id": 1, "provenance": {**OWN, "instance_id": 4}}, "its id is there twice"),
        ({"id": 2}, r"\(5, 3\) comes after \(5, 3\)"),
        ({"id": 2, "provenance": {**OWN, "instance_id": -1}}, r"\(5, -1\) comes after \(5, 3\)"),
    ],
    ids=["one id for two", "one object twice", "another order"],
)
def test_a_second_annotation_has_an_id_and_a_place_of_its_own(
    tmp_path: Path, second: dict[str, Any], words: str
) -> None:
    path = write(tmp_path, annotation(**TRUSTED), annotation(**TRUSTED) | second)
    with pytest.raises(RuntimeError, match=words):
        check_pseudo_labels(path, annotations=2)


def _lines(change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    return lambda text: "".join(change(text.splitlines(keepends=True)))


SPOILT: dict[str, tuple[Callable[[str], str], str]] = {
    "emptied": (lambda text: "", "it ends before its info"),
    "cut at a line": (_lines(lambda lines: lines[:-3]), "it ends before its annotations"),
    "cut in its images": (_lines(lambda lines: lines[:4]), "it ends before its images"),
    "cut before the counts": (_lines(lambda lines: lines[:-1]), "it ends before its counts"),
    "cut within a line": (lambda text: text[: len(text) // 2], "line 1"),
    "on one line": (lambda text: json.dumps(json.loads(text)), "it ends before its licenses"),
    "indented": (lambda text: json.dumps(json.loads(text), indent=1), "where they should be"),
    "doubled": (lambda text: text * 2, "something stands behind the end"),
    "reversed": (_lines(lambda lines: lines[::-1]), "its info are not where"),
    "an annotation gone": (
        _lines(lambda lines: [*lines[:-4], *lines[-3:]]),
        "it holds 4 annotations, but 5 were written",
    ),
    "an annotation twice": (
        _lines(lambda lines: [*lines[:-4], lines[-4], *lines[-4:]]),
        "it holds 6 annotations, but 5 were written",
    ),
    "an image gone": (_lines(lambda lines: [*lines[:3], *lines[4:]]), "its image 4 is not in"),
    "no comma": (_lines(lambda lines: [*lines[:-4], lines[-4][:-2] + "\n", *lines[-3:]]), "line"),
    "too deep": (lambda text: text.replace('{"id": 22,', "[" * 100_000), "recursion"),
    "a list for an entry": (lambda text: text.replace('{"id": 9,', "[1], {"), "line"),
    "NaN for a score": (lambda text: text.replace("0.75", "NaN"), "no finite number"),
    "text for a weight": (
        lambda text: text.replace('t": 1.0', 't": "1"'),
        "no finite number",
    ),
    "height 0": (lambda text: text.replace('"height": 20', '"height": 0'), "its id and size"),
    "a huge height": (lambda text: text.replace('"height": 20', '"height": 1000000000000'), "size"),
    "an odd code": (lambda text: text.replace('"counts": "', '"counts": "PPPPPPPPPPPP0'), "RLE"),
    "no provenance": (lambda text: text.replace('"provenance"', '"history"'), "lacks something"),
    "ids in a list": (lambda text: text.replace('"category_id": 0', '"category_id": [0]'), "ids"),
}


@pytest.mark.parametrize(("change", "words"), SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_file_is_refused_with_what_to_do(
    tmp_path: Path, change: Callable[[str], str], words: str
) -> None:
    path = write_labels(tmp_path, usual())
    assert len(list(entries_of(path))) == 3 + 3 + 5
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match=words) as refused:
        label_counts(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "remove it and run snakemake again" in str(refused.value)
    assert "\n" not in str(refused.value)
