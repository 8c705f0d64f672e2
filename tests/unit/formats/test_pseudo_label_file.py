"""The file that export has written, read image by image."""

from pathlib import Path
from typing import Any

import pytest

from stages.formats.pseudo_label_file import box_of, mask_of, opened_labels
from tests.written_labels import IMAGES, SMALL, annotation, lone_box, usual, write_labels


def test_images_without_annotations_come_too(tmp_path: Path) -> None:
    empty = opened_labels(write_labels(tmp_path, []), "keep")
    assert [(image["id"], found) for image, found in empty.by_image()] == [
        (4, []),
        (5, []),
        (7, []),
    ]
    labels = opened_labels(write_labels(tmp_path, usual()), "keep")
    found = {image["id"]: [entry["id"] for entry in group] for image, group in labels.by_image()}
    assert found == {4: [11, 12, 13], 5: [], 7: [21, 22]}
    assert labels.info == {"description": "made"}


@pytest.mark.parametrize(
    ("ids", "numbers", "of_annotations"),
    [("keep", [0, 3, 9], [0, 0, 0, 3, 3]), ("from_one", [1, 2, 3], [1, 1, 1, 2, 2])],
)
def test_classes_keep_their_numbers_or_get_new_ones_in_order(
    tmp_path: Path, ids: str, numbers: list[int], of_annotations: list[int]
) -> None:
    labels = opened_labels(write_labels(tmp_path, usual()), ids)
    assert [entry["id"] for entry in labels.categories] == numbers
    assert [entry["name"] for entry in labels.categories] == ["cat", "dog & <co>", "unseen"]
    assert [entry["category_id"] for entry in labels.annotations()] == of_annotations


def test_a_mask_that_is_not_trusted_is_none() -> None:
    assert mask_of(lone_box(1, 4)) is None
    mask = mask_of(annotation(1, 4, SMALL))
    assert mask is not None
    assert (mask == SMALL).all()
    assert box_of(lone_box(1, 4)) == (1.5, 2.25, 30.0, 12.25)


def test_stems_keep_folders(tmp_path: Path) -> None:
    labels = opened_labels(write_labels(tmp_path, []), "keep")
    assert labels.stems() == {4: "sub/a.b", 5: "empty", 7: "ü <&>"}


NAMES: list[tuple[list[str], str]] = [
    (["/a.png"], "'/a.png' is not inside the folder"),
    (["x/../../a.png"], "is not inside the folder"),
    (["a\nb.png"], "control characters"),
    (["a.png", "a.jpg"], "a.png and a.jpg differ in their suffix alone"),
    (["x/a.png", "x/a"], "differ in their suffix alone"),
]


@pytest.mark.parametrize(("names", "words"), NAMES, ids=[str(names) for names, _ in NAMES])
def test_names_that_cannot_be_a_files_are_refused(
    tmp_path: Path, names: list[str], words: str
) -> None:
    images = [{**IMAGES[0], "id": n, "file_name": name} for n, name in enumerate(names)]
    labels = opened_labels(write_labels(tmp_path, [], images), "keep")
    with pytest.raises(ValueError, match=words):
        labels.stems()


@pytest.mark.parametrize("images", [["a.png", "x/a.png"], ["a.png", "a.b.png"]], ids=str)
def test_names_that_differ_otherwise_are_welcome(tmp_path: Path, images: list[str]) -> None:
    entries = [{**IMAGES[0], "id": n, "file_name": name} for n, name in enumerate(images)]
    assert (
        len(set(opened_labels(write_labels(tmp_path, [], entries), "keep").stems().values())) == 2
    )


def test_annotations_in_another_order_than_images_are_refused(tmp_path: Path) -> None:
    mixed = [annotation(1, 7, SMALL), annotation(2, 4, SMALL)]
    labels = opened_labels(write_labels(tmp_path, mixed), "keep")
    with pytest.raises(ValueError, match="annotations of image 4 are not in the order"):
        list(labels.by_image())


STRANGE: list[tuple[Any, str]] = [
    (b"", "it ends before its info"),
    (b'{"images": [], "annotations": []}', "its info are not where they should be"),
    (b"\xff\xfe", "no file of pseudo-labels"),
    (b'{"info": {},\n"images": [\n{"id": 1,\n', "no file of pseudo-labels"),
    (
        b'{"info": {},\n"images": [\n{"id": 1}\n],\n"categories": [\n{"name": 1}\n]}',
        "where they should be",
    ),
    (b'"images": [\n{"id": 1}\n],\n"categories": [\n{"id": 1}\n]}', "no file of pseudo-labels"),
]


@pytest.mark.parametrize(("data", "words"), STRANGE, ids=[str(data) for data, _ in STRANGE])
def test_a_file_of_another_make_is_refused_in_a_sentence(
    tmp_path: Path, data: bytes, words: str
) -> None:
    path = tmp_path / "strange.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=words) as refusal:
        opened_labels(path, "keep")
    assert "Give results/" in str(refusal.value)


def test_a_missing_file_and_a_folder_are_refused_in_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ValueError, match="no file of pseudo-labels"):
            opened_labels(path, "keep")
