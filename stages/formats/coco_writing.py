"""COCO files written piece by piece, one entry per line, in bounded memory.

`grep` and `head` are at home in such a file, and a reader may take it line by line.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import pyarrow as pa

from stages.formats.coco_counts import COUNTS, LISTS
from stages.photographs.reading import reading_of


def write_coco(
    file: TextIO,
    info: dict[str, Any],
    images: pa.Table,
    categories: pa.Table,
    annotations: Iterator[dict[str, Any]],
) -> None:
    """Write a COCO file.

    Parameters
    ----------
    info : what COCO's key `info` holds.
    images, categories : tables of these names; all of their rows are written.
    annotations : in the order of their ids; each is written before the next one is asked for.

    Raises
    ------
    ValueError : an annotation holds a number that is not finite.
    """
    entries = map(_image_entry, images.to_pylist()), map(_category_entry, categories.to_pylist())
    write_entries(file, info, *entries, annotations)


def write_entries(
    file: TextIO,
    info: dict[str, Any],
    images: Iterable[dict[str, Any]],
    categories: Iterable[dict[str, Any]],
    annotations: Iterable[dict[str, Any]],
) -> None:
    """Write a COCO file from its entries, as `write_coco` does.

    Behind the lists stands how many entries each has, so that a file that is cut, or that lost a
    line, is told from a whole one.
    """
    file.write(f'{{"info": {json.dumps(info, sort_keys=True)},\n"licenses": [],\n')
    lists = dict(zip(LISTS, (images, categories, annotations), strict=True))
    counts = {name: _write_list(file, name, entries) for name, entries in lists.items()}
    file.write(f'"{COUNTS}": {json.dumps(counts)}}}\n')


def _write_list(file: TextIO, name: str, entries: Iterable[dict[str, Any]]) -> int:
    """Write a list, an entry to a line; returns how many there were."""
    file.write(f'"{name}": [')
    count = 0
    for entry in entries:
        file.write((",\n" if count else "\n") + json.dumps(entry, allow_nan=False))
        count += 1
    file.write("\n],\n")
    return count


def _image_entry(row: dict[str, Any]) -> dict[str, Any]:
    names = ("file_name", "height", "width")
    return {"id": row["image_id"], **{name: row[name] for name in names}, **reading_of(row)}


def _category_entry(row: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "supercategory")
    return {"id": row["category_id"], **{name: row[name] for name in names}}
