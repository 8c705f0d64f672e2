"""Which files Pascal VOC labels consist of: a root, list or XML comes in, `VocFiles` go out.

    root/Annotations/<name>.xml           objects of a photograph; <name> may hold folders
    root/SegmentationObject/<name>.png    their masks, where there are any
    root/ImageSets/.../<list>.txt         a name a line; or, in the list of a class, "name 1", where
                                          -1 and 0 say that the photograph is not of the class

A name of a list is looked up among the files that are there, so none leaves the folder. Standard
library alone.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stages.runtime.faults import Faults

ANNOTATIONS, MASKS = "Annotations", "SegmentationObject"
FLAGS = ("1", "-1", "0")


@dataclass(frozen=True, slots=True)
class VocFiles:
    """What there is to read.

    xmls, masks : by name, sorted. A name is the path inside `Annotations` or `SegmentationObject`
        without its suffix: "2007_000032".
    """

    xmls: Mapping[str, Path]
    masks: Mapping[str, Path]


def voc_files(source: Path, faults: Faults) -> VocFiles:
    """The files of a VOC root, of its Annotations, of a list file, or of one XML file.

    Raises
    ------
    ValueError : the source is missing, or there is no XML file; names it and the remedy.
    """
    if source.is_dir():
        return _of_folder(source, faults)
    if not source.exists():
        raise ValueError(
            f"{source}: this file of labels is missing. Correct dataset in the config."
        )
    if source.suffix.lower() == ".txt":
        return _of_list(source, faults)
    folder = next((base for base in source.parents if base.name == ANNOTATIONS), source.parent)
    name = source.relative_to(folder).with_suffix("").as_posix()
    return VocFiles({name: source}, _only(_masks(folder), [name]))


def _of_folder(source: Path, faults: Faults) -> VocFiles:
    inside = source / ANNOTATIONS
    folder = inside if inside.is_dir() else source
    xmls, masks = _by_name(folder, ".xml"), _masks(folder)
    deeper = next((path for name, path in xmls.items() if f"/{ANNOTATIONS}/" in f"/{name}"), None)
    if deeper or not xmls:  # deeper, its masks would not be found
        seen = f"its XML files lie deeper, as {deeper} does" if deeper else "it has no XML file"
        raise ValueError(f"{folder}: {seen}. Give the folder that holds {ANNOTATIONS}.")
    for name in sorted(masks.keys() - xmls.keys()):
        faults.add("masks without an XML file", f"{masks[name]}: {_unclassed(name)}")
    return VocFiles(xmls, _only(masks, xmls))


def _of_list(source: Path, faults: Faults) -> VocFiles:
    root = next((base for base in source.parents if (base / ANNOTATIONS).is_dir()), None)
    if root is None:
        raise ValueError(
            f"{source}: this list is not inside a folder that has {ANNOTATIONS}. Give a list below "
            "ImageSets of a VOC folder."
        )
    xmls, masks = _by_name(root / ANNOTATIONS, ".xml"), _masks(root / ANNOTATIONS)
    names = set[str]()
    for number, line in enumerate(_lines(source), start=1):
        name, is_chosen = _entry(line, xmls)
        if is_chosen and name not in xmls:
            said = _unclassed(name) if name in masks else f"there is no {ANNOTATIONS}/{name}.xml."
            faults.add("names without an XML file", f"line {number}: {said} Remove the line.")
        elif is_chosen:
            names.add(name)
    if not names and not len(faults):
        raise ValueError(f"{source}: it names no photograph. Give another list.")
    return VocFiles(_only(xmls, names), _only(masks, names))


def _entry(line: str, xmls: Mapping[str, Path]) -> tuple[str, bool]:
    """Name in a line of a list, and whether it is chosen; a name may end in a number itself."""
    name = line.strip()
    start, _, flag = name.replace("\t", " ").rpartition(" ")
    if name not in xmls and start and flag in FLAGS:
        return start.strip(), flag == "1"
    return name, bool(name)


def _lines(source: Path) -> list[str]:
    try:
        return source.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        said = error.strerror or error
        raise ValueError(f"{source}: it cannot be read ({said}). Correct it.") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{source}: it is no text in UTF-8 ({error.reason}). Save it so."
        ) from None


def _unclassed(name: str) -> str:
    return f"there is a mask of {name}, but no {ANNOTATIONS}/{name}.xml to say the classes."


def _masks(annotations: Path) -> dict[str, Path]:
    """By name, where the folder of XML files is a VOC one."""
    is_voc = annotations.name == ANNOTATIONS
    return _by_name(annotations.parent / MASKS, ".png") if is_voc else {}


def _by_name(folder: Path, suffix: str) -> dict[str, Path]:
    """Files of a folder and of those in it, by path in the folder without the suffix; sorted."""
    found = {}
    for base, _, files in os.walk(folder):
        for file in files:
            if file.lower().endswith(suffix) and not file.startswith("."):
                path = Path(base, file)
                found[path.relative_to(folder).with_suffix("").as_posix()] = path
    return dict(sorted(found.items()))


def _only(files: Mapping[str, Path], names: Iterable[str]) -> dict[str, Path]:
    return {name: files[name] for name in sorted(names) if name in files}
