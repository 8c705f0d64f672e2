"""Shapes and shared parts of PartWorld, in the unit square of their object.

Nothing comes in but a random generator; out go `Piece`s: one polygon per leaf, in drawing order.
Unit coordinates: x runs right and y down, the object fills [0, 1] x [0, 1]. Parts that several
classes share (shirt, arms, legs, wheel, window, roof, wall) are built here, once, so that a part
alone never tells the class.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Piece:
    """One leaf region of an object.

    Attributes
    ----------
    part : name of the part it belongs to, unique in its object.
    compound : name of the union of parts it belongs to, such as `body` for shirt and legs.
    points : (n, 2) float32 polygon, x and y in unit coordinates.
    """

    part: str
    compound: str
    points: Points


def polygon(*corners: tuple[float, float]) -> Points:
    """Polygon from its corners, as (n, 2) float32 unit coordinates."""
    return np.array(corners, dtype=np.float32)


def rect(x0: float, y0: float, x1: float, y1: float) -> Points:
    """Axis-aligned rectangle, as (4, 2) float32 unit coordinates."""
    return polygon((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def ellipse(
    cx: float, cy: float, rx: float, ry: float, *, arc: tuple[float, float] = (0, 360)
) -> Points:
    """Ellipse, or the sector chord of `arc` degrees (clockwise from +x), as (28, 2) float32."""
    angle = np.deg2rad(np.linspace(arc[0], arc[1], 28))
    return np.stack([cx + rx * np.cos(angle), cy + ry * np.sin(angle)], axis=1).astype(np.float32)


def mirrored(points: Points) -> Points:
    """The same polygon reflected at x = 0.5."""
    return np.stack([1 - points[:, 0], points[:, 1]], axis=1)


def moved(
    pieces: list[Piece], box: tuple[float, float, float, float], prefix: str = ""
) -> list[Piece]:
    """Pieces squeezed from the unit square into `box`, xyxy, their parts renamed by `prefix`."""
    origin = np.array(box[:2], dtype=np.float32)
    extent = np.array(box[2:], dtype=np.float32) - origin
    return [replace(p, part=prefix + p.part, points=p.points * extent + origin) for p in pieces]


def wheel(name: str, cx: float, cy: float, rx: float, ry: float) -> list[Piece]:
    """Tyre and hub around (cx, cy); its own compound."""
    return [
        Piece(name, name, ellipse(cx, cy, rx, ry)),
        Piece(name, name, ellipse(cx, cy, rx * 0.5, ry * 0.5)),
    ]


def window(name: str, compound: str, x0: float, y0: float, x1: float, y1: float) -> list[Piece]:
    """Frame and one pane, shared by cars, trucks and buildings."""
    dx, dy = 0.18 * (x1 - x0), 0.18 * (y1 - y0)
    pane = rect(x0 + dx, y0 + dy, x1 - dx, y1 - dy)
    return [Piece(name, compound, rect(x0, y0, x1, y1)), Piece(name, compound, pane)]


def figure(rng: np.random.Generator) -> list[Piece]:
    """Shirt, arms and legs: the body that person and robot share, everything below y = 0.23."""
    reach, spread = rng.uniform(-0.10, 0.05), rng.uniform(0.0, 0.06)
    arm = polygon(
        (0.27, 0.25), (0.10, 0.29), (0.03, 0.5 + reach), (0.17, 0.5 + reach), (0.28, 0.38)
    )
    hand = ellipse(0.10, 0.52 + reach, 0.085, 0.04)
    leg = polygon((0.28, 0.58), (0.5, 0.58), (0.49 - spread, 0.95), (0.3 - spread, 0.95))
    shoe = rect(0.22 - spread, 0.93, 0.48 - spread, 1.0)
    pieces = [Piece("legs", "body", p) for p in (leg, mirrored(leg), shoe, mirrored(shoe))]
    for side, flip in (("left", False), ("right", True)):
        for shape in (arm, hand):
            pieces.append(Piece(f"arm_{side}", "body", mirrored(shape) if flip else shape))
    pieces.append(
        Piece("shirt", "body", polygon((0.24, 0.23), (0.76, 0.23), (0.73, 0.6), (0.27, 0.6)))
    )
    if rng.random() < 0.6:
        top = rng.uniform(0.3, 0.42)
        pieces.append(Piece("shirt", "body", rect(0.26, top, 0.74, top + rng.uniform(0.06, 0.12))))
    return pieces


def tower(rng: np.random.Generator) -> list[Piece]:
    """Wall, roof and one to two windows; a whole of its own, and a compound of the castle."""
    eaves = rng.uniform(0.24, 0.34)
    pieces = [Piece("wall", "shaft", rect(0.14, eaves, 0.86, 1.0))]
    if rng.random() < 0.6:
        pieces.append(Piece("wall", "shaft", rect(0.14, 0.84, 0.86, 1.0)))
    for k in range(int(rng.integers(1, 3))):
        y = eaves + 0.1 + 0.26 * k
        pieces += window(f"window{k}", "shaft", 0.34, y, 0.66, y + 0.15)
    pieces.append(Piece("roof", "roof", polygon((0.5, 0.0), (1.0, eaves), (0.0, eaves))))
    return pieces
