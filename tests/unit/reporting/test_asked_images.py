"""Which image is asked for: by names that end alike, and by annotations."""

from pathlib import Path

import pytest

from stages.reporting.asked_images import annotation_asked, image_asked, named
from stages.tables.images import IMAGES
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import image_row, label_row, tag_row, write_rows

NAMES = ["a.png", "x/a.png", "x/y/b.png", "z/b.png", "c.png", "7"]


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ("", []),
        ("a.png", [0]),  # that very name
        ("x/a.png", [1]),
        ("y/b.png", [2]),
        ("b.png", [2, 3]),
        ("/data/x/a.png", [1]),  # the longest that it ends with
        ("./c.png", [4]),
        ("/data/c.png", [4]),
        (".png", []),  # by whole parts
        ("none.png", []),
    ],
)
def test_a_name_means_what_ends_alike(asked: str, places: list[int]) -> None:
    assert named(NAMES, asked) == places


def images(folder: Path) -> Path:
    rows = [image_row(k, file_name=name) for k, name in enumerate(NAMES)]
    return write_rows(folder / "images.parquet", IMAGES, rows)


@pytest.mark.parametrize(("asked", "wanted"), [("3", 3), ("a.png", 0), ("7", 5)])
def test_a_number_is_an_id_first_and_then_a_name(tmp_path: Path, asked: str, wanted: int) -> None:
    assert image_asked(images(tmp_path), asked) == wanted


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("b.png", r"2 images end so: x/y/b\.png \(image 2\), z/b\.png \(image 3\)\. Give more"),
        ("8", "there is no image 8 among the 6 of this run"),
        ("d.png", r"no image d\.png among the 6 of this run; like it are .*c\.png"),
        ("nothing", "there is no image nothing among the 6 of this run"),
    ],
)
def test_none_and_several_are_one_sentence(tmp_path: Path, asked: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        image_asked(images(tmp_path), asked)


def labels(folder: Path) -> Path:
    rows = [
        label_row(1, 3),
        label_row(1, 4, instance_id=3, bag_id=3),  # corrects it
        tag_row(1, 9),
        label_row(2, 5),
        tag_row(2, 9),
    ]
    return write_rows(folder / "weak_labels.parquet", WEAK_LABELS, rows)


@pytest.mark.parametrize(
    ("number", "image_id", "wanted"),
    [(3, None, (1, 3)), (4, None, (1, 3)), (5, 2, (2, 5)), (9, 2, (2, None)), (-2, 1, (1, -2))],
    ids=["an object", "what corrects it", "image known", "a tag", "born of a tag"],
)
def test_an_annotation_leads_to_its_object(
    tmp_path: Path, number: int, image_id: int | None, wanted: tuple[int, int | None]
) -> None:
    assert annotation_asked(labels(tmp_path), number, image_id) == wanted


@pytest.mark.parametrize(
    ("number", "image_id", "said"),
    [
        (8, None, "there is none of that id. See"),
        (3, 2, "there is none of that id in image 2"),
        (9, None, "2 images have one of that id, such as 1, 2"),
        (-1, None, "counted within each image"),
    ],
)
def test_an_annotation_that_is_not_clear_is_refused(
    tmp_path: Path, number: int, image_id: int | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        annotation_asked(labels(tmp_path), number, image_id)
