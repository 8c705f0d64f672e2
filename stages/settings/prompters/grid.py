"""Keys of the prompter that lays a grid of points over an image."""

from stages.settings.section import Annotated, Field, Section


class Settings(Section):
    """a grid of points over each image with tags (WeakSAM)."""

    side: Annotated[
        int, Field(ge=1, le=128, description="points along each side of an image; paper: 32")
    ] = 8
