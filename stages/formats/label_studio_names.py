"""Which photograph a task of Label Studio's shows: in comes the task, out comes a path in `images`.

A task names its photograph by a URL or path of the machine that served it. Of that path, what is in
the folder of photographs counts: its longest trailing part that is there. Names are looked at, and
no file is opened. No name is absolute or leads out of the folder.
"""

import os.path
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from stages.formats.values import shown

KEYS = ("image", "img", "photo")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
LOCAL, UPLOAD = "data/local-files", "data/upload/"  # what Label Studio serves itself
UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")  # written before the name of an uploaded file
DEEPEST = 32  # folders that are looked for


def photograph_of(task: Mapping[str, Any], images: Path) -> str:
    """Path of the task's photograph in the folder; where it is not there, what it is called.

    Raises
    ------
    ValueError : the task names none, or several; the sentence but for its place.
    """
    path, is_whole = _path(_value(task.get("data")))
    for variant in dict.fromkeys((path, unquote(path))):
        found = next(_there(_trailing(_parts(variant)), images), None)
        if found is not None:
            return found
    parts = _parts(path)
    if UPLOAD in path.replace("\\", "/"):
        uploads = [parts[-1:], _parts(str(task.get("file_upload") or ""))[-1:]]
        names = [name for upload in uploads for name in upload]
        plain = [UPLOADED.sub("", name, count=1) for name in names]
        return next(_there(iter([*names, *plain]), images), names[0])
    return "/".join(parts) if is_whole else parts[-1]


def _value(data: Any) -> str:
    """What the task's data say of the photograph."""
    if not isinstance(data, Mapping):
        raise ValueError(f"its data are {shown(data)}, no object. Export the labels as JSON.")
    named = [data[key] for key in KEYS if isinstance(data.get(key), str)]
    texts = [value for value in data.values() if isinstance(value, str)]
    pictures = [text for text in texts if _path(text)[0].lower().endswith(SUFFIXES)]
    found = named[:1] or pictures
    if len(found) != 1 or not _parts(_path(found[0])[0]):
        keys = ", ".join(shown(key) for key in list(data)[:9]) or "nothing"
        raise ValueError(
            f"its data ({keys}) name {len(pictures)} photographs. Call the one that is labelled "
            "'image'."
        )
    if found[0].startswith("data:"):
        raise ValueError("its data hold the picture itself, not its name. Write its name there.")
    return found[0]


def _path(value: str) -> tuple[str, bool]:
    """The path in a URL or path, and whether it stands for itself where no part of it is there."""
    scheme, is_url, rest = value.partition("://")
    path = rest.partition("/")[2] if is_url else value
    if scheme.lower() in ("http", "https") or value.startswith("/data/"):
        path, _, query = path.partition("?")
        if path.strip("/").endswith(LOCAL) and query.startswith("d="):
            return unquote(query[2:]), True
        path = path.partition("#")[0]
    return path, not is_url


def _parts(path: str) -> list[str]:
    """Names on a path of any system, from what leads up or from the root on."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if parts and len(parts[0]) == 2 and parts[0].endswith(":"):  # a drive
        parts = parts[1:]
    ups = [place for place, part in enumerate(parts) if part == ".."]
    return parts[ups[-1] + 1 :] if ups else parts


def _trailing(parts: list[str]) -> Iterator[str]:
    """The longest trailing part first."""
    for start in range(max(0, len(parts) - DEEPEST), len(parts)):
        yield "/".join(parts[start:])


def _there(names: Iterator[str], images: Path) -> Iterator[str]:
    return (name for name in names if os.path.lexists(os.path.join(images, name)))
