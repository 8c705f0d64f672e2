"""Rules that several sections share."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema


def check_sides(short_side: int, long_side: int) -> None:
    """Raise ValueError when the shorter side of an image is the longer one."""
    if short_side > long_side:
        raise ValueError(
            f"{{at}}: short_side {short_side} is more than long_side {long_side}; swap them"
        )


def _sides(value: Any) -> int | tuple[int, ...]:
    """One side, or several that rise."""
    sides = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not sides or any(type(side) is not int or side < LEAST_SIDE for side in sides):
        raise ValueError(
            f"{{at}}: must be a whole number of at least {LEAST_SIDE}, or a list of such, seen "
            f"{value!r}"
        )
    if list(sides) != sorted(set(sides)):
        raise ValueError(f"{{at}}: {list(sides)} must rise; sort it, each side once")
    return sides if isinstance(value, list | tuple) else sides[0]


LEAST_SIDE = 32  # px
_SIDE = {"type": "integer", "minimum": LEAST_SIDE}
Sides = Annotated[
    int | tuple[int, ...],
    PlainValidator(_sides),
    PlainSerializer(lambda sides: list(sides) if isinstance(sides, tuple) else sides),
    WithJsonSchema({"anyOf": [_SIDE, {"type": "array", "items": _SIDE, "minItems": 1}]}),
]


def _rising(milestones: tuple[float, ...]) -> tuple[float, ...]:
    if list(milestones) != sorted(milestones) or any(not 0 < share <= 1 for share in milestones):
        raise ValueError(
            f"{{at}}: {list(milestones)} must rise from above 0 to 1 at most; they are shares of "
            "the training"
        )
    return milestones


Milestones = Annotated[tuple[float, ...], AfterValidator(_rising)]


def _between(edges: tuple[float, ...]) -> tuple[float, ...]:
    if list(edges) != sorted(set(edges)) or any(not 0 < edge < 1 for edge in edges):
        raise ValueError(
            f"{{at}}: {list(edges)} must rise between 0 and 1, each edge once; they are shares of "
            "the image's area"
        )
    return edges


Edges = Annotated[tuple[float, ...], Field(min_length=1), AfterValidator(_between)]
