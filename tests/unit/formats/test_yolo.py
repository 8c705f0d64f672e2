"""YOLO text files from strangers: each line is read, each fault named with its file and line."""

from pathlib import Path
from typing import Any

import pytest

from stages.formats.format import Labelled
from stages.formats.yolo import file_names, read, sources
from stages.runtime.faults import Faults

YAML = "path: .\ntrain: images\nnc: 2\nnames: [cat, dog]\n"
BOX = "1 0.5 0.5 0.25 0.5"


def dataset(folder: Path, files: dict[str, Any]) -> None:
    """Files by path; photographs are empty, since nobody opens them."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def found(source: Path, images: Path) -> Labelled:
    """What `read` returns of files without faults."""
    faults = Faults(source)
    labelled = read(source, images, faults)
    faults.check()
    return labelled


def lines(folder: Path, content: Any, yaml: str = YAML) -> Path:
    """A data set of one photograph; returns its data.yaml."""
    dataset(folder, {"images/a.jpg": "", "labels/a.txt": content, "data.yaml": yaml})
    return folder / "data.yaml"


POSE = YAML + "kpt_shape: [1, {}]\n"
AREA = (0.375, 0.25, 0.625, 0.75)
OUTLINE = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]
LINES = {
    "box": (BOX, YAML, (None, AREA, None)),
    "box of the whole image": ("1 .5 .5 1 1", YAML, (None, (0, 0, 1, 1), None)),
    "class as a float": ("1.0" + BOX[1:], YAML, (None, AREA, None)),
    "outline": ("1 0 0 1 0 1 1", YAML, (None, None, [OUTLINE])),
    "rounded beyond the side": ("1 0 0 1 0 1 1.01", YAML, (None, None, [[*OUTLINE[:5], 1.01]])),
    "keypoint": (BOX + " 0.5 0.75", POSE.format(2), ((0.5, 0.75), AREA, None)),
    "visible keypoint": (BOX + " 0.5 0.75 2", POSE.format(3), ((0.5, 0.75), AREA, None)),
    "BOM, CRLF, blanks": ("\ufeff" + f"\r\n  {BOX}\t\r\n\r\n", YAML, (None, AREA, None)),
}


@pytest.mark.parametrize(("content", "yaml", "shape"), LINES.values(), ids=LINES.keys())
def test_each_kind_of_line_is_read(tmp_path: Path, content: str, yaml: str, shape: Any) -> None:
    labelled = found(lines(tmp_path, content, yaml), tmp_path / "images")
    (label,) = labelled.labels
    assert (label.point, label.box, label.mask) == shape
    assert label.is_relative
    assert label.category_id == 1
    assert label.place.startswith("a.txt: line ")
    assert labelled.categories == [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
    assert not labelled.told
    assert not labelled.left_out
    assert not labelled.has_ids


TOLD = {
    "confidence": (BOX + " 0.9", YAML, {"confidences after boxes, which are not read": 1}, {}),
    "oriented boxes alone": (
        "1 0 0 1 0 1 1 0 1",
        YAML,
        {"outlines, all of four corners as oriented boxes have, as masks": 1},
        {},
    ),
    "four corners among outlines": ("1 0 0 1 0 1 1 0 1\n1 0 0 1 0 1 1", YAML, {}, {}),
    "hidden keypoint": (
        BOX + " 0 0 0",
        POSE.format(3),
        {},
        {"keypoints that are not visible": 1},
    ),
    "keypoint below 0": (
        BOX + " -1 -1",
        POSE.format(2),
        {},
        {"keypoints that are not visible": 1},
    ),
    "a line twice": (f"{BOX}\n{BOX}", YAML, {}, {"lines that stand twice in a file": 1}),
    "no names": (BOX, "nc: 2", {"classes without a name, called by their number": 2}, {}),
}


@pytest.mark.parametrize(("content", "yaml", "told", "left_out"), TOLD.values(), ids=TOLD.keys())
def test_what_is_taken_otherwise_or_left_out_is_counted(
    tmp_path: Path, content: str, yaml: str, told: dict[str, int], left_out: dict[str, int]
) -> None:
    labelled = found(lines(tmp_path, content, yaml), tmp_path / "images")
    assert (labelled.told, labelled.left_out) == (told, left_out)
    assert all(label.point is None for label in labelled.labels)
    assert labelled.labels


NAMES = {
    "list": ("names: [cat, dog]", ["cat", "dog"]),
    "by index": ("names: {0: cat, 1: dog}", ["cat", "dog"]),
    "by digits in quotes": ("names: {'1': dog, '0': cat}", ["cat", "dog"]),
    "numbers": ("names: [7, 1.5]", ["7", "1.5"]),
    "count alone": ("nc: 2", ["0", "1"]),
}


@pytest.mark.parametrize(("yaml", "names"), NAMES.values(), ids=NAMES.keys())
def test_names_are_read_however_they_stand(tmp_path: Path, yaml: str, names: list[str]) -> None:
    categories = found(lines(tmp_path, BOX, yaml), tmp_path / "images").categories
    assert categories == [{"id": index, "name": name} for index, name in enumerate(names)]


PLACES: dict[str, tuple[str, str, str, str]] = {
    "beside images": ("data.yaml", "images", "images/a.jpg", "labels/a.txt"),
    "of a part": ("data.yaml", "images/train", "images/train/b/a.PNG", "labels/train/b/a.txt"),
    "the last images": ("data.yaml", "images/images", "images/images/a.jpg", "images/labels/a.txt"),
    "Roboflow's": ("data.yaml", "train/images", "train/images/a.jpg", "train/labels/a.txt"),
    "images inside": ("data.yaml", "train", "train/images/a.jpg", "train/labels/a.txt"),
    "beside photographs": ("data.yaml", "photos", "photos/a.b.tiff", "photos/a.b.txt"),
    "a folder": ("other", "images", "images/b/a.jpg", "other/b/a.txt"),
    "the folder of all": ("", "images/train", "images/train/a.webp", "labels/train/a.txt"),
    "the folder of labels": ("labels", "images/val", "images/val/a.bmp", "labels/val/a.TXT"),
}


@pytest.mark.parametrize(
    ("source", "images", "photograph", "text"), PLACES.values(), ids=PLACES.keys()
)
def test_label_files_are_found(
    tmp_path: Path, source: str, images: str, photograph: str, text: str
) -> None:
    dataset(tmp_path, {photograph: "", text: BOX, "data.yaml": YAML})
    labelled = found(tmp_path / source, tmp_path / images)
    names = [str((tmp_path / photograph).relative_to(tmp_path / images))]
    assert [image["file_name"] for image in labelled.images] == names
    assert [label.box for label in labelled.labels] == [AREA]
    assert [entry["name"] for entry in labelled.categories] == ["cat", "dog"]
    assert file_names(tmp_path / source, tmp_path / images) == names
    assert set(sources(tmp_path / source, tmp_path / images)) == {
        tmp_path / "data.yaml",
        tmp_path / text,
    }


CLASSES = {
    "none": ({}, ["1"], 1),
    "beside": ({"other/classes.txt": "cat\ndog\n"}, ["cat", "dog"], 0),
    "one above": ({"classes.txt": "cat\r\ndog"}, ["cat", "dog"], 0),
    "yaml first": ({"other/classes.txt": "a\nb", "data.yaml": YAML}, ["cat", "dog"], 0),
}


@pytest.mark.parametrize(("files", "names", "told"), CLASSES.values(), ids=CLASSES.keys())
def test_classes_of_a_folder_are_found(
    tmp_path: Path, files: dict[str, str], names: list[str], told: int
) -> None:
    dataset(tmp_path, {"images/a.jpg": "", "other/a.txt": BOX, **files})
    labelled = found(tmp_path / "other", tmp_path / "images")
    assert [entry["name"] for entry in labelled.categories] == names
    assert len(labelled.told) == told
    assert labelled.labels[0].category_id == 1


def test_photographs_without_objects_are_images(tmp_path: Path) -> None:
    path = lines(tmp_path, BOX)
    dataset(tmp_path, {"labels/b.txt": "\n", "images/b.jpg": "", "images/c/c.jpg": ""})
    labelled = found(path, tmp_path / "images")
    assert {image["file_name"] for image in labelled.images} == {"a.jpg", "b.jpg", "c/c.jpg"}
    assert len(labelled.labels) == 1
    assert labelled.told == {"photographs without a label file, which have no labels": 1}
    assert sorted(file_names(path, tmp_path / "images")) == ["a.jpg", "b.jpg", "c/c.jpg"]


def test_lists_notes_and_hidden_files_are_no_label_files(tmp_path: Path) -> None:
    path = lines(tmp_path, BOX)
    names = ["classes", "train", "val2017", "README.roboflow", "autosplit_train", "._a"]
    dataset(tmp_path, {f"labels/{name}.txt": "./images/a.jpg" for name in names})
    dataset(tmp_path, {"images/._a.jpg": "", "images/a.txt~": "", "images/a.json": ""})
    labelled = found(path, tmp_path / "images")
    assert len(labelled.images) == 1
    assert labelled.left_out == {"text files that are no label files": 5}


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    path = lines(tmp_path / "set", BOX)
    dataset(tmp_path, {"elsewhere/b.txt": "secret"})
    (tmp_path / "set/labels/more").symlink_to(tmp_path / "elsewhere")
    assert len(found(path, tmp_path / "set/images").labels) == 1
    assert len(sources(path, tmp_path / "set/images")) == 2


LINE_FAULTS: dict[str, tuple[Any, str, str]] = {
    "no numbers": ("1", YAML, "a.txt: line 1: 0 numbers after the class. Write the class, then"),
    "three": ("\n1 0 0 1", YAML, "a.txt: line 2: 3 numbers after the class"),
    "an odd count": ("1 0 0 1 0 1 1 0", YAML, "line 1: 7 numbers after the class"),
    "two corners": ("1 0 0 1 0 2", YAML, "5 numbers after the class"),
    "a word": ("1 0.5 half 1 1", YAML, "'half' is no finite number. Correct it, or rem"),
    "NaN": ("1 0.5 nan 1 1", YAML, "'nan' is no finite number"),
    "huge": (f"1 0.5 {'9' * 400} 1 1", YAML, "is no finite number"),
    "commas": (BOX.replace(" ", ","), YAML, "is no finite number"),
    "px": ("1 320 240 64 48", YAML, "320 is no share of a side. Coordinates must be divided by"),
    "below 0": ("1 0 0 1 0 1 -0.02", YAML, "-0.02 is no share"),
    "no side": ("1 0.5 0.5 0 1", YAML, "the box has sides of 0.0 and 1.0"),
    "class by name": ("dog 0.5 0.5 1 1", YAML, "'dog' is no finite number"),
    "half a class": ("0.5 0.5 0.5 1 1", YAML, "0.5 is no whole number. Correct it"),
    "class below 0": ("-1 0.5 0.5 1 1", YAML, "-1 is not from 0"),
    "class beyond": ("2 0.5 0.5 1 1", YAML, "class 2 is not among the 2 classes, which count from"),
    "huge class": ("1e300 0.5 0.5 1 1", "names: [cat]", "is not from 0 to"),
    "no keypoint": (BOX, POSE.format(3), "4 numbers after the class, not 7"),
    "keypoint in px": (BOX + " 99 99 2", POSE.format(3), "99 is no share"),
    "Latin-1": ("é".encode("latin-1"), YAML, "a.txt: not text in UTF-8. Save it as UTF-8"),
    "UTF-16": (BOX.encode("utf-16"), YAML, "a.txt: not text in UTF-8"),
}


@pytest.mark.parametrize(("content", "yaml", "said"), LINE_FAULTS.values(), ids=LINE_FAULTS.keys())
def test_a_fault_of_a_line_names_it_and_leaves_the_others(
    tmp_path: Path, content: Any, yaml: str, said: str
) -> None:
    path = lines(tmp_path, content, yaml)
    good = BOX + " 0.5 0.5 2" if "kpt" in yaml else "0 0.5 0.5 1 1"
    dataset(tmp_path, {"labels/b.txt": good, "images/b.jpg": ""})
    faults = Faults(path)
    labelled = read(path, tmp_path / "images", faults)
    with pytest.raises(ValueError, match=said):
        faults.check()
    assert len(faults) == 1
    assert [label.place for label in labelled.labels] == ["b.txt: line 1"]


FILE_FAULTS = {
    "no photograph": ({"labels/b/b.txt": BOX}, "b/b.txt: there is no photograph of .* b/b.jpg, in"),
    "two photographs": ({"images/a.png": ""}, "a.txt: a.jpg and a.png have this name. Rename"),
    "two label files": ({"labels/a.TXT": BOX}, "a.txt: a.TXT is a label file of a.jpg, too"),
}


@pytest.mark.parametrize(("files", "said"), FILE_FAULTS.values(), ids=FILE_FAULTS.keys())
def test_a_label_file_has_one_photograph(tmp_path: Path, files: dict[str, str], said: str) -> None:
    path = lines(tmp_path, BOX)
    dataset(tmp_path, files)
    faults = Faults(path)
    read(path, tmp_path / "images", faults)
    with pytest.raises(ValueError, match=said):
        faults.check()
    assert len(faults) == 1


YAML_FAULTS = {
    "empty": ("", "its top level has no keys. Write names"),
    "a list": ("[1, 2]", "its top level has no keys"),
    "no names": ("path: .", "neither names nor nc"),
    "not the YAML of": ("names: [cat", "not the YAML of a data set .while parsing"),
    "odd tag": ("names: !!int ''", "not the YAML of"),
    "an object": ("names: !!python/object:os.system {}", "not the YAML of"),
    "nested": ("[" * 2**20, "nested deeper than 20"),
    "a time of many parts": ("names: 1:" + "59:" * 200 + "5.5", "not the YAML of"),
    "a time of all too many": ("names: " + "1:" * 400_000 + "5", "a word of 800001 characters"),
    "aliases": ("a: &a [1]\nnames: [*a, *a]", "there are aliases"),
    "names as text": ("names: cat dog", "names 'cat dog' is no list"),
    "no word": ("names: [cat, no]", "class 1: False is no text. Correct it, in quotes where"),
    "null": ("names: {0: cat, 1: null}", "class 1: None is no text"),
    "a name as index": ("names: {cat: 0}", "an index in names: 'cat' is no whole number"),
    "an index twice": ("names: {0: cat, '0': dog}", "index 0 twice"),
    "another count": ("nc: 3\nnames: [cat, dog]", "nc is 3, with 2 names"),
    "odd count": ("nc: many", "nc: 'many' is no whole number"),
    "huge count": ("nc: 99999999999", "nc: 99999999999 is not from 1"),
    "skeletons": (YAML + "kpt_shape: [17, 3]", r"\[17, 3\]: which of the keypoints is the point"),
    "odd keypoints": (YAML + "kpt_shape: 3", r"kpt_shape 3 is not \[1, 2\] or \[1, 3\]"),
    "not UTF-8": (b"names: [\xff]", "not text in UTF-8"),
    "too large": ("#" * 2**21, "bytes are no names of classes"),
}


@pytest.mark.parametrize(("yaml", "said"), YAML_FAULTS.values(), ids=YAML_FAULTS.keys())
def test_a_faulty_data_yaml_is_refused(tmp_path: Path, yaml: Any, said: str) -> None:
    path = lines(tmp_path, BOX)
    dataset(tmp_path, {"data.yaml": yaml})
    with pytest.raises(ValueError, match=said) as raised:
        read(path, tmp_path / "images", Faults(path))
    assert str(raised.value).startswith(f"{path}: ")


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    images = tmp_path / "images"
    dataset(tmp_path, {"images/a.jpg": "", "data.yaml": YAML, "empty/classes.txt": "", "a.csv": ""})
    cases = {
        "none.yaml": "no such file or folder. Correct dataset",
        "data.yaml": "images: there is no label file in this folder, such as a.txt",
        "a.csv": "neither a data.yaml nor a folder",
        "empty": "there is no label file in this folder",
    }
    for name, said in cases.items():
        with pytest.raises(ValueError, match=said):
            read(tmp_path / name, images, Faults(images))
    with pytest.raises(ValueError, match="no such folder of photographs"):
        read(tmp_path, tmp_path / "none", Faults(images))
    dataset(tmp_path, {"empty/a.txt": BOX})
    (tmp_path / "data.yaml").unlink()
    with pytest.raises(ValueError, match=r"classes.txt: it is empty, or a line of it is"):
        read(tmp_path / "empty", images, Faults(images))


def test_sources_of_what_is_missing_is_itself(tmp_path: Path) -> None:
    assert sources(tmp_path / "none.yaml", tmp_path) == [tmp_path / "none.yaml"]
    (tmp_path / "empty").mkdir()
    assert sources(tmp_path / "empty", tmp_path / "none") == [tmp_path / "empty"]
    assert not file_names(tmp_path / "empty", tmp_path / "none")


def test_labels_beside_the_data_yaml_may_lie_far_from_the_photographs(tmp_path: Path) -> None:
    """As `convert` writes them, with a list of photographs."""
    files = {"photos/a.jpg": "", "out/labels/a.txt": BOX, "out/data.yaml": YAML}
    dataset(tmp_path, {**files, "out/images.txt": "images/a.jpg\n"})
    for source in (tmp_path / "out", tmp_path / "out" / "data.yaml"):
        labelled = found(source, tmp_path / "photos")
        assert [label.box for label in labelled.labels] == [AREA]
        assert labelled.categories == [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
