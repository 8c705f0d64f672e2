"""correct: from what came back of a tool to corrections, and from those to weak labels."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from stages import correct, review
from stages.formats.corrections import MASKS, laid_over, read_corrections
from stages.labels.given import born_again
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import rows_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.handed_out import graded, handed_out
from tests.sound_rows import label_row, pseudo_label_row
from tests.unit.test_review import as_submitted
from tests.written_labels import IMAGES, SIZE, Entry


def given_out(folder: Path, entries: list[Entry] | None = None) -> Path:
    """Labels that are handed out, with tasks beside them; the file of labels."""
    path = handed_out(folder, entries)
    review.main([f"--labels={path}", f"--out={folder / 'review'}"])
    return path


def run(labels: Path, corrected: Path, *more: str) -> dict[int, dict[str, Any]]:
    """Run correct; its annotations by id."""
    out = labels.parent / "corrections.json"
    words = [f"--labels={labels}", f"--corrected={corrected}", f"--out={out}"]
    correct.main([*words, f"--images={labels.parent / 'photographs'}", *more])
    return {entry["id"]: entry for entry in json.loads(out.read_text())["annotations"]}


def statuses(found: dict[int, dict[str, Any]]) -> dict[int, str]:
    return {number: entry["status"] for number, entry in found.items()}


def test_what_label_studio_submits_unchanged_is_accepted(tmp_path: Path) -> None:
    labels = given_out(tmp_path)
    found = run(labels, as_submitted(tmp_path / "review" / "label_studio.json"))
    assert statuses(found) == dict.fromkeys((11, 12, 13, 21), "accepted")
    assert {number: entry["instance_id"] for number, entry in found.items()} == {
        **{11: 11, 12: 12, 13: 13, 21: 21}
    }


def _cvat(folder: Path, change: Callable[[ElementTree.Element], None]) -> Path:
    path = folder / "review" / "cvat.xml"
    tree = ElementTree.parse(path)
    change(tree.getroot())
    tree.write(path, "utf-8", xml_declaration=True)
    return path


def test_cvat_does_not_tell_who_looked_so_that_what_is_unchanged_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = given_out(tmp_path)

    def mend(root: ElementTree.Element) -> None:
        image = next(one for one in root.iter("image") if one.get("name") == "sub/a.b.jpg")
        first, second, _ = image.findall("mask")
        image.remove(first)
        second.set("label", "cat")
        place = {"left": "20", "top": "10", "width": "4", "height": "2", "rle": "0, 8"}
        ElementTree.SubElement(image, "mask", {"label": "cat", "z_order": "0", **place})

    found = run(labels, _cvat(tmp_path, mend))
    assert statuses(found) == {11: "deleted", 12: "corrected", 13: "accepted", 22: "added"}
    assert found[12]["category_id"] == 0
    said = capsys.readouterr().err
    assert "1 images were looked at: 1 accepted, 1 corrected, 1 deleted, 1 added" in said
    assert "1 images came back as they were and are left alone" in said
    assert (
        statuses(run(labels, tmp_path / "review" / "cvat.xml", "--all-reviewed"))[21] == "accepted"
    )


def test_nothing_changed_is_no_correction(tmp_path: Path) -> None:
    labels = given_out(tmp_path)
    with pytest.raises(ValueError, match="nothing in it was looked at"):
        run(labels, tmp_path / "review" / "cvat.xml")


def test_a_class_that_is_not_ours_is_named(tmp_path: Path) -> None:
    labels = given_out(tmp_path)

    def rename(root: ElementTree.Element) -> None:
        next(root.iter("mask")).set("label", "wolf")

    with pytest.raises(ValueError, match="class 'wolf' is not among those of the labels"):
        run(labels, _cvat(tmp_path, rename))


def test_a_label_that_is_no_mask_stops_it_with_its_place(tmp_path: Path) -> None:
    labels = given_out(tmp_path)

    def point(root: ElementTree.Element) -> None:
        image = next(root.iter("image"))
        ElementTree.SubElement(image, "points", {"label": "cat", "points": "3,4"})

    with pytest.raises(ValueError, match=r"points 1: it has no mask\. Draw one, or delete it"):
        run(labels, _cvat(tmp_path, point))


def test_an_object_that_was_born_of_a_tag_gets_the_id_of_its_label(tmp_path: Path) -> None:
    born = graded(31, 4, provenance={"instance_id": -2, "box_given": False})
    labels = given_out(tmp_path, [born])
    [entry] = run(labels, as_submitted(tmp_path / "review" / "label_studio.json")).values()
    assert (entry["id"], entry["instance_id"]) == (31, 31)


IMAGE = {"id": 4, "file_name": "sub/a.b.jpg", "height": SIZE[0], "width": SIZE[1]}


def _laid(folder: Path, rows: list[dict[str, Any]], **statuses_of: str) -> Any:
    """Weak labels after corrections: of objects 11 to 13 of image 4 as `o11="deleted"` says."""
    labels = given_out(folder)
    found = run(labels, as_submitted(folder / "review" / "label_studio.json"))
    path = folder / "corrections.json"
    values = json.loads(path.read_text())
    kept = [entry for entry in found.values() if f"o{entry['id']}" in statuses_of]
    values["annotations"] = [{**e, "status": statuses_of[f"o{e['id']}"]} for e in kept]
    path.write_text(json.dumps(values))
    return laid_over(rows, read_corrections(path), {4: IMAGE}, {0, 3})


def test_a_mended_mask_is_a_label_of_its_object_whose_point_stays(tmp_path: Path) -> None:
    points = [label_row(4, n, category_id=7) for n in (11, 12, 13)]
    rows, counts = _laid(tmp_path, points, o11="accepted", o12="corrected", o13="deleted")
    assert rows_table(WEAK_LABELS, rows).num_rows == 5
    told = [(row["instance_id"], row["kind"], row["status"], row["category_id"]) for row in rows]
    assert told == [
        *((12, "mask", "corrected", 3), (11, "mask", "accepted", 0)),
        *((11, "point", "given", 0), (12, "point", "given", 3), (13, "point", "deleted", 7)),
    ]
    assert [row["label_id"] for row in rows[:2]] == [MASKS - 12, MASKS - 11]
    assert counts == {"labels accepted": 1, "labels corrected": 1, "labels deleted": 1}


def test_what_was_born_of_a_tag_leaves_its_mask_behind_when_it_is_deleted(tmp_path: Path) -> None:
    rows, _ = _laid(tmp_path, [], o11="deleted")
    [row] = rows
    assert (row["kind"], row["status"]) == ("mask", "deleted")
    made = pseudo_label_row(4, -1, category_id=0, rle=row["rle"], height=SIZE[0], width=SIZE[1])
    other = {**made, "instance_id": -2, "category_id": 3}
    table = rows_table(PSEUDO_LABELS, [other, made])
    assert born_again(table, rows_table(WEAK_LABELS, rows)) == [-1]
    assert born_again(table, rows_table(WEAK_LABELS, [])) == []


def test_corrections_of_photographs_that_are_gone_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "corrections.json"
    given_out(tmp_path)
    run(tmp_path / "pseudo_labels.json", as_submitted(tmp_path / "review" / "label_studio.json"))
    rows, counts = laid_over([], read_corrections(path), {}, {0, 3})
    assert rows == []
    assert counts == {"corrections of images that are not among the photographs": 4}


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another version": (lambda v: v["info"].update(version=2), "version 2"),
    "no info": (lambda v: v.pop("info"), "info"),
    "an odd status": (lambda v: v["annotations"][0].update(status="odd"), "status 'odd' is none"),
    "no image": (lambda v: v["annotations"][0].update(image_id=99), "image 99 is not listed"),
    "twice": (lambda v: v["annotations"].append(v["annotations"][0]), "is there twice"),
    "an id of text": (lambda v: v["annotations"][0].update(instance_id="x"), "no whole number"),
    "no list": (lambda v: v.update(annotations=3), "TypeError"),
}


@pytest.mark.parametrize(("change", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_a_file_that_is_no_file_of_corrections_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    labels = given_out(tmp_path)
    run(labels, as_submitted(tmp_path / "review" / "label_studio.json"))
    path = tmp_path / "corrections.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=words) as told:
        read_corrections(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("images", "classes", "words"),
    [
        ({4: {**IMAGE, "file_name": "b.jpg"}}, {0, 3}, "that is b.jpg here"),
        ({4: IMAGE}, {0}, "there is no class 3"),
        ({4: {**IMAGE, "height": 9}}, {0, 3}, "RLE of size"),
    ],
    ids=["another photograph", "no class", "another size"],
)
def test_corrections_of_other_labels_are_refused(
    tmp_path: Path, images: dict[int, Any], classes: set[int], words: str
) -> None:
    labels = given_out(tmp_path)
    run(labels, as_submitted(tmp_path / "review" / "label_studio.json"))
    found = read_corrections(tmp_path / "corrections.json")
    with pytest.raises(ValueError, match=words):
        laid_over([], found, images, classes)


def test_images_without_labels_can_get_one(tmp_path: Path) -> None:
    labels = given_out(tmp_path)
    mask = graded(50, 5)
    whole = {
        "images": [{**IMAGES[1]}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{**mask, "category_id": 1}],
    }
    path = tmp_path / "back.json"
    path.write_text(json.dumps(whole))
    found = run(labels, path)
    assert statuses(found) == {22: "added"}
    assert found[22]["image_id"] == 5
