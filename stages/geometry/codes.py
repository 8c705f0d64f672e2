"""Run-length codes of many masks at once, held against what pycocotools can take. Pure functions.

pycocotools reads on beyond the end of a code that is cut, and a run of more than 32 bits keeps it
for ever; so whoever reads codes from a file asks here first.
"""

import numpy as np

from stages.geometry.masks import LONGEST_SHIFT

MOST_PIXELS = 300_000_000  # px of an image; larger ones fill the memory
TOGETHER = 1_000_000  # bytes of codes that are looked at in one go, about
NO_CODE = -1


def code_areas(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """How many px of an image each code fills, background and object, (n,) int64.

    Parameters
    ----------
    data : (m,) uint8, the codes behind each other. offsets : (n + 1,) int64, where each begins,
        rising; the last is the end of the last one.

    Returns
    -------
    NO_CODE where bytes are no code, end within a number, or have a negative run or one of more than
    32 bits; 0 for a code without bytes.

    Source: rleFrString of COCO's maskApi.c.
    """
    areas = np.zeros(len(offsets) - 1, dtype=np.int64)
    first = 0
    while first < len(areas):
        last = int(np.searchsorted(offsets, offsets[first] + TOGETHER, side="right")) - 1
        last = min(max(last, first + 1), len(areas))
        part = offsets[first : last + 1]
        areas[first:last] = _areas(data[part[0] : part[-1]], part - part[0])
        first = last
    return areas


def _areas(data: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    lengths = np.diff(offsets)
    areas, full = np.zeros(len(lengths), dtype=np.int64), np.flatnonzero(lengths)
    if not len(full):
        return areas
    digits = data.astype(np.int64) - 48  # 5 bits each; 32: the number goes on
    is_end = digits & 32 == 0
    is_end[offsets[full] + lengths[full] - 1] = True  # a number that is cut is found below
    ends = np.flatnonzero(is_end)
    starts = np.concatenate([[0], ends[:-1] + 1])
    owners = np.repeat(np.arange(len(lengths)), lengths)[starts]  # of each number
    shifts = 5 * (np.arange(len(digits)) - np.repeat(starts, ends - starts + 1))
    odd = (digits < 0) | (digits > 63) | (shifts > LONGEST_SHIFT) | (is_end & (digits & 32 > 0))
    values = np.add.reduceat((digits & 31) << np.minimum(shifts, LONGEST_SHIFT), starts)
    values -= np.where(digits[ends] & 16, 32 << np.minimum(shifts[ends], LONGEST_SHIFT), 0)
    runs = _runs(values, owners)
    np.add.at(areas, owners, runs)
    areas[owners[runs < 0]] = NO_CODE
    areas[np.repeat(np.arange(len(lengths)), lengths)[odd]] = NO_CODE
    return areas


def _runs(values: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Runs of the numbers of each code: from the third on differences to the last but one."""
    first = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    places = np.arange(len(values)) - np.repeat(first, np.diff([*first, len(values)]))
    kinds = 3 * owners + np.where(places == 0, 0, 1 + places % 2)
    order = np.argsort(kinds, kind="stable")
    sums = values[order].cumsum()
    heads = np.flatnonzero(np.concatenate([[True], np.diff(kinds[order]) != 0]))
    before = sums[heads] - values[order][heads]
    runs = np.empty_like(values)
    runs[order] = sums - np.repeat(before, np.diff([*heads, len(values)]))
    return runs
