"""Keys of a saliency network that the user brings: which file, and how a crop is given to it."""

from stages.settings.section import PLACE, Annotated, Field, Section

Channels = Annotated[tuple[float, ...], Field(min_length=3, max_length=3)]
Deviations = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=3, max_length=3)]


class Settings(Section):
    """A saliency network as ONNX (U2Net, BASNet, ISNet), asked about the crop of each box."""

    checkpoint: Annotated[str | None, Field(description="ONNX file; nothing is fetched"), PLACE] = (
        None
    )
    sha256: Annotated[
        str | None, Field(description="checksum of the file; null: it is not checked")
    ] = None
    side: Annotated[
        int,
        Field(ge=32, le=2048, description="px; a crop is squeezed into a square; U2Net: 320"),
    ] = 320
    mean: Annotated[
        Channels, Field(description="of red, green, blue, of 1, taken away; ImageNet's")
    ] = (0.485, 0.456, 0.406)
    std: Annotated[Deviations, Field(description="then it is divided by these; ImageNet's")] = (
        *(0.229, 0.224, 0.225),
    )
    minmax: Annotated[
        bool,
        Field(
            description="spread each answer over 0 to 1, as U2Net's and BoxCaseg's code do; a flat "
            "one stays as it is"
        ),
    ] = True
    threshold: Annotated[
        float, Field(gt=0, lt=1, description="a pixel of the object is above; BoxCaseg: 0.5")
    ] = 0.5
    window: Annotated[
        float,
        Field(
            ge=1,
            le=8,
            description="sides of the crop, in sides of the box; BoxCaseg: 1, no margin. What is "
            "seen outside the box counts for nothing",
        ),
    ] = 1.0
