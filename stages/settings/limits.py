"""Rules that several sections share."""

from typing import Annotated

from pydantic import AfterValidator


def check_sides(short_side: int, long_side: int) -> None:
    """Raise ValueError when the shorter side of an image is the longer one."""
    if short_side > long_side:
        raise ValueError(
            f"{{at}}: short_side {short_side} is more than long_side {long_side}; swap them"
        )


def _rising(milestones: tuple[float, ...]) -> tuple[float, ...]:
    if list(milestones) != sorted(milestones) or any(not 0 < share <= 1 for share in milestones):
        raise ValueError(
            f"{{at}}: {list(milestones)} must rise from above 0 to 1 at most; they are shares of "
            "the training"
        )
    return milestones


Milestones = Annotated[tuple[float, ...], AfterValidator(_rising)]
