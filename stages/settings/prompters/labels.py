"""Keys of the prompter that takes the weak labels themselves."""

from stages.settings.section import Annotated, Field, Section


class Settings(Section):
    """the weak labels themselves."""

    together: Annotated[
        bool,
        Field(
            description="a box and a point of the same object are asked as one prompt, of several "
            "the first of each; false: each alone"
        ),
    ] = False
