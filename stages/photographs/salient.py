"""Salient sets: photographs of one object each, and their masks, such as DUTS-TR.

In go a folder of images and one of masks (DUTS-TR-Image/*.jpg, DUTS-TR-Mask/*.png), paired by the
stem of their names, and perhaps a file that lists the images to take; out go pairs of paths, and of
a pair pixels and mask. Files that are no images by their names, and hidden ones, are no part of a
set. BoxCaseg, Sec. 4.1: its authors picked the images of one object by hand ("DUTS-Single"); a list
gives such a choice, and `is_single` comes near to it.
"""

import io
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path, PureWindowsPath

import cv2
import numpy as np
from PIL import Image

from stages.photographs.depth import declared_white, deep_values, is_deep, range_of, to_bytes
from stages.photographs.orientation import fitting
from stages.photographs.reading import bytes_of, decoded, opened_image, read_header
from stages.runtime.program import shown

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
HALF = 127.5  # grey levels; what is brighter is the object
LONGEST_LIST = 64 * 2**20  # bytes
NAMED = 3  # faulty names that a sentence gives


def salient_pairs(images: Path, masks: Path, listed: Path | None) -> list[tuple[Path, Path]]:
    """Image and mask of each stem, sorted by stem.

    Parameters
    ----------
    images, masks : folders, their own files alone. listed : a text file that names the images to
        take, one a line, with or without folder and suffix; empty lines and those that begin with #
        are passed over. None: all.

    Raises
    ------
    ValueError : a folder is missing or has no images, two files of one have the same stem, an image
        or a mask that is wanted has no partner, or the list is unreadable, empty, or names what is
        not there.
    """
    pictures, covers = _by_stem(images), _by_stem(masks)
    wanted = set(pictures) | set(covers) if listed is None else _stems_of(listed)
    if listed is not None and (unknown := wanted - set(pictures)):
        raise ValueError(
            f"{shown(listed)}: {_names(unknown)} not in {shown(images)}. Correct the list, or give "
            "the folder that it was made for."
        )
    for kind, lacking in (("image", wanted - set(pictures)), ("mask", wanted - set(covers))):
        if lacking:
            folder = images if kind == "image" else masks
            raise ValueError(
                f"salient set: {_names(lacking)} without {kind} in {shown(folder)}. Images and "
                "masks are paired by the stem of their names; add the files, or list the complete "
                "pairs in dataset.salient.listed."
            )
    return [(pictures[stem], covers[stem]) for stem in sorted(wanted)]


def salient_sample(image: Path, mask: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and mask of a pair.

    Returns
    -------
    (h, w, 3) uint8 RGB, turned as its EXIF says, or as it is stored where only that has the mask's
    size; (h, w) bool, true where the mask is brighter than half in some channel, and not
    transparent.

    Raises
    ------
    ValueError : one of them is missing, undecodable or too large, the sizes differ, or the mask is
        bright nowhere.
    """
    values = _brightness(mask)
    found = values > HALF
    if not found.any():
        raise ValueError(
            f"salient mask {shown(mask)}: nothing in it is brighter than half; its brightest value "
            f"is {int(values.max())} of 255. Write 255 where the object is, 0 elsewhere, or leave "
            "the image out by dataset.salient.listed."
        )
    data, (height, width) = bytes_of(image), found.shape
    header = read_header(io.BytesIO(data), image)
    try:
        turn = fitting(header, (height, width), "auto")
    except ValueError:
        raise ValueError(
            f"salient mask {shown(mask)}: {width} x {height} px, but its image {shown(image)} has "
            f"{header.size[1]} x {header.size[0]} px. Give the mask of that image."
        ) from None
    return decoded(data, image, orientation=turn), found


def is_single(mask: np.ndarray, share: float = 0.95) -> bool:
    """Whether one object stands out: the largest connected part has most of the foreground.

    Parameters
    ----------
    mask : (h, w) bool. share : 0 to 1, of the foreground; pixels that touch by a corner are
        connected. An empty mask is never single.
    """
    if not mask.any():  # OpenCV crashes where there are no pixels at all
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]  # the first is the background
    return bool(areas.max() >= share * areas.sum())


def _by_stem(folder: Path) -> Mapping[str, Path]:
    """The images of a folder by the stems of their names, composed as NFC."""
    if not folder.is_dir():
        raise ValueError(f"salient set: there is no folder {shown(folder)}. Correct the path.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not _has_suffix(path.name) or not path.is_file():
            continue
        other = found.setdefault(_stem(path.name), path)
        if other != path:
            raise ValueError(
                f"salient set: {shown(other)} and {path.name!r} have the same stem. Keep one of "
                "them; images and masks go into folders of their own."
            )
    if not found:
        raise ValueError(
            f"salient set: there are no images in {shown(folder)} itself ({', '.join(SUFFIXES)})."
            f"{_folders_in(folder)}"
        )
    return found


def _folders_in(folder: Path) -> str:
    below = sorted(path.name for path in folder.iterdir() if path.is_dir())
    return f" Name one of its folders: {', '.join(map(repr, below[:NAMED]))}." if below else ""


def _has_suffix(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _stem(name: str) -> str:
    """A name without the suffix of an image; of other dots nothing is known."""
    return unicodedata.normalize("NFC", name.rpartition(".")[0] if _has_suffix(name) else name)


def _stems_of(listed: Path) -> set[str]:
    """The stems that a list names; their folders, in whichever slashes, are passed over."""
    try:
        if listed.stat().st_size > LONGEST_LIST:
            raise ValueError(f"more than {LONGEST_LIST // 2**20} MiB")
        lines = listed.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        raise ValueError(
            f"salient list {shown(listed)}: cannot be read ({error}). Give a text file with the "
            "name of an image on each line."
        ) from None
    names = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    if not names:
        raise ValueError(
            f"salient list {shown(listed)}: it names no image. List some, or set null."
        )
    return {_stem(PureWindowsPath(name).name) for name in names}


def _names(stems: Iterable[str]) -> str:
    """Some names for a sentence, with their verb left out."""
    found = sorted(stems)
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{', '.join(map(repr, found[:NAMED]))}{more}"


def _brightness(path: Path) -> np.ndarray:
    """The largest channel of a mask, (h, w) uint8; what is transparent is as dark."""
    data = bytes_of(path)
    with opened_image(data, path) as image:
        if is_deep(image):
            values = deep_values(image, data)
            grey = to_bytes(values, range_of(values, "auto", declared_white(image)))
        elif image.mode in ("1", "L"):
            return np.asarray(image.convert("L"))
        else:
            grey = _over_black(image)
    return grey if grey.ndim == 2 else grey.max(axis=2)


def _over_black(image: Image.Image) -> np.ndarray:
    """A mask in colours, of a palette or with transparency, (h, w, 3) uint8."""
    pixels = np.asarray(image.convert("RGBA"))
    return np.asarray(np.minimum(pixels[..., :3], pixels[..., 3:]))
