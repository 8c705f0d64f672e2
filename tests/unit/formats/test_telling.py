"""What a file or folder holds tells its format, and else a sentence says what was seen."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stages.formats.format import FORMATS
from stages.formats.telling import HEAD, format_of

COCO = {"info": {"year": 2017}, "images": [], "annotations": [], "categories": []}
LABELME = {"version": "5.4", "flags": {}, "shapes": [], "imagePath": "a.jpg", "imageData": None}
STUDIO = [{"id": 1, "annotations": [{"result": []}], "data": {"image": "a.jpg"}}]
CVAT = "<annotations><version>1.1</version><meta/><image name='a.png'/></annotations>"
VOC = "<annotation><folder>a</folder><object/></annotation>"
YOLO = "0 0.5 0.5 0.1 0.1\n"


def as_bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def write(root: Path, files: Mapping[str, Any]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_bytes(content))
    return root


TOLD: dict[str, tuple[Any, str]] = {
    "coco": (COCO, "coco"),
    "coco, indented": (json.dumps(COCO, indent=2), "coco"),
    "coco with annotations first": ({"annotations": [{"segmentation": [[1]]}], **COCO}, "coco"),
    "coco without images": ({"annotations": []}, "coco"),
    "coco, its annotations longer than the head": (
        '{"a": [' + "[1, 2], " * (HEAD // 8) + '[1, 2]], "images": []}',
        "coco",
    ),
    "coco, cut off in a string": ('{"b": "' + "x" * HEAD + '"', "coco"),
    "coco with shapes in an image": ({"images": [{"shapes": []}]}, "coco"),
    "labelme": (LABELME, "labelme"),
    "labelme, its picture first": (
        {"imageData": "x" * HEAD, "shapes": [], "imagePath": "a"},
        "labelme",
    ),
    "labelme with images in a shape": ({"shapes": [{"images": 1}]}, "labelme"),
    "label studio": (STUDIO, "label_studio"),
    "label studio of old": ([{"completions": []}], "label_studio"),
    "label studio, nested": ([{"data": {}, "predictions": [{"result": []}]}], "label_studio"),
    "label studio, MIN": ([{"image": "a", "annotator": 1, "annotation_id": 2}], "label_studio"),
    "cvat": (CVAT, "cvat"),
    "cvat after a declaration": (f"<?xml version='1.0'?>\n<!-- <annotation> -->\n{CVAT}", "cvat"),
    "voc": (VOC, "voc"),
    "voc with a document type": (f"<!DOCTYPE annotation>\n{VOC}", "voc"),
    "voc with entities": (f"<!DOCTYPE a [<!ENTITY b 'c'>\n<!ENTITY d 'e'>]>{VOC}", "voc"),
    "voc with a BOM": (b"\xef\xbb\xbf" + VOC.encode(), "voc"),
    "voc in UTF-16": (VOC.encode("utf-16"), "voc"),
    "csv": ("file_name,label,x,y\na.jpg,dog,1,2\n", "csv"),
    "csv with ; and quotes": ('"Label";"File Name"\ndog;a.jpg\n', "csv"),
    "tsv": ("\nimage\tx\ty\n", "csv"),
    "csv of VIA": ("#filename,file_size\n", "csv"),
    "csv in Latin-1": ("path,gr\xf6\xdfe\n".encode("latin-1"), "csv"),
    "parquet": (b"PAR1\x15\x04\x00", "csv"),
    "yolo": ("train: images\nnames:\n  0: dog\n", "yolo"),
    "yolo of old": ("path: ../a\nnc: 1\nnames: ['dog']", "yolo"),
}


@pytest.mark.parametrize(("content", "name"), TOLD.values(), ids=TOLD.keys())
def test_the_content_of_a_file_tells_its_format(tmp_path: Path, content: Any, name: str) -> None:
    path = write(tmp_path, {"labels.bin": content}) / "labels.bin"
    assert format_of(path) == name


def test_a_list_in_image_sets_is_voc(tmp_path: Path) -> None:
    write(tmp_path, {"ImageSets/Main/dog_train.txt": "2007_000032 -1\n"})
    assert format_of(tmp_path / "ImageSets" / "Main" / "dog_train.txt") == "voc"


REFUSED: dict[str, tuple[Any, str]] = {
    "empty": ("", "it holds nothing"),
    "blank": (" \n\n", "it holds nothing"),
    "a BOM": (b"\xef\xbb\xbf", "it holds nothing"),
    "zip": (b"PK\x03\x04\x14", r"packed \(zip\). Unpack it"),
    "gzip": (b"\x1f\x8b\x08", r"packed \(gzip\). Unpack it"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\r", "bytes that are no text"),
    "results": ([{"image_id": 1, "bbox": [1], "score": 0.5}], "a list of COCO results"),
    "empty list": ("[]", "a JSON list without keys"),
    "numbers": ("[1, 2, 3]", "a JSON list without keys"),
    "other list": ([{"b": 1, "a": {"annotations": 1}}], "a JSON list with the keys 'a', 'b', so"),
    "long list": ("[" + "1, " * HEAD, "a JSON list without keys at its start"),
    "other object": ({"type": 1, "features": []}, "a JSON object with the keys 'features', 'type'"),
    "empty object": ("{}", "a JSON object without keys"),
    "broken JSON": ('{"images', "a JSON object without keys"),
    "closing brackets": ("{}}}]]", "a JSON object without keys"),
    "HTML": ("<!DOCTYPE html><html><body>404</body></html>", "XML with the root <html>"),
    "annotations of others": ("<annotations><a/></annotations>", "XML with the root <annotations>"),
    "comments without end": ("<!--" * (HEAD // 4), "XML with the root <>"),
    "no element": ("<<<", "XML with the root <>"),
    "one label file": (YOLO, "labels of one photograph, as YOLO writes them. Give their folder"),
    "prose": ("Dear reader,\nimage", "text that begins with 'Dear reader,'"),
    "one column": ("image\na.jpg\n", "text that begins with 'image'"),
    "names": ("dog\ncat\n", "text that begins with 'dog'"),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_tells_nothing_is_refused_in_words(tmp_path: Path, content: Any, said: str) -> None:
    path = write(tmp_path, {"a.json": content}) / "a.json"
    with pytest.raises(ValueError, match=said) as caught:
        format_of(path)
    assert str(caught.value).startswith(f"{path}: it ")
    if "unknown" in str(caught.value):
        assert f"dataset.train.format, which is one of {', '.join(FORMATS)}" in str(caught.value)


def test_what_is_missing_or_no_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none: these labels are missing"):
        format_of(tmp_path / "none")
    with pytest.raises(ValueError, match="these labels are missing"):
        format_of(tmp_path / ("a" * 5000))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="neither a file nor a folder"):
        format_of(tmp_path / "pipe")


FOLDERS: dict[str, tuple[dict[str, Any], str]] = {
    "coco of FiftyOne": ({"data/a.jpg": b"\0", "labels.json": COCO}, "coco"),
    "coco of Roboflow": ({"README.txt": "Hi", "train/_annotations.coco.json": COCO}, "coco"),
    "cvat": ({"images/a.jpg": b"\0", "annotations.xml": CVAT}, "cvat"),
    "voc": ({"Annotations/a.xml": VOC, "ImageSets/Main/a.txt": "a 1", "a.json": COCO}, "voc"),
    "Annotations": ({"b/a.xml": VOC}, "voc"),
    "Annotations without XML": ({"Annotations/a.json": COCO}, "coco"),
    "labelme": ({"a.jpg": b"\0", "a.json": LABELME}, "labelme"),
    "yolo with data.yaml": ({"data.yaml": "names: [a]", "labels/a.txt": "0 1 1 1 1"}, "yolo"),
    "yolo without": ({"classes.txt": "dog", "labels/a.txt": "", "labels/b.txt": YOLO}, "yolo"),
    "another JSON before": ({"a.json": {"type": 1}, "b.json": LABELME}, "labelme"),
    "hidden files": ({".a.json": COCO, "__MACOSX/a.json": COCO, "b.json": LABELME}, "labelme"),
    "a table before": ({"a.csv": "file_name,label", "b/b.json": LABELME}, "labelme"),
}


@pytest.mark.parametrize(("files", "name"), FOLDERS.values(), ids=FOLDERS.keys())
def test_the_files_of_a_folder_tell_its_format(
    tmp_path: Path, files: dict[str, Any], name: str
) -> None:
    assert format_of(write(tmp_path, files)) == name


OTHER_FOLDERS: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({}, "no file of labels that is known"),
    "photographs": (
        {"a.jpg": b"\0", "a.txt": "a dog on a lawn"},
        "no file of labels that is known",
    ),
    "a table": ({"a/b.csv": "file_name,label"}, "b.csv, of format csv. Give that file"),
    "label studio": ({"a.json": STUDIO}, "a.json, of format label_studio. Give that file"),
}


@pytest.mark.parametrize(("files", "said"), OTHER_FOLDERS.values(), ids=OTHER_FOLDERS.keys())
def test_a_folder_that_is_no_labels_is_refused(
    tmp_path: Path, files: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        format_of(write(tmp_path, files))


def test_few_files_of_a_large_folder_are_read(tmp_path: Path, monkeypatch: Any) -> None:
    write(tmp_path, {f"{i:04}.txt": "prose" for i in range(300)})
    write(tmp_path, {f"{i}/a.json": "[]" for i in range(300)})
    opened = []
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda *args, **_: opened.append(1) or real(args[0], "rb"))
    with pytest.raises(ValueError, match="no file of labels that is known"):
        format_of(tmp_path)
    assert len(opened) == 200


def test_a_large_file_is_told_by_its_head(tmp_path: Path) -> None:
    polygon = "[" + "[12.5, 13.25], " * 100_000
    path = write(tmp_path, {"a": '{"annotations": [' + polygon * 20}) / "a"
    assert path.stat().st_size > 20 * HEAD
    assert format_of(path) == "coco"
