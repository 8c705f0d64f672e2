"""Classes of a YOLO data set: in, a data.yaml or a classes.txt; out, names by index, and keypoints.

Standard library alone, but for a data.yaml.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.formats.values import LARGEST_CLASS, shown, text, whole

YAML_NAMES, LIST_NAME = ("data.yaml", "data.yml"), "classes.txt"
YAML_SUFFIXES = (".yaml", ".yml")
LEVELS = 3  # folders that are searched: that of the labels and two above it
LARGEST = 2**20  # bytes; names of 20,000 classes take half of it
MOST = 100_000  # classes
DEEPEST = 20  # levels of a data.yaml
LONGEST = 10_000  # characters of a word of it
KEYPOINT_FORMS = (2, 3)  # x y, or x y visibility


@dataclass(frozen=True, slots=True)
class Classes:
    """What label files do not say of themselves.

    Attributes
    ----------
    names : by index; None where no file names or counts the classes.
    are_named : False where names are the digits of the index.
    keypoint : how many numbers of a keypoint follow a box; 0 where there is none.
    """

    names: Mapping[int, str] | None = None
    are_named: bool = False
    keypoint: int = 0


def classes_file(source: Path, labels: Path) -> Path | None:
    """The file that names the classes: `source`, or one in the folders at and above the labels.

    A data.yaml goes before a classes.txt, since it alone tells keypoints from corners.
    """
    if not source.is_dir():
        return source
    folders = [labels, *labels.parents[: LEVELS - 1], source]
    paths = [folder / name for name in (*YAML_NAMES, LIST_NAME) for folder in folders]
    return next((path for path in paths if path.is_file()), None)


def classes_in(path: Path | None) -> Classes:
    """Classes as a data.yaml or classes.txt has them.

    Raises
    ------
    ValueError : it is neither, or what it holds is no names of classes; names it and the remedy.
    """
    if path is None:
        return Classes()
    try:
        if path.suffix.lower() in YAML_SUFFIXES:
            return _in_yaml(_yaml(path))
        if path.name.lower() == LIST_NAME:
            return _in_list(_decoded(path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    raise ValueError(f"{path}: neither a data.yaml nor a folder of label files. Give one of these.")


def _decoded(path: Path) -> str:
    size = path.stat().st_size
    if size > LARGEST:
        raise ValueError(f"{size} bytes are no names of classes. Give the data.yaml of the labels.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("not text in UTF-8. Save it as UTF-8.") from error


def _in_list(lines: str) -> Classes:
    names = [line.strip() for line in lines.rstrip().splitlines()]
    if not names or not all(names):
        raise ValueError("it is empty, or a line of it is. Write the name of a class on each line.")
    return Classes(dict(enumerate(names)), are_named=True)


def _yaml(path: Path) -> Any:
    import yaml  # here, since the Snakefile asks this module where it may be missing

    # what a stranger's YAML can make a loader raise, beside YAMLError: "!!int ''", "!!bool x"
    faults = (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError,
              ArithmeticError)  # fmt: skip
    content = _decoded(path)
    try:
        _check_events(content)
        data = yaml.safe_load(content)
    except faults as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"not the YAML of a data set ({reason}). Correct it.") from error
    if not isinstance(data, dict):
        raise ValueError("not a data.yaml: its top level has no keys. Write names: [cat, dog].")
    return data


def _check_events(content: str) -> None:
    """Refuse what takes a loader hours or gigabytes: aliases, deep nesting, numbers like 1:1:1."""
    import yaml

    depth = 0
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST:
            raise ValueError(f"there is a word of {len(event.value)} characters")
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("there are aliases, *name; write what they stand for")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"lists and keys are nested deeper than {DEEPEST}")


def _in_yaml(data: Mapping[Any, Any]) -> Classes:
    count = _count(data.get("nc"))
    names = _names(data.get("names"))
    keypoint = _keypoint(data.get("kpt_shape"))
    if names is not None:
        if count not in (None, len(names)):
            raise ValueError(f"nc is {count}, with {len(names)} names. Correct one of them.")
        return Classes(names, are_named=True, keypoint=keypoint)
    if count is None:
        raise ValueError("there are neither names nor nc in it. Write names: [cat, dog].")
    return Classes({index: str(index) for index in range(count)}, keypoint=keypoint)


def _count(found: Any) -> int | None:
    return None if found is None else int(_called("nc", whole, found, 1, MOST))


def _names(found: Any) -> dict[int, str] | None:
    if found is None or found == [] or found == {}:
        return None
    if not isinstance(found, list | dict):
        raise ValueError(f"names {shown(found)} is no list. Write names: [cat, dog].")
    pairs = enumerate(found) if isinstance(found, list) else found.items()
    names = dict[int, str]()
    for key, name in pairs:
        index = _called("an index in names", whole, key, 0, LARGEST_CLASS)
        if index in names:
            raise ValueError(f"names has index {index} twice. Remove one of them.")
        names[index] = str(_called(f"names: class {index}", text, name)).strip()
    return names


def _keypoint(shape: Any) -> int:
    if shape is None:
        return 0
    if not isinstance(shape, Sequence) or len(shape) != 2 or shape[1] not in KEYPOINT_FORMS:
        raise ValueError(f"kpt_shape {shown(shape)} is not [1, 2] or [1, 3]. Correct or remove it.")
    if shape[0] != 1:
        raise ValueError(
            f"kpt_shape {shown(shape)}: which of the keypoints is the point of its object is not "
            "known. Write labels of one keypoint each (kpt_shape: [1, 3]), or of boxes alone."
        )
    return int(shape[1])


def _called(name: str, convert: Callable[..., Any], *values: Any) -> Any:
    """A value converted; the fault that this finds names it."""
    try:
        return convert(*values)
    except ValueError as error:
        raise ValueError(f"{name}: {error}. Correct it, in quotes where it is a word.") from error
