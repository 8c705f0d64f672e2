"""Stage convert as a program: whole folders, one line, sentences."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from stages.convert import main, told
from stages.formats.format import FORMATS
from stages.formats.mask_decoding import decoded_mask
from stages.formats.standing import in_px
from stages.formats.telling import format_of
from stages.formats.writer import CATEGORY_IDS, WRITERS
from stages.runtime.doors import opened
from stages.runtime.faults import Faults
from stages.settings.export import Export, WrittenFormat
from tests.written_labels import IMAGES, PARTS, RING, SMALL, annotation, usual, write_labels

FILES = {  # of the first photograph, or of all
    "coco_rle": "annotations.json",
    "coco_polygons": "annotations.json",
    "voc": "SegmentationObject/sub/a.b.png",
    "yolo": "labels/sub/a.b.txt",
    "labelme": "sub/a.b.json",
}


def converted(labels: Path, out: Path, *more: str) -> None:
    main(["--labels", str(labels), "--out", str(out), "--format", *more])


def test_the_settings_name_what_the_door_has() -> None:
    assert tuple(WRITERS) == get_args(WrittenFormat) == tuple(FILES)
    assert get_args(Export.model_fields["category_ids"].annotation) == CATEGORY_IDS


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("ids", CATEGORY_IDS)
def test_each_format_is_a_folder_and_a_line(
    name: str, ids: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / name
    converted(write_labels(tmp_path, usual()), out, name, "--category-ids", ids)
    assert (out / FILES[name]).is_file()
    said = capsys.readouterr().err
    assert said.startswith(f"convert: {name}: images 3, ")
    assert said.count("\n") == 1
    assert [path.name for path in out.parent.iterdir()] == [name]


@pytest.mark.parametrize("name", WRITERS)
def test_equal_labels_give_equal_bytes(name: str, tmp_path: Path) -> None:
    labels = write_labels(tmp_path, usual())
    for out in ("one", "two"):
        converted(labels, tmp_path / out, name)
    first, second = (
        {path.relative_to(tmp_path / out): path.read_bytes() for path in _files(tmp_path / out)}
        for out in ("one", "two")
    )
    assert first == second


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_there_is_replaced_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    converted(write_labels(tmp_path, usual()), out, "yolo")
    converted(write_labels(tmp_path, usual(), IMAGES[:1] + IMAGES[2:]), out, "yolo")
    assert not (out / "labels" / "empty.txt").exists()


def test_a_refusal_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    converted(write_labels(tmp_path, usual()), out, "voc")
    before = {path: path.read_bytes() for path in _files(out)}
    twice = [*IMAGES, {**IMAGES[1], "id": 8, "file_name": "empty.jpg"}]
    with pytest.raises(ValueError, match=r"empty\.png and empty\.jpg differ"):
        converted(write_labels(tmp_path, usual(), twice), out, "voc")
    assert {path: path.read_bytes() for path in _files(out)} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pseudo_labels.json"]


def test_names_with_equal_stems_are_no_matter_to_coco(tmp_path: Path) -> None:
    twice = [*IMAGES, {**IMAGES[1], "id": 8, "file_name": "empty.jpg"}]
    converted(write_labels(tmp_path, usual(), twice), tmp_path / "out", "coco_polygons")


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(ValueError, match="a file, where a folder is to be written"):
        converted(write_labels(tmp_path, usual()), tmp_path / "out", "yolo")


def test_the_program_ends_with_a_sentence(tmp_path: Path) -> None:
    command = ["--labels", "none.json", "--format", "voc", "--out", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "stages.convert", *command], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("convert: none.json: no file of pseudo-labels")
    assert "Traceback" not in done.stderr


def test_counts_are_told_in_their_order() -> None:
    assert told({"images": 1200, "least": 0.5}) == "images 1,200, least 0.5"


READ = {  # the format and the source, in the folder that is written
    "coco_rle": ("coco", "annotations.json"),
    "coco_polygons": ("coco", "annotations.json"),
    "voc": ("voc", "."),
    "yolo": ("yolo", "."),
    "labelme": ("labelme", "."),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_read_again_to_the_last_pixel(name: str, tmp_path: Path) -> None:
    """Masks with a hole and with two fragments; those that overlap are VOC's own loss."""
    photographs = tmp_path / "photographs"
    for image in IMAGES:
        path = photographs / image["file_name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    out = tmp_path / "out"
    labels = [annotation(11, 4, RING), annotation(12, 4, PARTS), annotation(13, 7, SMALL)]
    converted(write_labels(tmp_path, labels), out, name)
    kind, source = READ[name]
    assert format_of(out / source) == kind
    faults = Faults(out)
    file = opened(FORMATS[kind].module).read(out / source, photographs, faults)
    faults.check()
    assert {image["file_name"] for image in file.images} >= {"sub/a.b.jpg", "ü <&>.png"}
    rles = [decoded_mask(in_px(label, 30, 20).mask, 20, 30) for label in file.labels]
    wanted = {json.dumps(label["segmentation"]) for label in labels}
    assert {json.dumps({**r, "counts": r["counts"].decode()}) for r in rles} == wanted
    names = {entry["id"]: entry["name"] for entry in file.categories}
    assert {names[label.category_id] for label in file.labels} == {"cat"}
