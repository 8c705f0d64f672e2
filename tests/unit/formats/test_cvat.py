"""CVAT's XML for images: what each shape becomes, and what is said of faulty files."""

import math
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from stages.formats.assembly import image_id_of
from stages.formats.cvat import file_names, read, sources
from stages.formats.format import Label, Labelled
from stages.formats.mask_forms import RowRuns
from stages.formats.xml_children import children
from stages.runtime.faults import Faults

META = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>4</id><mode>annotation</mode><labels><label><name>car</name></label></labels>
  </task></meta>
"""


def image(shapes: str, name: str = "a.png") -> str:
    return f'<image id="0" name="{name}" width="8" height="6">{shapes}</image>'


def write(folder: Path, body: str, head: str = META) -> Path:
    path = folder / "annotations.xml"
    path.write_text(f"{head}{body}</annotations>" if head else body, encoding="utf-8")
    return path


def taken(folder: Path, body: str) -> Labelled:
    faults = Faults(folder)
    found = read(write(folder, body), folder, faults)
    faults.check()
    return found


def label_of(folder: Path, shapes: str) -> Label:
    (label,) = taken(folder, image(shapes)).labels
    return label


def faults_of(folder: Path, body: str) -> str:
    faults = Faults(folder)
    read(write(folder, body), folder, faults)
    with pytest.raises(ValueError, match="image") as caught:
        faults.check()
    return str(caught.value)


SHAPES = {
    "tag": ('<tag label="car" source="manual"/>', {}),
    "point": ('<points label="car" occluded="0" points="1.50,2.50"/>', {"point": (1.5, 2.5)}),
    "box": (
        '<box label="car" xtl="1" ytl="2.5" xbr="4" ybr="5" z_order="0"><attribute name="a">b'
        "</attribute></box>",
        {"box": (1, 2.5, 4, 5)},
    ),
    "polygon": (
        '<polygon label="car" points="0.00,1.00;2.00,1.00;2.00,3.00"/>',
        {"mask": [[0, 1, 2, 1, 2, 3]]},
    ),
    "mask": (
        '<mask label="car" rle="0, 1, 2, 1" left="3" top="1" width="2" height="2"/>',
        {"mask": RowRuns((0, 1, 2, 1), x=3, y=1, width=2, height=2)},
    ),
}


@pytest.mark.parametrize(("shape", "values"), SHAPES.values(), ids=SHAPES.keys())
def test_each_shape_becomes_a_label(tmp_path: Path, shape: str, values: dict[str, Any]) -> None:
    label = label_of(tmp_path, shape)
    kind = shape[1:].split(" ")[0]
    place = f"image a.png: {kind} 1"
    assert label == Label(1, image_id_of("a.png"), 1, place=place, **values)


def test_the_first_pixel_is_the_box_from_0_to_1_as_in_cvat(tmp_path: Path) -> None:
    label = label_of(tmp_path, '<box label="a" xtl="0" ytl="0" xbr="1" ybr="1"/>')
    assert label.box == (0, 0, 1, 1)


def test_an_image_without_shapes_is_taken_too(tmp_path: Path) -> None:
    body = image("", name="sub/b.png") + image('<tag label="car"/>') + '<image name="c.png"/>'
    found = taken(tmp_path, body)
    images = {entry["file_name"]: (entry["height"], entry["width"]) for entry in found.images}
    assert images == {"sub/b.png": (6, 8), "a.png": (6, 8), "c.png": (None, None)}
    assert found.categories == [{"id": 1, "name": "car"}]
    assert not found.has_ids


def test_a_turned_box_is_the_upright_box_around_it(tmp_path: Path) -> None:
    box = '<box label="a" xtl="2" ytl="2" xbr="6" ybr="4" rotation="{}"/>'
    body = image(box.format(90) + box.format(45) + box.format(360))
    found = taken(tmp_path, body)
    reach = 3 / math.sqrt(2)  # (half of 4 + half of 2) / sqrt(2)
    assert found.labels[0].box == pytest.approx((3, 1, 5, 5))
    assert found.labels[1].box == pytest.approx((4 - reach, 3 - reach, 4 + reach, 3 + reach))
    assert found.labels[2].box == (2, 2, 6, 4)
    assert found.told == {"turned boxes, taken as the upright boxes around them": 2}


def test_an_ellipse_is_a_polygon_of_its_area_turned_clockwise(tmp_path: Path) -> None:
    ellipse = '<ellipse label="a" cx="4" cy="3" rx="2" ry="1" rotation="30.0"/>'
    (polygon,) = label_of(tmp_path, ellipse).mask
    xs, ys = polygon[::2], polygon[1::2]
    nexts = zip(xs[1:] + xs[:1], ys[1:] + ys[:1], strict=True)
    area = sum(x * y2 - x2 * y for x, y, (x2, y2) in zip(xs, ys, nexts, strict=True)) / 2
    assert area == pytest.approx(2 * math.pi, rel=1e-3)
    turned = (4 + 2 * math.cos(math.pi / 6), 3 + 2 * math.sin(math.pi / 6))  # y is down
    assert (xs[0], ys[0]) == pytest.approx(turned)


def test_what_has_no_meaning_here_is_left_out_and_counted(tmp_path: Path) -> None:
    body = image(
        '<points label="a" points="1,1;2,2"/><polyline label="a" points="1,1;2,2"/>'
        '<cuboid label="a"/><skeleton label="s"><points label="1" points="1,1"/></skeleton>'
        '<splines label="a"/><tag label="a"/>'
    )
    found = taken(tmp_path, body)
    assert len(found.labels) == 1
    assert found.left_out == {
        "elements of several points": 1,
        "polylines": 1,
        "cuboids": 1,
        "skeletons": 1,
        "elements of unknown kinds": 1,
    }


def test_a_group_of_one_label_is_one_object(tmp_path: Path) -> None:
    polygon = '<polygon label="car" group_id="3" points="{0},0;{0},1;2,2"/>'
    body = image(
        polygon.format(0)
        + '<points label="car" group_id="3" points="1,1"/>'
        + '<tag label="dog" group_id="3"/>'
        + polygon.format(1)
        + '<box label="car" group_id="3" xtl="0" ytl="0" xbr="2" ybr="2"/>'
        + '<tag label="car" group_id="0"/><tag label="car" group_id="0"/>'
    )
    found = taken(tmp_path, body)
    assert [label.category_id for label in found.labels] == [1, 2, 1, 1]
    assert found.labels[0] == Label(
        1,
        image_id_of("a.png"),
        1,
        point=(1, 1),
        box=(0, 0, 2, 2),
        mask=[[0, 0, 0, 1, 2, 2], [1, 0, 1, 1, 2, 2]],
        place="image a.png: polygon 1",
    )


def test_groups_of_different_images_are_apart(tmp_path: Path) -> None:
    point = '<points label="car" group_id="3" points="1,1"/>'
    assert len(taken(tmp_path, image(point) + image(point, name="b.png")).labels) == 2


def test_memory_is_bounded_by_an_image(tmp_path: Path) -> None:
    mask = f'<mask label="a" rle="{"10, " * 50_000}0" left="0" top="0" width="2" height="2"/>'
    path = write(tmp_path, image(mask) * 100)
    assert path.stat().st_size > 20_000_000
    tracemalloc.start()
    assert sum(len(child) for child in children(path, "annotations")) > 100
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


MASK = '<mask label="a" rle="{}" left="{}" top="0" width="2" height="2"/>'
BOX = '<box label="a" xtl="{}" ytl="0" xbr="2" ybr="2"/>'
FAULTS = {
    "no label": (image('<box xtl="0" ytl="0" xbr="2" ybr="2"/>'), "a.png: box 1: it has no label"),
    "no xtl": (image(BOX.replace("xtl", "x")), "image a.png: box 1: it has no xtl"),
    "xtl is a word": (image(BOX.format(1) + BOX.format("one")), "a.png: box 2: xtl: 'one' is no"),
    "xtl is NaN": (image(BOX.format("nan")), "image a.png: box 1: xtl: 'nan' is no finite number"),
    "rotation": (image(BOX.format('0" rotation="x')), "image a.png: box 1: rotation: 'x'"),
    "huge number": (image(BOX.format("1" * 400)), "image a.png: box 1: xtl: '111"),
    "point of three": (image('<points label="a" points="1,2,3"/>'), "points 1: points: "),
    "no points": (image('<points label="a" points=""/>'), "points 1: points: '' is no text"),
    "two corners": (image('<polygon label="a" points="1,2;3,4"/>'), "polygon 1: it has 2 corners"),
    "flat ellipse": (
        image('<ellipse label="a" cx="1" cy="1" rx="0" ry="1"/>'),
        "ellipse 1: its rx and ry are 0.0 and 1.0",
    ),
    "rle is words": (image(MASK.format("a, b", 0)), "mask 1: rle: 'a' is no whole number"),
    "rle is empty": (image(MASK.format("", 0)), "image a.png: mask 1: rle: '' is no text"),
    "rle below 0": (image(MASK.format("-1, 5", 0)), "mask 1: rle: -1 is not from 0"),
    "left is a half": (image(MASK.format("4", 0.5)), "mask 1: left: '0.5' is no whole number"),
    "group": (image('<tag label="a" group_id="g"/>'), "tag 1: group_id: 'g' is no whole number"),
    "two boxes in a group": (
        image(BOX.format('0" group_id="1') * 2),
        "image a.png: box 2: it is the second box of one label in one group",
    ),
    "two masks in a group": (
        image(MASK.format("4", '0" group_id="1') * 2),
        "image a.png: mask 2: it is the second mask",
    ),
    "image without name": ('<image id="7" width="8" height="6"/>', "image of id '7': it has no"),
    "width is a word": (
        '<image name="a" width="w" height="6"/>',
        "image a: width: 'w' is no whole",
    ),
    "image twice": (image("") * 2, "image a.png: it is there twice"),
}


@pytest.mark.parametrize(("body", "said"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_entry_is_named_and_left_out(tmp_path: Path, body: str, said: str) -> None:
    assert said in faults_of(tmp_path, body)


REFUSED = {
    "empty file": ("", "no element found, line 1, column 1"),
    "no image": (f"{META}</annotations>", "holds no label"),
    "video": (f'{META}<track id="0" label="car"/></annotations>', "CVAT for images 1.1"),
    "truncated": (f"{META}{image('<tag/>')}", "line 6, column"),
    "mismatched": (f"{META}<image></annotations>", "mismatched tag, line 6"),
    "another root": ("<annotation/>", "its root is <annotation>, not <annotations>"),
    "a document type": (
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><annotations>&b;</annotations>',
        "document type",
    ),
    "an unknown entity": ("<annotations>&b;</annotations>", "undefined entity"),
    "an unknown encoding": ('<?xml version="1.0" encoding="b"?><annotations/>', "Save it as UTF-8"),
    "several bytes": ('<?xml version="1.0" encoding="gbk"?><annotations/>', "Save it as UTF-8"),
    "too deep": (f"<annotations>{'<a>' * 100_000}", "nested 65 deep"),
    "JSON": ("{}", "no sound XML"),
    "a zip": ("PK\x03\x04", "Unpack it"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_is_faulty_as_a_whole_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text, head="")
    with pytest.raises(ValueError, match=said) as caught:
        read(path, tmp_path, Faults(path))
    assert str(caught.value).startswith(f"{path}: ")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.xml"
    path.write_bytes(b"<annotations>\xff\xfe</annotations>")
    with pytest.raises(ValueError, match="invalid token"):
        read(path, tmp_path, Faults(path))


def test_a_bom_and_utf_16_are_read(tmp_path: Path) -> None:
    text = f'<annotations>{image("""<tag label="Auto"/>""", name="ä.png")}</annotations>'
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "annotations.xml").write_text(text, encoding=encoding)
        assert file_names(tmp_path / "annotations.xml", tmp_path) == ["ä.png"]


def test_a_folder_with_one_file_of_that_name_is_read(tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    path = write(tmp_path / "task", image('<tag label="a"/>'))
    assert len(read(tmp_path, tmp_path, Faults(tmp_path)).labels) == 1
    assert sources(tmp_path, tmp_path) == [path]
    assert file_names(tmp_path, tmp_path) == ["a.png"]


def test_a_folder_with_none_or_several_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no annotations"):
        read(tmp_path, tmp_path, Faults(tmp_path))
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "")
    with pytest.raises(ValueError, match=r"a/annotations.xml and .*b/annotations.xml in it"):
        read(tmp_path, tmp_path, Faults(tmp_path))


def test_a_missing_file_is_named_and_is_a_source(tmp_path: Path) -> None:
    path = tmp_path / "none.xml"
    with pytest.raises(ValueError, match=r"none.xml: this file of labels is missing"):
        read(path, tmp_path, Faults(path))
    assert sources(path, tmp_path) == [path]
