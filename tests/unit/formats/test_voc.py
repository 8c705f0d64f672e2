"""Pascal VOC: what an object becomes, which files are read, and what is said of faulty ones."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from stages.formats.assembly import image_id_of
from stages.formats.format import Label, Labelled
from stages.formats.mask_forms import IndexedPng
from stages.formats.voc import file_names, read, sources
from stages.runtime.faults import Faults

BOX = "<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox>"
SIZE = "<size><width>8</width><height>6</height><depth>3</depth></size>"
HEAD = f"<folder>VOC2012</folder><filename>a.jpg</filename>{SIZE}"
PART = f"<part><name>head</name>{BOX.format(9, 9, 9, 9)}</part>"


def thing(inside: str = BOX.format(2, 3, 4, 5), name: str = "dog") -> str:
    return (
        f"<object><name>{name}</name><pose>Left</pose><truncated>0</truncated>{inside}"
        f"<difficult>0</difficult></object>"
    )


def write(root: Path, objects: str, name: str = "a", head: str = HEAD) -> Path:
    path = root / "Annotations" / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = head.replace("a.jpg", f"{path.stem}.jpg")
    path.write_text(f"<annotation>\n{head}\n{objects}\n</annotation>", encoding="utf-8")
    return path


def png(root: Path, name: str = "a") -> Path:
    path = root / "SegmentationObject" / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


def listing(root: Path, text: str, folder: str = "Main", name: str = "train.txt") -> Path:
    path = root / "ImageSets" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def taken(source: Path, images: Path) -> Labelled:
    faults = Faults(source)
    found = read(source, images, faults)
    faults.check()
    return found


def labels_of(root: Path, objects: str) -> Sequence[Label]:
    write(root, objects)
    return taken(root, root).labels


def test_a_photograph_without_objects_is_taken_too(tmp_path: Path) -> None:
    write(tmp_path, "", name="b")
    write(tmp_path, thing())
    found = taken(tmp_path, tmp_path)
    assert {image["file_name"] for image in found.images} == {"a.jpg", "b.jpg"}
    assert (found.images[0]["height"], found.images[0]["width"]) == (6, 8)
    assert found.categories == [{"id": 1, "name": "dog"}]
    assert not found.has_ids


def test_an_object_becomes_a_box_in_px_from_0_half_open(tmp_path: Path) -> None:
    (label,) = labels_of(tmp_path, thing(PART + BOX.format(2, 3, "4.5", 5)))
    place = "a.xml: object 1"
    assert label == Label(1, image_id_of("a.jpg"), 1, box=(1, 2, 4.5, 5), place=place)


def test_the_first_pixel_is_the_box_1_1_1_1(tmp_path: Path) -> None:
    (label,) = labels_of(tmp_path, thing(BOX.format(1, 1, 1, 1)))
    assert label.box == (0, 0, 1, 1)


def test_a_point_is_the_centre_of_its_pixel(tmp_path: Path) -> None:
    (label,) = labels_of(tmp_path, thing("<point><x>1</x><y>3</y></point>"))
    assert (label.point, label.box) == ((0.5, 2.5), None)


def test_files_that_begin_below_1_are_counted_from_0(tmp_path: Path) -> None:
    write(tmp_path, thing(BOX.format(0, 3, 4, 5)), name="b")
    write(tmp_path, thing() + thing("<point><x>1</x><y>3</y></point>"))
    found = taken(tmp_path, tmp_path)
    assert {label.box for label in found.labels} == {(0, 3, 4, 5), (2, 3, 4, 5), None}
    assert {label.point for label in found.labels} == {(1, 3), None}
    assert list(found.told.values()) == [3]


def test_difficult_objects_are_kept_and_counted(tmp_path: Path) -> None:
    write(tmp_path, thing().replace("<difficult>0", "<difficult>1") + thing())
    found = taken(tmp_path, tmp_path)
    assert len(found.labels) == 2
    assert found.told == {"difficult objects, taken as others are": 1}
    assert found.left_out == {}


def test_polygons_beside_a_box_are_counted(tmp_path: Path) -> None:
    write(tmp_path, thing(BOX.format(2, 3, 4, 5) + "<polygon><x1>1</x1></polygon>"))
    assert taken(tmp_path, tmp_path).left_out == {"polygons of objects, which are not VOC's": 1}


def test_object_k_has_the_value_k_of_its_picture_beside_its_box(tmp_path: Path) -> None:
    path = png(tmp_path)
    write(tmp_path, thing(), name="b")
    write(tmp_path, thing() + thing())
    found = taken(tmp_path, tmp_path).labels
    masks = [label.mask for label in found if label.image_id == image_id_of("a.jpg")]
    assert masks == [IndexedPng(path, 1), IndexedPng(path, 2)]
    assert [label.mask for label in found if label.image_id == image_id_of("b.jpg")] == [None]
    assert all(label.box == (1, 2, 4, 5) for label in found)


def test_a_faulty_object_counts_among_the_masks(tmp_path: Path) -> None:
    path = png(tmp_path)
    write(tmp_path, thing(name="") + thing())
    (label,) = read(tmp_path, tmp_path, Faults(tmp_path)).labels
    assert label.mask == IndexedPng(path, 2)


HEADS = {
    "no size": ("<filename>a.jpg</filename>", "a.jpg", None),
    "size 0": (HEAD.replace(">8<", ">0<"), "a.jpg", None),
    "a size with a point": (HEAD.replace(">8<", ">8.0<"), "a.jpg", 8),
    "no file name": (SIZE, "a.jpg", 8),
    "a path": ("<filename>sub\\b c.png</filename>", "sub\\b c.png", None),
    "no suffix": ("<filename>b</filename>", "b.png", None),
}


@pytest.mark.parametrize(("head", "name", "width"), HEADS.values(), ids=HEADS.keys())
def test_name_and_size_of_the_photograph(
    tmp_path: Path, head: str, name: str, width: int | None
) -> None:
    (tmp_path / "b.png").touch()
    write(tmp_path, thing(), head=head)
    (image,) = taken(tmp_path, tmp_path).images
    assert (image["file_name"], image["width"]) == (name, width)


def test_a_photograph_may_lie_in_folders_as_its_xml_does(tmp_path: Path) -> None:
    write(tmp_path, thing(), name="x/a")
    write(tmp_path, thing(), name="y/b")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.jpg").touch()
    assert sorted(file_names(tmp_path, tmp_path)) == ["b.jpg", "x/a.jpg"]


def test_a_root_its_annotations_and_one_file_are_read(tmp_path: Path) -> None:
    xml, mask = write(tmp_path, thing()), png(tmp_path)
    for source in (tmp_path, tmp_path / "Annotations", xml):
        (label,) = taken(source, tmp_path).labels
        assert label.mask == IndexedPng(mask, 1)
        assert sources(source, tmp_path) == [xml, mask]


def test_a_folder_of_xml_files_beside_photographs_is_read(tmp_path: Path) -> None:
    write(tmp_path / "train", thing(), name="deep/a")
    write(tmp_path / "train", thing(), name=".hidden")
    (tmp_path / "train" / "Annotations").rename(tmp_path / "train" / "x")
    assert file_names(tmp_path / "train" / "x", tmp_path) == ["a.jpg"]


LISTS = {
    "names": ("a\n\nc\n", ["a", "c"]),
    "a name twice": ("c\nc", ["c"]),
    "of a class": ("a  1\nb -1\nc  0\n", ["a"]),
    "a name that ends in a number": ("d 1\na", ["a", "d 1"]),
    "with a BOM": ("\ufeffa", ["a"]),
}


@pytest.mark.parametrize(("text", "names"), LISTS.values(), ids=LISTS.keys())
def test_a_list_says_what_is_read(tmp_path: Path, text: str, names: list[str]) -> None:
    for name in ("a", "b", "c", "d 1"):
        write(tmp_path, thing(), name=name)
    png(tmp_path, "b")
    mask = png(tmp_path, names[0])
    path = listing(tmp_path, text)
    xmls = [tmp_path / "Annotations" / f"{name}.xml" for name in names]
    assert sources(path, tmp_path) == [path, *xmls, mask]
    assert sorted(file_names(path, tmp_path)) == [f"{name}.jpg" for name in names]


OBJECTS = {
    "no name": (thing(name=" "), "a.xml: object 1: it has no name"),
    "no box": (thing() + thing(""), "a.xml: object 2: it has neither a bndbox nor a point"),
    "a side is missing": (thing("<bndbox/>"), "a.xml: object 1: its bndbox has no xmin"),
    "a side is empty": (thing(BOX.format("", 1, 2, 2)), "a.xml: object 1: xmin: '' is no finite"),
    "a side is a word": (
        thing(BOX.format(1, 1, "x", 2)),
        "object 1: xmax: 'x' is no finite number",
    ),
    "NaN": (thing(BOX.format(1, "NaN", 2, 2)), "object 1: ymin: 'NaN' is no finite number"),
    "a point is a word": (
        thing("<point><x>1</x><y>b</y></point>"),
        "object 1: y: 'b' is no finite",
    ),
    "size is a word": (SIZE.replace("8", "w"), "a.xml: size: 'w' is no finite number"),
    "size below 0": (SIZE.replace("8", "-8"), "a.xml: size: -8 is not from 0"),
    "not closed": ("<object>", "a.xml: it is no sound XML: mismatched tag, line 4"),
    "an entity": ("&b;", "a.xml: it is no sound XML: undefined entity"),
}


@pytest.mark.parametrize(("objects", "said"), OBJECTS.values(), ids=OBJECTS.keys())
def test_a_faulty_entry_is_named(tmp_path: Path, objects: str, said: str) -> None:
    write(tmp_path, objects, head="" if "size" in said else HEAD)
    faults = Faults(tmp_path)
    read(tmp_path, tmp_path, faults)
    with pytest.raises(ValueError, match="xml") as caught:
        faults.check()
    assert said in str(caught.value)


FILES = {
    "empty file": ("", "a.xml: it is no sound XML: no element found, line 1"),
    "another root": ("<annotations/>", "its root is <annotations>, not <annotation>"),
    "a document type": ("<!DOCTYPE a><annotation/>", "a.xml: it has a document type"),
    "same photograph": ("<annotation><filename>b.jpg</filename></annotation>", "of b.xml|of a.xml"),
}


@pytest.mark.parametrize(("text", "said"), FILES.values(), ids=FILES.keys())
def test_a_faulty_file_is_named_and_the_others_are_read(
    tmp_path: Path, text: str, said: str
) -> None:
    write(tmp_path, thing(), name="b")
    (tmp_path / "Annotations" / "a.xml").write_text(text)
    faults = Faults(tmp_path)
    read(tmp_path, tmp_path, faults)
    assert len(faults) == 1
    with pytest.raises(ValueError, match=said):
        faults.check()


def test_a_picture_holds_254_masks(tmp_path: Path) -> None:
    png(tmp_path)
    write(tmp_path, thing() * 255)
    with pytest.raises(ValueError, match=r"a.xml: object 255: a picture holds the masks of 254"):
        taken(tmp_path, tmp_path)


def test_masks_without_xml_cannot_be_classed(tmp_path: Path) -> None:
    write(tmp_path, thing())
    png(tmp_path, "b")
    with pytest.raises(ValueError, match=r"b.png: there is a mask of b, but no Annotations/b.xml"):
        taken(tmp_path, tmp_path)
    with pytest.raises(ValueError, match=r"line 2: there is a mask of b, but no Annotations/b.xml"):
        taken(listing(tmp_path, "a\nb"), tmp_path)


LISTED = {
    "empty": ("", "it names no photograph"),
    "unknown name": ("a\nz", "line 2: there is no Annotations/z.xml"),
    "outside of the folder": ("../Annotations/a", "line 1: there is no Annotations/../"),
    "absolute": ("/etc/passwd", "line 1: there is no Annotations//etc/passwd.xml"),
    "number of an object": ("a 2", "line 1: there is no Annotations/a 2.xml"),
}


@pytest.mark.parametrize(("text", "said"), LISTED.values(), ids=LISTED.keys())
def test_a_faulty_list_is_refused(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, thing())
    with pytest.raises(ValueError, match=said):
        taken(listing(tmp_path, text), tmp_path)


def test_a_list_that_is_no_text_or_elsewhere_is_refused(tmp_path: Path) -> None:
    path = listing(tmp_path, "a")
    with pytest.raises(ValueError, match="not inside a folder that has Annotations"):
        taken(path, tmp_path)
    write(tmp_path, thing())
    path.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        taken(path, tmp_path)


def test_what_is_missing_is_named_and_is_a_source(tmp_path: Path) -> None:
    path = tmp_path / "none"
    with pytest.raises(ValueError, match="none: this file of labels is missing"):
        taken(path, tmp_path)
    assert sources(path, tmp_path) == [path]


def test_a_folder_without_xml_or_without_objects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it has no XML file"):
        taken(tmp_path, tmp_path)
    write(tmp_path, "")
    with pytest.raises(ValueError, match="no object is in its XML files"):
        taken(tmp_path, tmp_path)


def test_the_folder_above_a_root_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "VOC2012", thing())
    with pytest.raises(ValueError, match=r"lie deeper, as .*/VOC2012/Annotations/a.xml does"):
        taken(tmp_path, tmp_path)
