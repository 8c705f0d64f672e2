"""Labels without ids: what they are numbered by, and what one more of them shifts."""

import unicodedata
from typing import Any

import pytest

from stages.formats import assembly as module
from stages.formats.assembly import Assembly, image_id_of
from stages.formats.format import Labelled
from stages.runtime.faults import Faults

Rows = list[tuple[str, str]]
ROWS: Rows = [("b.png", "cat"), ("a.png", "dog"), ("b.png", "dog")]


def labelled(rows: Rows, names: Any = None) -> Labelled:
    assembly = Assembly(Faults())
    for number, (file_name, category) in enumerate(rows):
        assembly.label(assembly.image(file_name), category, place=f"line {number}")
    return assembly.labelled(names)


def test_nothing_is_put_together_of_nothing() -> None:
    found = labelled([])
    assert (found.images, found.labels, found.categories) == ([], [], [])
    assert not found.has_ids


def test_labels_are_numbered_within_their_image_and_classes_by_name() -> None:
    found = labelled(ROWS)
    a, b = image_id_of("a.png"), image_id_of("b.png")
    assert {(label.image_id, label.id, label.place) for label in found.labels} == {
        (b, 1, "line 0"),
        (a, 1, "line 1"),
        (b, 2, "line 2"),
    }
    keys = [(label.image_id, label.id) for label in found.labels]
    assert keys == sorted(keys)
    assert [image["id"] for image in found.images] == sorted([a, b])
    assert found.categories == [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]


def known(found: Labelled) -> set[tuple[int, int, str]]:
    names = {category["id"]: category["name"] for category in found.categories}
    return {(label.image_id, label.id, names[label.category_id]) for label in found.labels}


MORE: dict[str, Rows] = {
    "a row of another photograph before": [("0.png", "cat"), *ROWS],
    "a row of another photograph between": [ROWS[0], ("c.png", "dog"), *ROWS[1:]],
    "a row of a photograph at its end": [*ROWS, ("b.png", "ant")],
    "photographs in another order": [ROWS[1], ROWS[0], ROWS[2]],
    "a class": [("z.png", "ant"), *ROWS],
}


@pytest.mark.parametrize("rows", MORE.values(), ids=MORE.keys())
def test_one_more_shifts_nothing_else(rows: Rows) -> None:
    assert known(labelled(rows)) >= known(labelled(ROWS))


ALIKE = [r"a\b.png", "./a/b.png", "a//b.png", r".\a\b.png"]


@pytest.mark.parametrize("name", ALIKE)
def test_one_path_is_one_image_however_it_is_written(name: str) -> None:
    assert image_id_of(name) == image_id_of("a/b.png")
    found = labelled([("a/b.png", "cat"), (name, "cat")])
    assert [image["file_name"] for image in found.images] == ["a/b.png"]
    assert [label.id for label in found.labels] == [1, 2]


def test_composed_and_decomposed_accents_are_one_image() -> None:
    forms = [unicodedata.normalize(form, "caf\u00e9.png") for form in ("NFC", "NFD")]
    assert len({*forms}) == 2
    assert len({image_id_of(name) for name in forms}) == 1


OTHERS = ["a/c.png", "b.png", "A/b.png", "a/b.PNG", "a/b.png ", "a/x/../b.png", "", "\ud800.png"]


@pytest.mark.parametrize("name", OTHERS)
def test_other_paths_are_other_images_of_52_bits(name: str) -> None:
    assert image_id_of(name) != image_id_of("a/b.png")
    assert 0 <= image_id_of(name) < 1 << 52


def test_an_id_is_the_same_for_ever() -> None:
    assert image_id_of("a/b.png") == 0x88F7EC7982E1B  # printf a/b.png | sha256sum | cut -c1-13


def test_two_names_of_one_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "image_id_of", lambda name: 7)
    with pytest.raises(ValueError, match=r"names a\.png and b\.png have the same id\. Rename one"):
        labelled([("a.png", "cat"), ("b.png", "cat")])


@pytest.mark.parametrize("name", ["", " ", "\t", "\ud800.png"])
def test_a_name_that_cannot_be_written_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"the name of its photograph, '.*' is no text\. Correct"):
        Assembly(Faults()).image(name)


def test_a_size_may_come_later_and_has_to_stay() -> None:
    assembly = Assembly(Faults())
    number = assembly.image("a.png")
    assert assembly.image("a.png", height=6, width=8) == number
    assert assembly.image("a.png") == number
    (image,) = assembly.labelled().images
    assert image == {"id": number, "file_name": "a.png", "height": 6, "width": 8}
    with pytest.raises(ValueError, match=r"is of 9 x 6 px here, and of 8 x 6 px before\. Correct"):
        assembly.image("a.png", height=6, width=9)


def test_classes_that_the_file_numbers_keep_their_ids_and_are_all_there() -> None:
    found = labelled([("a.png", "2"), ("a.png", "0")], {2: "dog", 1: "ant", 0: "cat"})
    assert [label.category_id for label in found.labels] == [2, 0]
    assert [(entry["id"], entry["name"]) for entry in found.categories] == [
        (0, "cat"),
        (1, "ant"),
        (2, "dog"),
    ]


def test_what_was_counted_is_handed_on() -> None:
    assembly = Assembly(Faults())
    assembly.left_out["lines"] += 2
    assembly.told["boxes, turned"] += 1
    found = assembly.labelled()
    assert (found.left_out, found.told) == ({"lines": 2}, {"boxes, turned": 1})
