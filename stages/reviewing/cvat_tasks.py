"""Images with their labels as CVAT's XML 1.1 "for images", to be uploaded into a task of them.

A mask is CVAT's own: runs along the rows of the part of the image that its box covers, the
background's first. Names are escaped.
Format: https://docs.cvat.ai/docs/other/xml_format
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

from stages.geometry.masks import rle_of, rles_to_masks

Entry = Mapping[str, Any]
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
TAIL = "</annotations>\n"


def image_lines(
    number: int, image: Entry, annotations: Sequence[Entry], classes: Mapping[int, str]
) -> Iterator[str]:
    """Lines of one image, with its masks; one without pixels is left out.

    Parameters
    ----------
    number : of the image in the task, from 0. image : COCO's entry. annotations : of export's file.
    """
    size = f'width="{image["width"]}" height="{image["height"]}"'
    yield f'  <image id="{number}" name={quoteattr(str(image["file_name"]))} {size}>\n'
    for entry in annotations:
        mask = entry["segmentation"]
        pixels = rles_to_masks([rle_of(mask["counts"].encode("ascii"), *mask["size"])])[0]
        if pixels.any():
            yield _mask_line(pixels, classes[entry["category_id"]])
    yield "  </image>\n"


def _mask_line(pixels: np.ndarray, name: str) -> str:
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    part = pixels[top : rows[-1] + 1, left : columns[-1] + 1]
    place = f'left="{left}" top="{top}" width="{part.shape[1]}" height="{part.shape[0]}"'
    runs = ", ".join(map(str, row_runs(part)))
    return (
        f'    <mask label={quoteattr(name)} source="auto" occluded="0" rle="{runs}" {place} '
        'z_order="0"></mask>\n'
    )


def row_runs(part: np.ndarray) -> list[int]:
    """Lengths of runs along the rows, the background's first; it may be 0.

    Parameters
    ----------
    part : (height, width), 0 or 1.
    """
    found = [(bool(value), sum(1 for _ in run)) for value, run in groupby(part.ravel().tolist())]
    lengths = [length for _, length in found]
    return [0, *lengths] if found and found[0][0] else lengths
