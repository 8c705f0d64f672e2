"""Tables of labels from strangers: each kind of row is read, each fault named with its line."""

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.formats.delimited import file_names, read, sources
from stages.formats.format import Label, Labelled
from stages.runtime.faults import Faults


def write(folder: Path, data: str | bytes, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def parquet(folder: Path, **columns: list[Any]) -> Path:
    path = folder / "labels.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def taken(path: Path) -> Labelled:
    """What `read` returns of a file without faults."""
    faults = Faults(path)
    found = read(path, path.parent, faults)
    faults.check()
    return found


def shapes(labels: list[Label] | Any) -> list[tuple[Any, Any]]:
    return [(label.point, label.box) for label in labels]


HEADER = "file_name,label,x,y,x0,y0,x1,y1\n"
TAG, POINT, BOX = (None, None), ((1.5, 2), None), (None, (1, 2, 3, 4))
KINDS = {
    "tag": ("file_name,label\na.png,cat\n", TAG),
    "point": ("file_name,label,x,y\na.png,cat,1.5,2\n", POINT),
    "box by corners": ("file_name,label,x0,y0,x1,y1\na.png,cat,1,2,3,4\n", BOX),
    "box by sides": ("file_name,label,x,y,w,h\na.png,cat,1,2,2,2\n", BOX),
    "tag among boxes by sides": ("file_name,label,x,y,w,h\na.png,cat,,,,\n", TAG),
    "tag among shapes": (HEADER + "a.png,cat,,, , ,,\n", TAG),
    "point among shapes": (HEADER + "a.png,cat,1.5,2,,,,\n", POINT),
    "point and box": (HEADER + "a.png,cat,1.5,2,1,2,3,4\n", (POINT[0], BOX[1])),
    "any order, capitals, blanks": (" X , Y ,Label,FILE_NAME\n1.5, 2 , cat , a.png\n", POINT),
    "exponents and signs": ("file_name,label,x,y\na.png,cat,15e-1,+2.0\n", POINT),
}


@pytest.mark.parametrize(("data", "shape"), KINDS.values(), ids=KINDS.keys())
def test_each_kind_of_row_is_read(tmp_path: Path, data: str, shape: Any) -> None:
    found = taken(write(tmp_path, data))
    assert shapes(found.labels) == [shape]
    assert [image["file_name"] for image in found.images] == ["a.png"]
    assert found.categories == [{"id": 1, "name": "cat"}]
    assert found.labels[0].place == "line 2"
    assert not found.told
    assert not found.has_ids


def test_the_first_pixel_is_from_0_to_1_with_its_centre_between(tmp_path: Path) -> None:
    rows = HEADER + "a.png,cat,0.5,0.5,,,,\na.png,cat,,,0,0,1,1\n"
    labels = taken(write(tmp_path, rows)).labels
    assert shapes(labels) == [((0.5, 0.5), None), (None, (0, 0, 1, 1))]
    assert not any(label.is_relative for label in labels)


ROWS = "file_name,label,x,y\na.png,cat,1.5,2\n"
DIALECTS = {
    "semicolons": ROWS.replace(",", ";"),
    "tabs": ROWS.replace(",", "\t"),
    "bars": ROWS.replace(",", "|"),
    "BOM": "\ufeff" + ROWS,
    "CRLF": ROWS.replace("\n", "\r\n"),
    "CR": ROWS.replace("\n", "\r"),
    "no last newline": ROWS.rstrip(),
    "blank lines": "\n\n" + ROWS.replace("\n", "\n\n , ,, \n"),
    "a line for Excel": "sep=;\n" + ROWS.replace(",", ";"),
    "quotes": '"file_name","label","x","y"\n"a.png", "cat","1.5","2"\n',
}


@pytest.mark.parametrize("data", DIALECTS.values(), ids=DIALECTS.keys())
def test_each_dialect_is_read(tmp_path: Path, data: str) -> None:
    found = taken(write(tmp_path, data))
    assert shapes(found.labels) == [POINT]
    assert [entry["name"] for entry in found.categories] == ["cat"]


def test_quotes_hold_delimiters_newlines_and_quotes(tmp_path: Path) -> None:
    rows = 'file_name,label\n"a,1.png","big ""red""\ncat"\nb.png,5" pipe\n'
    found = taken(write(tmp_path, rows))
    assert {image["file_name"] for image in found.images} == {"a,1.png", "b.png"}
    assert [entry["name"] for entry in found.categories] == ['5" pipe', 'big "red"\ncat']
    assert {label.place for label in found.labels} == {"line 3", "line 4"}


def test_decimal_commas_are_converted_and_told(tmp_path: Path) -> None:
    found = taken(write(tmp_path, "file_name;label;x;y\na.png;cat;1,5;2\n"))
    assert shapes(found.labels) == [POINT]
    assert found.told == {"numbers with a decimal comma": 1}


def test_sizes_of_images_are_taken(tmp_path: Path) -> None:
    rows = "file_name,label,image_width,image_height\na.png,cat,8,6.0\na.png,dog,8,6\nb.png,cat,,\n"
    images = {image["file_name"]: image for image in taken(write(tmp_path, rows)).images}
    assert (images["a.png"]["width"], images["a.png"]["height"]) == (8, 6)
    assert images["b.png"]["height"] is None


OTHER_COLUMNS = {
    "TensorFlow's": (
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,8,6,cat,1,2,3,4\n",
        "columns read under another name (",
        8,
    ),
    "extra": ("file_name,label,x0,y0,x1,y1,by,\na.png,cat,1,2,3,4,me,\n", "not read ('by')", 1),
    "a synonym beside the name": (
        "image,file_name,label,x0,y0,x1,y1\n7,a.png,cat,1,2,3,4\n",
        "columns that are not read ('image')",
        1,
    ),
}


@pytest.mark.parametrize(
    ("data", "told", "count"), OTHER_COLUMNS.values(), ids=OTHER_COLUMNS.keys()
)
def test_other_columns_are_told(tmp_path: Path, data: str, told: str, count: int) -> None:
    found = taken(write(tmp_path, data))
    assert shapes(found.labels) == [BOX]
    assert [(told in words, number) for words, number in found.told.items()] == [(True, count)]


SPOILT = b"PAR1" + b"\xff" * 40 + (40).to_bytes(4, "little") + b"PAR1"
WHOLE = {
    "empty": ("", "nothing in this file. Write a header of file_name,label"),
    "blank": ("\n \n,,,\n", "nothing in this file"),
    "no rows": (ROWS.splitlines()[0], "no row under the header"),
    "no header": (
        "a.png,cat,1,2\n",
        r"header is 'a.png,cat,1,2', where file_name and label are mi",
    ),
    "no label": ("file_name,x,y\na.png,1,2\n", "where label is missing. Write a header"),
    "half a point": ("file_name,label,x\na.png,cat,1\n", "y is missing"),
    "half a box": ("file_name,label,x0,y0,x1\na.png,cat,1,2,3\n", "y1 is missing"),
    "sides alone": ("file_name,label,w,h\na.png,cat,1,2\n", "w,h stand without x,y"),
    "half a size": ("file_name,label,image_width\na.png,cat,1\n", "image_height is missing"),
    "two boxes": ("file_name,label,x,y,w,h,x0,y0,x1,y1\n", "or beside x0,y0,x1,y1"),
    "a column twice": ("file_name,label,label\na.png,cat,dog\n", "label is there twice"),
    "two synonyms": ("image,path,label\na.png,b,cat\n", "file_name is there twice"),
    "width or w": ("file_name,label,x,y,width,height\n", "may be a box's .write w,h. or the im"),
    "UTF-16": (ROWS.encode("utf-16"), "UTF-16, an Excel workbook or the like. Save it as CSV in"),
    "UTF-16 without BOM": (ROWS.encode("utf-16-le"), "Save it as CSV in UTF-8"),
    "Latin-1": ((ROWS + "é,é,1,2").encode("latin-1"), "not text in UTF-8 .byte 0xe9.. Save it as"),
    "open quote": (ROWS + '\n"b.png,cat,1,2\n' + ROWS, "line 4: the row that begins here is not"),
    "no CSV in quotes": ('file_name,label\n"a"b,cat\n', "line 2: .* is not CSV"),
    "long cell": (f"file_name,label\n{'a' * 140_000},cat\n", "line 2: .*field larger"),
    "long line": ("[" * 300_000, "line 1: .*field larger"),
    "JSON": ('{"images": [], "annotations": []}\n', "line 1: the row that begins here is not CSV"),
    "not Parquet": (b"PAR1 and no more", "not a whole Parquet file"),
    "thrift": (SPOILT, r"not a whole Parquet file \(.*\)\. Write it again\."),
}


@pytest.mark.parametrize(("data", "said"), WHOLE.values(), ids=WHOLE.keys())
def test_what_is_no_table_is_refused(tmp_path: Path, data: str | bytes, said: str) -> None:
    path = write(tmp_path, data)
    with pytest.raises(ValueError, match=said) as raised:
        read(path, tmp_path, Faults(path))
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ValueError, match=r"cannot be read .* Correct dataset in the config"):
            read(path, tmp_path, Faults(path))


SHAPES, SIDES = HEADER, "file_name,label,x,y,w,h\n"
ROW_FAULTS = {
    "no name": (SHAPES + ",cat,1,2,,,,", "file_name is empty"),
    "no label": (SHAPES + "b.png, ,1,2,,,,", "label is empty"),
    "NUL": ("file_name,label\n" + "a.png,cat\n" * 200 + "b\0.png,cat", "NUL character"),
    "half a point": (SHAPES + "b.png,cat,1,,,,,", "y of x,y is empty. Fill all of them in, or no"),
    "half a box": (SHAPES + "b.png,cat,,,1,,3,", "y0, y1 of x0,y0,x1,y1 is empty"),
    "point with sides": (SIDES + "b.png,cat,1,2,,", "w, h of x,y,w,h is empty"),
    "no number": (SHAPES + "b.png,cat,one,2,,,,", "x: 'one' is no finite number. Correct it"),
    "NaN": (SHAPES + "b.png,cat,1,nan,,,,", "y: 'nan' is no finite number"),
    "infinite": (SHAPES + "b.png,cat,1,1e999,,,,", "no finite number"),
    "decimal comma among commas": (SHAPES + 'b.png,cat,"1,5",2,,,,', "'1,5' is no finite"),
    "short": (SHAPES + "b.png,cat,1,2", "4 cells under a header of 8"),
    "long": (SHAPES + "b.png,cat,1,2,,,,,,", "10 cells under a header of 8"),
    "box upside down": (SHAPES + "b.png,cat,,,3,4,1,2", "has no area"),
    "flat box": (SHAPES + "b.png,cat,,,1,2,1,4", r"from \(1.0, 2.0\) to \(1.0, 4.0\) has no area"),
    "sides below 0": (SIDES + "b.png,cat,1,2,-1,2", "has no area"),
    "no size": ("file_name,label,image_width,image_height\nb.png,cat,0,4", "0 is not from 1"),
    "half a size": ("file_name,label,image_width,image_height\nb.png,cat,2,", "is empty"),
    "two sizes": (
        "file_name,label,image_width,image_height\nb.png,cat,2,2\nb.png,cat,2,3",
        "2 x 3 px here",
    ),
}


@pytest.mark.parametrize(("data", "said"), ROW_FAULTS.values(), ids=ROW_FAULTS.keys())
def test_a_fault_of_a_row_names_its_line_and_leaves_the_others(
    tmp_path: Path, data: str, said: str
) -> None:
    line = data.count("\n") + 1
    header = data.split("\n")[0]
    good = "a.png,cat" + "," * (header.count(",") - 1)
    path = write(tmp_path, f"{data}\n{good}\n")
    faults = Faults(path)
    found = read(path, tmp_path, faults)
    with pytest.raises(ValueError, match=rf"line {line}: .*{said}"):
        faults.check()
    assert len(faults) == 1
    assert found.labels[-1].place in (f"line {line + 1}", f"line {line - 1}")


def test_parquet_has_the_same_columns_and_nulls_are_empty(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        File_Name=["a.png", "a.png", "b.png"],
        label=["cat", None, "dog"],
        x=[1.5, 3, float("nan")],
        y=[2, 3, None],
        picture=[b"1", b"2", b"3"],
    )
    faults = Faults(path)
    found = read(path, tmp_path, faults)
    assert sorted(shapes(found.labels), key=str) == [POINT, TAG]
    assert {label.place for label in found.labels} == {"row 1", "row 3"}
    assert found.told == {"columns that are not read ('picture')": 1}
    with pytest.raises(ValueError, match="row 2: label is empty"):
        faults.check()


def test_parquet_of_odd_types_is_refused_by_row(tmp_path: Path) -> None:
    odd: dict[str, list[Any]] = {"x": [[1], [2]], "y": [True, False]}
    path = parquet(tmp_path, file_name=["a", "b"], label=[1, 2], **odd)
    faults = Faults(path)
    assert not read(path, tmp_path, faults).labels
    with pytest.raises(ValueError, match=r"row 2: x: \[2\] is no finite number"):
        faults.check()


@pytest.mark.parametrize("name", ["category", "note"])
def test_a_column_of_parquet_that_is_there_twice_is_not_read(name: str, tmp_path: Path) -> None:
    names = ["file_name", "label", name, name]
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["a.png"])] * 4, names=names), path)
    found = taken(path)
    assert [entry["name"] for entry in found.categories] == ["a.png"]
    assert found.told == {f"columns that are not read ('{name}, {name}')": 2}
    pq.write_table(pa.Table.from_arrays([pa.array(["a"])] * 3, names=[*names[:2], "label"]), path)
    with pytest.raises(ValueError, match="label is there twice"):
        read(path, tmp_path, Faults(path))


def test_parquet_cut_short_or_without_rows_is_refused(tmp_path: Path) -> None:
    path = parquet(tmp_path, file_name=["a"] * 99, label=["cat"] * 99)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="not a whole Parquet file"):
        read(path, tmp_path, Faults(path))
    path = parquet(tmp_path, file_name=[], label=[])
    with pytest.raises(ValueError, match="no row under the header"):
        read(path, tmp_path, Faults(path))


def test_sources_and_file_names(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "b/c.png,cat,,,,,,\na.png,dog,1,,,,,\nb/c.png,dog,,,,,,\n")
    assert sources(path, tmp_path) == [path]
    assert file_names(path, tmp_path) == ["b/c.png"]
    assert sources(tmp_path / "none", tmp_path) == [tmp_path / "none"]


@pytest.mark.long
def test_a_hundred_thousand_rows_take_a_few_seconds(tmp_path: Path) -> None:
    rows = [f"{n % 5000}.png,cat,{n},2,,,," for n in range(100_000)]
    path = write(tmp_path, HEADER + "\n".join(rows))
    begin = time.perf_counter()
    assert len(taken(path).labels) == 100_000
    assert time.perf_counter() - begin < 20  # 2 s on an idle core
