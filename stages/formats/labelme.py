"""LabelMe's JSON files, one for each photograph: in comes a folder of them or one, out come labels.

LabelMe writes the position of the mouse on the image, drawn from (0, 0) on and divided by the zoom:
continuous px from the upper left corner, the centre of the first pixel being (0.5, 0.5), as here.
So nothing is shifted; a rectangle's corners are its box. A mask is a PNG whose first pixel is the
one that its first corner names; its second corner names the last pixel, inclusive.

Shapes of one file with one label and one group_id are one object. LabelMe turns a photograph as its
EXIF orientation says before it is labelled; labels are of the turned one, then.
"""

import json
import os.path
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from stages.formats.assembly import Assembly
from stages.formats.format import Labelled
from stages.formats.labelme_shapes import Part, is_flagged, line_kind, part_of, together
from stages.formats.values import flag, shown, text, whole
from stages.runtime.faults import Faults

NEEDED = ("shapes", "imagePath")


@dataclass(slots=True)
class _Reading:
    """What one reading goes by. files : the file that labels an image, by its id."""

    source: Path
    images: Path
    assembly: Assembly
    files: dict[int, str] = field(default_factory=dict)

    def place(self, path: Path, what: str = "") -> str:
        """Where something stands: the file, if there can be several, and what it is in there."""
        name = "" if path == self.source else path.relative_to(self.source).as_posix()
        return ": ".join(part for part in (name, what) if part)


def read(source: Path, images: Path, faults: Faults) -> Labelled:
    """The labels in a folder of LabelMe's JSON files, with the folders in it, or in one file.

    Raises
    ------
    ValueError : there is no such folder or file, no JSON file in it, or the one file is not
        LabelMe's.
    """
    paths = sources(source, images)
    if not source.exists():
        raise ValueError(f"{source}: there is no such file or folder. Correct dataset in config.")
    if not paths:
        raise ValueError(
            f"{source}: there is no JSON file in this folder. Put LabelMe's files there, or "
            "correct dataset in the config."
        )
    reading = _Reading(source, images, Assembly(faults))
    for path in paths:
        try:
            _take_file(reading, path)
        except (RecursionError, ValueError) as error:
            is_deep = isinstance(error, RecursionError)
            said = "it is nested too deeply for LabelMe. Save it again." if is_deep else error
            if path == source:
                raise ValueError(f"{source}: {said}") from None
            faults.add("files that are not LabelMe's", f"{reading.place(path)}: {said}")
    return reading.assembly.labelled()


def sources(source: Path, images: Path) -> Sequence[Path]:
    """The JSON files in the folder and in those in it, sorted, but hidden ones; or the one file."""
    if not source.is_dir():
        return [source]
    found = (path for path in source.rglob("*") if path.suffix.lower() == ".json")
    return sorted(path for path in found if not _is_hidden(path, source) and not path.is_dir())


def file_names(source: Path, images: Path) -> Sequence[str]:
    """The photographs that the files name."""
    return [image["file_name"] for image in read(source, images, Faults(source)).images]


def _is_hidden(path: Path, source: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(source).parts)


def _take_file(reading: _Reading, path: Path) -> None:
    data = _loaded(path, reading.source)
    image_id = _image(reading, data, path)
    _take_shapes(reading, data["shapes"], image_id, path)
    _take_flags(reading, data.get("flags"), image_id, path)


def _loaded(path: Path, source: Path) -> dict[str, Any]:
    try:
        is_inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(source))
        data: Any = json.loads(path.read_bytes()) if is_inside else None
    except (OSError, ValueError) as error:
        raise ValueError(f"it cannot be read as JSON ({error}). Save it again.") from None
    if not is_inside:
        raise ValueError("it is a link that leads out of the folder. Put the file itself there.")
    missing = [key for key in NEEDED if not isinstance(data, dict) or key not in data]
    if missing:
        raise ValueError(
            f"it is no file of LabelMe: there is no {' and no '.join(map(repr, missing))}. "
            "Move it out of the folder of labels."
        )
    found: dict[str, Any] = data
    if not isinstance(found["shapes"], list):
        raise ValueError(f"its shapes are {shown(found['shapes'])}, no list. Save it again.")
    return found


def _image(reading: _Reading, data: Mapping[str, Any], path: Path) -> int:
    """Id of the file's image, which no other file may label."""
    name = _file_name(reading, data["imagePath"], path)
    size = [data.get(key) for key in ("imageHeight", "imageWidth")]
    try:
        height, width = (None, None) if None in size else [whole(side, low=1) for side in size]
    except ValueError as error:
        raise ValueError(f"imageHeight or imageWidth {error}. Correct it or write null.") from None
    image_id = reading.assembly.image(name, height=height, width=width)
    if image_id in reading.files:
        raise ValueError(
            f"its photograph {name} is labelled by {reading.files[image_id]} already. Remove one "
            "of the two files, or correct imagePath."
        )
    reading.files[image_id] = reading.place(path)
    return image_id


def _file_name(reading: _Reading, image_path: Any, path: Path) -> str:
    """Path of the photograph in `images`; where it does not lie there, where it may lie there.

    Windows' separators are read as such, as LabelMe does. A photograph elsewhere is looked for in
    the folder of the same name as the file's, beside which it lay, and else by its bare name.
    """
    written = PureWindowsPath(image_path if isinstance(image_path, str) else "")
    if not written.name or written.name == "..":
        raise ValueError(f"imagePath {shown(image_path)} names no photograph. Correct it.")
    base = os.path.abspath(reading.images)
    if not written.drive:
        there = os.path.join(os.path.abspath(path.parent), written.as_posix())
        inside = os.path.relpath(os.path.normpath(there), base)
        if inside.split(os.sep)[0] not in ("..", "."):
            return Path(inside).as_posix()
    beside = path.relative_to(reading.source).parent / written.name
    return beside.as_posix() if os.path.lexists(reading.images / beside) else written.name


def _take_flags(reading: _Reading, flags: Any, image_id: int, path: Path) -> None:
    """Flags that are set are tags."""
    faults = reading.assembly.faults
    if not isinstance(flags, Mapping | None):
        faults.add("flags", f"{reading.place(path, 'flags')}: {shown(flags)} is no object. Save it "
                   "again in LabelMe.")  # fmt: skip
        return
    for name, value in (flags or {}).items():
        place = reading.place(path, f"flag {shown(name)}")
        with faults.caught("flags", place):
            try:
                if flag(value):
                    reading.assembly.label(image_id, text(name), place=place)
            except ValueError as error:
                raise ValueError(f"{error}. Name it, and set it to true or false.") from None


def _take_shapes(reading: _Reading, shapes: Sequence[Any], image_id: int, path: Path) -> None:
    """Each group of shapes is a label, and each shape without a group."""
    assembly, groups = reading.assembly, dict[tuple[str, str | int], list[Part]]()
    for count, shape in enumerate(shapes, start=1):
        kind = line_kind(shape)
        if kind is not None:
            assembly.left_out[f"shapes of kind {kind}"] += 1
            continue
        with assembly.faults.caught("shapes", reading.place(path, f"shape {count}")):
            part = part_of(shape, count)
            key = (part.label, count if part.group is None else part.group)
            groups.setdefault(key, []).append(part)
        if is_flagged(shape):
            assembly.left_out["flags of shapes"] += 1
    for (label, _), parts in groups.items():
        place = reading.place(path, f"shape {parts[0].number}")
        with assembly.faults.caught("groups of shapes", place):
            assembly.label(image_id, label, place=place, **together(parts))
