"""Keys of the prompter `clues`: which maps it looks at, and what counts as a peak."""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.section import Annotated, Field, Section

Map = Literal["coarse", "fine", "cross"]
Scale = Annotated[float, Field(gt=0, le=4)]


class Settings(Section):
    """Peaks of maps that a network makes of the image's tags (WeakSAM, Sec. 3.2)."""

    maps: Annotated[
        tuple[Map, ...],
        Field(
            min_length=1,
            description="coarse and fine class maps, and cross-attention of each head and layer; "
            "paper: all three; network conv has coarse alone",
        ),
    ] = ("coarse",)
    kernel: Annotated[
        int,
        Field(ge=1, description="px, odd: a peak is the highest within; code: 17, paper: 129"),
    ] = 17
    cross_kernel: Annotated[
        int, Field(ge=1, description="px, odd, for cross-attention; code and paper: 129")
    ] = 129
    threshold: Annotated[
        float, Field(ge=0, le=1, description="lowest value of a peak, of 1; paper: 0.9")
    ] = 0.9
    most: Annotated[
        int, Field(ge=1, description="candidates of a map that are looked at; code: 25")
    ] = 25
    distance: Annotated[
        Literal["paper", "code"],
        Field(
            description="within which a lower peak is dropped; paper: half a kernel, as the crow "
            "flies; code: under half a kernel, along rows and columns"
        ),
    ] = "paper"
    joint: Annotated[
        bool, Field(description="ask about all peaks of a class and map at once, too; paper: true")
    ] = True
    per_cluster: Annotated[
        int, Field(ge=1, description="points of cross-attention that become one; paper: 5")
    ] = 5
    scales: Annotated[
        tuple[Scale, ...],
        Field(
            min_length=1,
            description="of the image, whose maps are summed; for network vit alone: the frozen "
            "map of conv has one size",
        ),
    ] = (1.0, 0.8, 1.2)
    flip: Annotated[bool, Field(description="sum the maps of the mirrored image, too")] = True
    cross_layers: Annotated[
        tuple[Annotated[int, Field(ge=0)], ...] | None,
        Field(
            description="blocks whose attention is looked at, from 0; null: all, paper; code: "
            "[8, 9] of 12"
        ),
    ] = None

    @model_validator(mode="after")
    def _odd(self) -> Self:
        for key in ("kernel", "cross_kernel"):
            value = getattr(self, key)
            if value % 2 == 0:
                raise ValueError(
                    f"{{at}}.{key}: {value} is even, so its middle is no pixel; set {value + 1}"
                )
        return self

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        for key in ("maps", "scales", "cross_layers"):
            value = getattr(self, key) or ()
            if len(set(value)) < len(value):
                raise ValueError(f"{{at}}.{key}: {list(value)} names one twice")
        return self
