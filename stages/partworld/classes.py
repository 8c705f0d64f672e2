"""The ten classes of PartWorld: their parts, the part that gives each away, their size.

Half of the classes have a `key` part that no other class has (the head of a person, a robot or a
dog, the gate of a castle, the ball itself); it must be visible, or nobody could name the object.
The others are told apart only by the whole: the same wheels, windows, walls and roofs serve
several of them. Ball and crate are a single part, a castle nests five levels deep: the whole
therefore sits at every depth, and no fixed SAM slot is the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stages.partworld import parts
from stages.partworld.parts import Piece, ellipse, polygon, rect


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How a class is built.

    Attributes
    ----------
    name, supercategory : COCO category names.
    aspect : width over height.
    scale : size factor against the other classes, 1 = average.
    tilt : largest rotation, degrees either way.
    key : the part that only this class has, or None.
    stacks : whether groups may pile up in two storeys.
    build : draws the pieces of one object, in painting order.
    """

    name: str
    supercategory: str
    aspect: float
    scale: float
    tilt: float
    key: str | None
    stacks: bool
    build: Callable[[np.random.Generator], list[Piece]]


def person(rng: np.random.Generator) -> list[Piece]:
    """Shared figure with a round head: face, hair (key part: head)."""
    pieces = parts.figure(rng)
    pieces.append(Piece("head", "head", ellipse(0.5, 0.125, 0.2, 0.125)))
    pieces.append(Piece("head", "head", ellipse(0.5, 0.11, 0.21, 0.12, arc=(180, 360))))
    return pieces


def robot(rng: np.random.Generator) -> list[Piece]:
    """Shared figure with a square head, visor and antenna (key part: head)."""
    pieces = parts.figure(rng)
    pieces.append(Piece("head", "head", rect(0.45, 0.0, 0.55, 0.08)))
    pieces.append(Piece("head", "head", rect(0.25, 0.06, 0.75, 0.235)))
    pieces.append(Piece("head", "head", rect(0.32, 0.1, 0.68, 0.16)))
    return pieces


def car(rng: np.random.Generator) -> list[Piece]:
    """Body with a cabin, windows and two wheels; no part of its own."""
    hood = rng.uniform(0.0, 0.1)
    shell = polygon(
        (0.0, 0.45),
        (0.2, 0.4),
        (0.32, 0.05),
        (0.72 + hood, 0.05),
        (0.85, 0.4),
        (1, 0.5),
        (1, 0.8),
        (0, 0.8),
    )
    pieces = [Piece("shell", "body", shell), Piece("shell", "body", rect(0, 0.68, 1, 0.8))]
    pieces += parts.window("window0", "body", 0.33, 0.12, 0.52, 0.4)
    pieces += parts.window("window1", "body", 0.56, 0.12, 0.74, 0.4)
    pieces += parts.wheel("wheel0", 0.22, 0.79, 0.12, 0.21)
    return pieces + parts.wheel("wheel1", 0.78, 0.79, 0.12, 0.21)


def truck(rng: np.random.Generator) -> list[Piece]:
    """Load box, cab with a window and two or three wheels; no part of its own."""
    split = rng.uniform(0.58, 0.68)
    pieces = [Piece("box", "box", rect(0.0, 0.0, split, 0.8))]
    if rng.random() < 0.7:
        pieces.append(Piece("box", "box", rect(0.0, 0.3, split, 0.5)))
    cab = polygon((split + 0.02, 0.22), (0.9, 0.22), (1.0, 0.5), (1.0, 0.82), (split + 0.02, 0.82))
    pieces.append(Piece("cab", "cab", cab))
    pieces += parts.window("window", "cab", split + 0.08, 0.28, 0.9, 0.5)
    for k, cx in enumerate((0.17, 0.38, 0.83) if rng.random() < 0.5 else (0.2, 0.83)):
        pieces += parts.wheel(f"wheel{k}", cx, 0.84, 0.1, 0.16)
    return pieces


def house(rng: np.random.Generator) -> list[Piece]:
    """Wall, roof, windows, door and sometimes a chimney; shares all but the door's place."""
    eaves = rng.uniform(0.36, 0.46)
    pieces = [Piece("wall", "front", rect(0.07, eaves, 0.93, 1.0))]
    if rng.random() < 0.6:
        pieces.insert(0, Piece("chimney", "top", rect(0.7, 0.04, 0.83, eaves)))
    door = rng.uniform(0.38, 0.5)
    pieces.append(Piece("door", "front", rect(door, 0.64, door + 0.2, 1.0)))
    pieces.append(Piece("door", "front", rect(door + 0.04, 0.68, door + 0.16, 0.78)))
    pieces += parts.window("window0", "front", 0.14, eaves + 0.1, 0.33, eaves + 0.32)
    pieces += parts.window("window1", "front", 0.7, eaves + 0.1, 0.88, eaves + 0.32)
    pieces.append(Piece("roof", "top", polygon((0.5, 0.0), (1.0, eaves), (0.0, eaves))))
    return pieces


def castle(rng: np.random.Generator) -> list[Piece]:
    """Two towers beside a wall with an arched gate (key part: gate); five levels deep."""
    sill = rng.uniform(0.42, 0.5)
    pieces = [Piece("curtain", "middle", rect(0.2, sill, 0.8, 1.0))]
    for x in (0.3, 0.46, 0.62):
        pieces.append(Piece("curtain", "middle", rect(x, sill - 0.07, x + 0.08, sill + 0.02)))
    arch = np.concatenate(
        [ellipse(0.5, 0.78, 0.13, 0.16, arc=(180, 360)), rect(0.37, 0.78, 0.63, 1)[2:]]
    )
    pieces += [Piece("gate", "middle", arch), Piece("gate", "middle", rect(0.47, 0.66, 0.53, 1.0))]
    one = parts.tower(rng)
    for side, x in (("west", 0.0), ("east", 0.68)):
        for piece in parts.moved(one, (x, 0.0, x + 0.32, 1.0), f"{side}_"):
            pieces.append(Piece(piece.part, f"tower_{side}", piece.points))
    return pieces


def dog(rng: np.random.Generator) -> list[Piece]:
    """Trunk, legs, tail and a head with ear and snout (key part: head)."""
    lift = rng.uniform(-0.05, 0.05)
    pieces = [Piece("tail", "body", polygon((0.02, 0.12), (0.1, 0.1), (0.2, 0.42), (0.1, 0.48)))]
    for x in (0.12, 0.24, 0.55, 0.67):
        pieces.append(Piece("legs", "body", rect(x, 0.6, x + 0.09, 1.0)))
    pieces.append(Piece("trunk", "body", ellipse(0.42, 0.53, 0.35, 0.21)))
    if rng.random() < 0.6:
        pieces.append(Piece("trunk", "body", ellipse(0.36, 0.5, 0.12, 0.13)))
    pieces.append(Piece("head", "head", ellipse(0.79, 0.28 + lift, 0.17, 0.2)))
    pieces.append(Piece("head", "head", ellipse(0.92, 0.36 + lift, 0.08, 0.09)))
    pieces.append(
        Piece("head", "head", polygon((0.66, 0.02), (0.78, 0.06), (0.74, 0.36), (0.62, 0.34)))
    )
    return pieces


def ball(rng: np.random.Generator) -> list[Piece]:
    """A disc, plain or with one band: the whole is a single part."""
    pieces = [Piece("ball", "ball", ellipse(0.5, 0.5, 0.5, 0.5))]
    if rng.random() < 0.5:
        half = rng.uniform(10, 22)
        arcs = (
            ellipse(0.5, 0.5, 0.5, 0.5, arc=(-half, half)),
            ellipse(0.5, 0.5, 0.5, 0.5, arc=(180 - half, 180 + half)),
        )
        pieces.append(Piece("ball", "ball", np.concatenate(arcs)))
    return pieces


def crate(rng: np.random.Generator) -> list[Piece]:
    """A box with or without crossed planks: the whole is a single part."""
    pieces = [Piece("box", "box", rect(0.0, 0.0, 1.0, 1.0))]
    style = rng.random()
    if style < 0.85:
        pieces.append(Piece("box", "box", rect(0.14, 0.14, 0.86, 0.86)))
    if style < 0.5:
        pieces.append(
            Piece("box", "box", polygon((0.14, 0.14), (0.28, 0.14), (0.86, 0.86), (0.72, 0.86)))
        )
    return pieces


CLASSES: tuple[Blueprint, ...] = (
    Blueprint("person", "figure", 0.46, 1.0, 5, "head", False, person),
    Blueprint("robot", "figure", 0.46, 1.0, 5, "head", False, robot),
    Blueprint("car", "vehicle", 1.75, 0.95, 4, None, False, car),
    Blueprint("truck", "vehicle", 1.6, 1.05, 4, None, False, truck),
    Blueprint("house", "building", 1.05, 1.05, 2, None, False, house),
    Blueprint("tower", "building", 0.48, 0.95, 2, None, False, parts.tower),
    Blueprint("castle", "building", 1.2, 1.2, 2, "gate", False, castle),
    Blueprint("dog", "animal", 1.3, 0.95, 6, "head", False, dog),
    Blueprint("ball", "thing", 1.0, 0.72, 180, "ball", True, ball),
    Blueprint("crate", "thing", 1.05, 0.8, 7, None, True, crate),
)
"""Category id k is `CLASSES[k - 1]`; id 0 is unlabelled clutter."""


def lone_part(rng: np.random.Generator) -> list[Piece]:
    """One shared part on its own, as clutter: wheel, roof, window, shirt, plate or blob."""
    kind = rng.integers(6)
    if kind == 0:
        return parts.wheel("wheel", 0.5, 0.5, 0.5, 0.5)
    if kind == 1:
        return [Piece("roof", "roof", polygon((0.5, 0.1), (1.0, 0.9), (0.0, 0.9)))]
    if kind == 2:
        return parts.window("window", "window", 0.0, 0.0, 1.0, 1.0)
    if kind == 3:
        return [
            Piece("shirt", "shirt", polygon((0.0, 0.1), (1.0, 0.1), (0.92, 0.95), (0.08, 0.95)))
        ]
    if kind == 4:
        return [Piece("shell", "shell", rect(0.0, 0.3, 1.0, 0.75))]
    angle = np.linspace(0, 2 * np.pi, 9)[:-1]
    radius = rng.uniform(0.28, 0.5, 8)
    corners = np.stack([0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle)], axis=1)
    return [Piece("blob", "blob", corners.astype(np.float32))]
