"""Which format labels are of: a file or folder comes in, a name of `FORMATS` goes out.

What is in a file decides, not how it is called, and no more than its first MiB is read, since
planning asks and files of COCO are large. Of a folder, the first few files of each kind are looked
at, in the order of their names, until one tells. Standard library alone.
"""

import codecs
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from stages.formats.format import FORMATS

HEAD = 1 << 20  # bytes
PACKED = {
    b"PK\x03\x04": "zip",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
PARQUET = b"PAR1"
COCO_SURE, COCO = {"images", "categories", "licenses"}, {"annotations", "info"}
LABELME = {"shapes", "imagePath", "imageData"}
LABEL_STUDIO = {"annotations", "completions", "annotation_id"}  # the last in its JSON-MIN
CVAT = ("<image", "<meta", "<version", "<track")
FILE_COLUMNS = {
    "filename",
    "file",
    "image",
    "imagename",
    "imagepath",
    "imageid",
    "filepath",
    "path",
}
JSON_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)"|["{}\[\]:]', re.DOTALL)
XML_PROLOG = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<![^>]*>)", re.DOTALL)
XML_ROOT = re.compile(r"<([A-Za-z_][\w.-]*)")
YAML_NAMES = re.compile(r"^[\"']?names[\"']?\s*:", re.MULTILINE)

KINDS = (
    (".yaml", ".yml"),
    (".xml",),
    (".json",),
    (".txt",),
    (".csv", ".tsv", ".parquet"),
)  # files of labels in a folder, those that tell most first
OF_FOLDERS = {"coco", "labelme", "cvat", "voc", "yolo"}  # whose readers take a folder
EACH, ALL = 20, 200  # files of a kind in one folder that are looked at, and files in all
YOLO_LABELS = "the labels of one photograph, as YOLO writes them"


def format_of(source: Path) -> str:
    """Name of the format that a file or folder of labels is of.

    Raises
    ------
    ValueError : it is missing, packed, or of no known format; says what was seen and the remedy.
    """
    if os.path.isdir(source):
        return _of_folder(source)
    if not os.path.exists(source):
        raise ValueError(f"{source}: these labels are missing. Correct dataset in the config.")
    try:
        return _of_file(source)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def _of_file(path: Path) -> str:
    """Format of one file; ValueError is a sentence without its name."""
    if not os.path.isfile(path):
        raise _unknown("neither a file nor a folder")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror or error}). Correct it.") from None
    for start, name in PACKED.items():
        if head.startswith(start):
            raise ValueError(f"it is packed ({name}). Unpack it, and give what it holds.")
    if head.startswith(PARQUET):
        return "csv"
    text = _decoded(head)
    if text[:1] in ("{", "["):
        of_json = _of_object if text[0] == "{" else _of_list
        return of_json(text, is_whole=len(head) < HEAD)
    return _of_xml(text) if text[:1] == "<" else _of_text(text, path)


def _decoded(head: bytes) -> str:
    """The text from its first character on; one that is cut in two at the end does no harm."""
    is_wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not is_wide and b"\0" in head:
        raise _unknown("bytes that are no text")
    text = head.decode("utf-16" if is_wide else "utf-8-sig", errors="replace").lstrip()
    if not text:
        raise _unknown("nothing")
    return text


def _of_object(text: str, *, is_whole: bool) -> str:
    keys = set[str]()
    for depth, key in _keys(text):
        if depth == 1:
            keys.add(key)
        if depth == 1 and key in COCO_SURE:
            return "coco"
    if keys & LABELME:
        return "labelme"
    if keys & COCO or not is_whole:
        return "coco"
    raise _unknown(f"a JSON object {_with(keys)}")


def _of_list(text: str, *, is_whole: bool) -> str:
    keys = set[str]()
    for depth, key in _keys(text):
        if key == "result" or (depth == 2 and key in LABEL_STUDIO):
            return "label_studio"
        if depth == 2:
            keys.add(key)
        if {"image_id", "score"} <= keys:
            raise ValueError(
                "it is a list of COCO results, with image_id and score, not of labels. Give the "
                "file of annotations."
            )
    raise _unknown(f"a JSON list {_with(keys)}" + ("" if is_whole else " at its start"))


def _keys(text: str) -> Iterator[tuple[int, str]]:
    """Each key of a JSON text that may be cut off, with the number of brackets that are open."""
    depth, last = 0, ""
    for token in JSON_TOKEN.finditer(text):
        mark = token[0]
        if mark == '"':
            return  # a string is cut off here
        if mark in ("{", "["):
            depth += 1
        elif mark in ("}", "]"):
            depth -= 1
        elif mark == ":":
            yield depth, last
        else:
            last = token[1]


def _of_xml(text: str) -> str:
    start = 0
    while part := XML_PROLOG.match(text, start):
        start = part.end()
    root = XML_ROOT.search(text, start)
    name = root[1] if root else ""
    if name == "annotations" and any(element in text for element in CVAT):
        return "cvat"
    if name == "annotation":
        return "voc"
    raise _unknown(f"XML with the root <{name}>")


def _of_text(text: str, path: Path) -> str:
    if "ImageSets" in path.parts:
        return "voc"
    first = text.splitlines()[0]
    if _is_header(first):
        return "csv"
    if YAML_NAMES.search(text):
        return "yolo"
    if _is_yolo(first):
        raise ValueError(f"it holds {YOLO_LABELS}. Give their folder, or the data.yaml.")
    raise _unknown(f"text that begins with {first[:40]!r}")


def _is_header(line: str) -> bool:
    """Whether it names columns, one of them for files."""
    cells = re.split(r"[,;\t|]", line.lstrip("#"))
    names = {re.sub(r"[\s_\"'-]", "", cell).lower() for cell in cells}
    return len(cells) > 1 and bool(names & FILE_COLUMNS)


def _is_yolo(line: str) -> bool:
    """Whether it is a class and coordinates."""
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        return False
    return len(values) >= 3 and values[0].is_integer()


def _of_folder(source: Path) -> str:
    if _has_xml(source / "Annotations"):
        return "voc"
    elsewhere = ""
    for path in _looked_at(source):
        told = _told(path)
        if told in OF_FOLDERS:
            return told
        if told and not elsewhere:
            elsewhere = (
                f"{source}: it holds {path}, of format {told}. Give that file as the labels."
            )
    raise ValueError(elsewhere or f"{source}: {_unknown('no file of labels that is known')}")


def _has_xml(folder: Path) -> bool:
    return any(file.lower().endswith(".xml") for _, _, files in os.walk(folder) for file in files)


def _looked_at(source: Path) -> Iterator[Path]:
    """The files of a folder that may tell, and of those in it, in order."""
    count = 0
    for base, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in _few(files):
            yield Path(base, name)
            count += 1
            if count == ALL:
                return


def _few(files: Sequence[str]) -> list[str]:
    found = []
    for suffixes in KINDS:
        named = [name for name in files if name.lower().endswith(suffixes)]
        found += sorted(name for name in named if not name.startswith("."))[:EACH]
    return found


def _told(path: Path) -> str:
    """Format of a file in a folder; "" where it tells none."""
    try:
        return _of_file(path)
    except ValueError as error:
        return "yolo" if YOLO_LABELS in str(error) else ""


def _with(keys: set[str]) -> str:
    names = [repr(key[:20]) for key in sorted(keys)[:5]]
    return f"with the keys {', '.join(names)}" if names else "without keys"


def _unknown(seen: str) -> ValueError:
    return ValueError(
        f"it holds {seen}, so its format is unknown. Set dataset.train.format, which is one of "
        f"{', '.join(FORMATS)}, or give other labels."
    )
