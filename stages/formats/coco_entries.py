"""The entries of a COCO file's lists: every value that is used, of the type that it should be.

What another tool wrote in another way is converted where that is unambiguous, else told in one
sentence with the entry's place. Standard library alone.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from stages.formats.values import (
    LARGEST_CLASS,
    flag,
    given,
    number,
    numbers,
    shown,
    text,
    whole,
)
from stages.runtime.faults import Faults

Entry = dict[str, Any]
Convert = Callable[[Any], Any]
LONGEST_SIDE = 1_000_000  # px, of an image; pycocotools has 32 bits for a fifth of a px
SINGULAR = {"images": "image", "categories": "category", "annotations": "annotation"}


def category(value: Any) -> int:
    """Id of a class."""
    return whole(value, high=LARGEST_CLASS)


def size(value: Any) -> int | None:
    """A side of an image, px; None where the exporter did not know it: null, 0 or empty."""
    side = given(lambda known: whole(known, high=LONGEST_SIDE), value)
    return side or None


def box(value: Any) -> list[float]:
    """A box of an annotation."""
    return list(numbers(value, 4, "[x, y, width, height] in px"))


KEYS: dict[str, dict[str, Convert]] = {  # keys that must be there
    "images": {"id": whole, "file_name": text},
    "categories": {"id": category, "name": text},
    "annotations": {"id": whole, "image_id": whole, "category_id": category},
}
MORE: dict[str, dict[str, Convert]] = {  # keys that may be missing or null
    "images": {"height": size, "width": size},
    "categories": {"supercategory": lambda value: given(text, value) or ""},
    "annotations": {
        "iscrowd": lambda value: int(flag(value)),
        "bbox": lambda value: given(box, value),
        "area": lambda value: given(number, value),
    },
}


def sound_entries(data: Entry, name: str, path: Path, faults: Faults) -> list[Entry]:
    """The sound entries of a list, sorted by id, their values converted in place."""
    items = data.get(name)
    if not isinstance(items, list):
        raise ValueError(f"{path}: not a COCO file: there is no list {name!r}. Give another.")
    sound: dict[int, Entry] = {}
    for position, item in enumerate(items):
        fault = _converted(item, name)
        if fault:
            faults.add(f"faulty entries of {name}", f"{_place(item, name, position)} {fault}.")
        elif item["id"] in sound:
            faults.add(
                f"ids that are there twice in {name}",
                f"id {item['id']} is there twice in {name}. Ids must differ.",
            )
        else:
            sound[item["id"]] = item
    return [sound[number] for number in sorted(sound)]


def _converted(item: Any, name: str) -> str:
    """Convert the values of an entry; returns what is wrong with it, or nothing."""
    if not isinstance(item, dict):
        return f"is {shown(item)}, no object. Remove it"
    missing = [key for key in KEYS[name] if key not in item]
    if missing:
        return f"has no {' and no '.join(missing)}"
    for key, convert in _conversions(name):
        try:
            item[key] = convert(item.get(key))
        except ValueError as error:
            return f"has a wrong {key}: {error}. Correct it"
    return ""


def _conversions(name: str) -> Iterable[tuple[str, Convert]]:
    return (*KEYS[name].items(), *MORE[name].items())


def _place(item: Any, name: str, position: int) -> str:
    """How a sentence names an entry: by its id, and by its place in the list."""
    number = number_of(item)
    place = f"entry {position} of {name}"
    return place if number is None else f"{SINGULAR[name]} {number} ({place})"


def number_of(item: Any) -> int | None:
    """The id of an entry that may be faulty."""
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, int) else None
