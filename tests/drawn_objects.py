"""A small drawn data set with exact truth: four photographs, discs and boxes on three of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from stages.geometry.masks import Rle, rle_boxes, rles_to_masks, segmentation_to_rle

SIZES = {  # (height, width) px by the names of photographs, the last of which shows no object
    "a.png": (96, 128),
    "b 2.png": (100, 80),
    "grün.jpg": (64, 96),
    "nothing.png": (72, 72),
}
BALL, CRATE = "ball", "crate"
NAMES = (BALL, CRATE)  # of the classes
KINDS = ("point", "box", "mask")
COLOURS = {BALL: (230, 60, 40), CRATE: (40, 200, 90)}
PHOTOGRAPHS = "photographs"  # the folder
ACROSS = 3  # objects of a photograph, side by side
CORNERS = 24  # of a disc
Split = dict[str, str]  # images, annotations


@dataclass(frozen=True, slots=True)
class Drawn:
    """One object, and what of it is a label.

    photograph : its file name. name : of its class. polygon : x, y, x, y, ... px.
    kind : point, box or mask.
    """

    photograph: str
    name: str
    polygon: tuple[float, ...]
    kind: str

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) px of its photograph."""
        return SIZES[self.photograph]

    @property
    def rle(self) -> Rle:
        """Its pixels, as COCO codes them."""
        return segmentation_to_rle([list(self.polygon)], *self.size)

    @property
    def mask(self) -> np.ndarray:
        """Its pixels, (height, width) bool."""
        return rles_to_masks([self.rle])[0].astype(bool)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(x0, y0, x1, y1) px around its pixels."""
        x0, y0, x1, y1 = (int(side) for side in rle_boxes([self.rle])[0])
        return x0, y0, x1, y1

    @property
    def point(self) -> tuple[float, float]:
        """(x, y) px, its middle."""
        x0, y0, x1, y1 = self.box
        return (x0 + x1) / 2, (y0 + y1) / 2


def drawn(*kinds: str, seed: int = 0) -> list[Drawn]:
    """Nine objects, by photograph, which are labelled by turns with these kinds; else with all."""
    rng = np.random.default_rng(seed)
    kinds = kinds or KINDS
    return [
        Drawn(photograph, name, _shape(rng, name, column, SIZES[photograph]), kinds[turn])
        for row, photograph in enumerate(list(SIZES)[:-1])
        for column, name in enumerate((BALL, CRATE, BALL))
        for turn in [(row + column) % len(kinds)]
    ]


def of(objects: Sequence[Drawn], photograph: str) -> list[Drawn]:
    """The objects of one photograph; an object's place in this list is its number in the image."""
    return [thing for thing in objects if thing.photograph == photograph]


def as_kind(objects: Sequence[Drawn], kind: str) -> list[Drawn]:
    """The same objects, all labelled in one way."""
    return [replace(thing, kind=kind) for thing in objects]


def draw(folder: Path, objects: Sequence[Drawn]) -> Path:
    """The photographs, noise with the objects on it; returns the folder."""
    folder.mkdir(parents=True)
    for name in SIZES:
        Image.fromarray(pixels_of(name, objects)).save(folder / name)
    return folder


def split_of(images: Path, annotations: Path) -> Split:
    """The keys of `dataset.train`."""
    return {"images": str(images), "annotations": str(annotations)}


def pixels_of(photograph: str, objects: Sequence[Drawn]) -> np.ndarray:
    """One photograph, (height, width, 3) uint8."""
    rng = np.random.default_rng(len(photograph))
    pixels = rng.integers(0, 60, (*SIZES[photograph], 3), dtype=np.uint8)
    for thing in of(objects, photograph):
        pixels[thing.mask] = COLOURS[thing.name]
    return pixels


def _shape(
    rng: np.random.Generator, name: str, column: int, size: tuple[int, int]
) -> tuple[float, ...]:
    """The corners of a disc or box in one of three columns, which it does not leave."""
    height, width = size
    across = width / ACROSS
    radius = rng.uniform(0.25, 0.4) * across
    x = (column + 0.5) * across + rng.uniform(-0.5, 0.5)
    y = rng.uniform(radius + 2, height - radius - 2)
    if name == CRATE:
        x0, y0, x1, y1 = (float(round(side)) for side in (x - radius, y - 9, x + radius, y + 9))
        return x0, max(y0, 1), x1, max(y0, 1), x1, min(y1, height - 1), x0, min(y1, height - 1)
    angles = np.arange(CORNERS) / CORNERS * 2 * np.pi
    corners = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
    return tuple(corners.round(2).ravel().tolist())
