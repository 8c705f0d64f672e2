"""Keys of the ViT with a token per class (WeakTr, as WeakSAM, Sec. 3.1, takes it)."""

from typing import Literal, Self

from pydantic import model_validator

from stages.settings.limits import check_sides
from stages.settings.section import FIT, PLACE, Annotated, Field, Section
from stages.settings.training import ClueTraining


class Settings(Section):
    """A ViT with a token per class: learned (WeakSAM, Sec. 3.1; defaults for a small world)."""

    depth: Annotated[int, Field(ge=1, description="blocks; paper: 12")] = 6
    dim: Annotated[int, Field(ge=8, description="width of a token; paper: 384")] = 192
    heads: Annotated[int, Field(ge=1, description="of attention; paper: 6")] = 6
    patch: Annotated[int, Field(ge=2, description="px, side of a patch; paper: 16")] = 16
    weights: Annotated[
        str | None,
        Field(
            description="weight file of a DeiT or ViT of that shape, DeiT's fetched by its name; "
            "null: from scratch"
        ),
        PLACE,
    ] = None
    weights_sha256: Annotated[str | None, Field(description="checksum of that file")] = None
    fusion: Annotated[
        Literal["mean", "aaf"],
        Field(description="of heads and layers; aaf: adaptive weights, the paper's; mean: equal"),
    ] = "aaf"
    side: Annotated[
        int, Field(ge=32, description="px; training images are made squares of it; paper: 224")
    ] = 224
    short_side: Annotated[
        int, Field(ge=32, description="px; of an image that is looked at; paper: as it is")
    ] = 256
    long_side: Annotated[int, Field(ge=32, description="px; but not beyond this")] = 512
    drop_path: Annotated[
        float,
        Field(ge=0, lt=1, description="chance that the last block is skipped; paper: 0.1"),
        FIT,
    ] = 0.1
    erase: Annotated[
        float,
        Field(ge=0, le=1, description="chance that a part of an image is erased; paper: 0.25"),
        FIT,
    ] = 0.25
    training: Annotated[ClueTraining, Field(description="optimiser and schedule"), FIT] = (
        ClueTraining()
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        check_sides(self.short_side, self.long_side)
        if self.dim % self.heads:
            raise ValueError(
                f"{{at}}: dim {self.dim} is not a multiple of heads {self.heads}; set dim to "
                f"{self.dim // self.heads * self.heads + self.heads}"
            )
        if self.patch > min(self.side, self.short_side):
            raise ValueError(
                f"{{at}}: patch {self.patch} is more than side {self.side} or short_side "
                f"{self.short_side}, so that an image has no patch; lower it"
            )
        return self
