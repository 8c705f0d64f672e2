"""Where things stand in a scene: clusters of one class, alone or in rows and piles, and clutter.

In goes a random generator, out go `Placement`s. Three clusters in ten, and so half of the objects,
stand with others of their class, overlapping, touching or adjacent, so that the group is a tempting
answer for them, and the wrong one for the rest; some clusters hide others in part. `lone` is the
other kind of scene: one object, seen whole, and nothing beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.partworld.classes import CLASSES, Blueprint

SIDE = 256  # px; scenes are square
GROUP_RATE = 0.3
SPACINGS = ((0.7, 0.92), (0.99, 1.0), (1.03, 1.12))  # overlapping, touching, adjacent; x width


@dataclass(frozen=True, slots=True)
class Placement:
    """One object to draw.

    Attributes
    ----------
    category_id : 1-based class, 0 for clutter.
    cluster : id of its cluster, from 1.
    x, y : left and bottom edge, px.
    width, height : px, before rotation.
    angle : clockwise rotation, degrees.
    flip : mirrored left to right.
    """

    category_id: int
    cluster: int
    x: float
    y: float
    width: float
    height: float
    angle: float
    flip: bool


Box = tuple[float, float, float, float]


def overlap(a: Box, b: Box) -> float:
    """Intersection of two xyxy boxes over the smaller area, in [0, 1]."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return width * height / smaller


def _find_room(
    rng: np.random.Generator, size: tuple[float, float], taken: list[Box], limit: float
) -> Box | None:
    """A box of `size` (width, height) that overlaps no taken box by more than `limit`, or None."""
    slack = 0.06 * SIDE
    for _ in range(14):
        x = rng.uniform(min(-slack, SIDE - size[0]), max(SIDE - size[0] + slack, 0))
        y = rng.uniform(min(-slack, SIDE - size[1]), max(SIDE - size[1] + slack, 0))
        box = (x, y, x + size[0], y + size[1])
        if all(overlap(box, other) <= limit for other in taken):
            return box
    return None


def _member_count(rng: np.random.Generator, blueprint: Blueprint) -> int:
    if rng.random() >= GROUP_RATE:
        return 1
    if blueprint.stacks:
        return int(rng.choice([2, 3, 4, 5], p=[0.3, 0.35, 0.2, 0.15]))
    return int(
        rng.choice([2, 3, 4], p=[0.8, 0.2, 0.0] if blueprint.aspect > 1 else [0.5, 0.35, 0.15])
    )


def _object_size(rng: np.random.Generator, blueprint: Blueprint, count: int) -> tuple[float, float]:
    """Width and height in px; the members of larger groups are smaller."""
    side = blueprint.scale * rng.uniform(78, 138) * (1.0, 0.92, 0.84, 0.76, 0.7)[count - 1]
    if rng.random() < 0.1:
        side *= 0.62
    aspect = blueprint.aspect * rng.uniform(0.88, 1.14)
    return side * aspect**0.5, side / aspect**0.5


def _slots(rng: np.random.Generator, blueprint: Blueprint, count: int) -> list[tuple[float, float]]:
    """Offsets (columns, storeys) of the members of a row or pile, in object sizes."""
    gap = rng.uniform(*SPACINGS[rng.choice(3, p=[0.5, 0.25, 0.25])])
    if not blueprint.stacks or count < 3 or rng.random() < 0.4:
        return [(k * gap, 0.0) for k in range(count)]
    bottom = (count + 1) // 2
    upper = [((k + 0.5) * gap, 0.96) for k in range(count - bottom)]
    return [(k * gap, 0.0) for k in range(bottom)] + upper


def _cluster(
    rng: np.random.Generator, number: int, taken: list[Box], limit: float
) -> list[Placement]:
    category = int(rng.integers(len(CLASSES)))
    blueprint = CLASSES[category]
    count = _member_count(rng, blueprint)
    width, height = _object_size(rng, blueprint, count)
    slots = _slots(rng, blueprint, count)
    columns, storeys = max(c for c, _ in slots), max(s for _, s in slots)
    shrink = min(1.0, SIDE / (width * (columns + 1)), SIDE / (height * (storeys + 1)))
    width, height = width * shrink, height * shrink
    room = _find_room(rng, (width * (columns + 1), height * (storeys + 1)), taken, limit)
    if room is None:
        return []
    taken.append(room)
    facing = bool(rng.random() < 0.5)
    placements = []
    for column, storey in slots:
        factor = rng.uniform(0.94, 1.06)
        x = room[0] + column * width + rng.normal(0, 0.015) * width
        y = room[3] - storey * height + (rng.normal(0, 0.02) * height if storeys == 0 else 0.0)
        angle = rng.uniform(-blueprint.tilt, blueprint.tilt)
        size = (width * factor, height * factor)
        placements.append(
            Placement(category + 1, number, x, y, *size, angle, facing ^ bool(rng.random() < 0.15))
        )
    return placements


def plan(rng: np.random.Generator) -> list[Placement]:
    """The objects of one scene, from back to front (by bottom edge); never without an object.

    Three to five clusters are tried; in two fifths of the scenes they may hide one another.
    """
    limit = 0.65 if rng.random() < 0.4 else 0.12
    taken: list[Box] = []
    placements: list[Placement] = []
    wanted = int(rng.choice([3, 4, 5], p=[0.4, 0.4, 0.2]))
    for number in range(1, wanted + 1):
        placements += _cluster(rng, number, taken, limit)
    for number in range(wanted + 1, wanted + 1 + int(rng.integers(1, 4))):
        side = rng.uniform(18, 52)
        room = _find_room(rng, (side * rng.uniform(0.8, 1.4), side), taken, 0.25)
        if room is not None:
            size = (room[2] - room[0], room[3] - room[1])
            placements.append(
                Placement(0, number, room[0], room[3], *size, rng.uniform(-20, 20), False)
            )
    return sorted(placements, key=lambda p: p.y)


def lone(rng: np.random.Generator) -> list[Placement]:
    """One object of any class, seen whole; the longer side of its box is 0.3 to 0.9 of the image's.

    The world's stand-in for a photograph of a salient object.
    """
    category = int(rng.integers(len(CLASSES)))
    blueprint = CLASSES[category]
    aspect = blueprint.aspect * rng.uniform(0.88, 1.14)
    angle = rng.uniform(-blueprint.tilt, blueprint.tilt)
    size = np.array([aspect**0.5, aspect**-0.5])  # width and height
    cos, sin = abs(np.cos(np.deg2rad(angle))), abs(np.sin(np.deg2rad(angle)))
    turned = np.array([[cos, sin], [sin, cos]]) @ size  # of the box about the turned object
    scale = rng.uniform(0.3, 0.9) * SIDE / turned.max()
    centre = rng.uniform(scale * turned / 2 + 1, SIDE - scale * turned / 2 - 1)
    width, height = (float(value) for value in scale * size)
    x, y = float(centre[0]) - width / 2, float(centre[1]) + height / 2
    return [Placement(category + 1, 1, x, y, width, height, angle, bool(rng.random() < 0.5))]
