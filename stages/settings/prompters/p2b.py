"""Keys of the prompter that asks with P2BNet's boxes."""

from stages.settings.section import Annotated, Field, Section


class Settings(Section):
    """the box that P2BNet finds about each point (SAPNet, Sec. 4.2)."""

    rounds: Annotated[
        int,
        Field(
            ge=0,
            le=9,
            description="how often boxes are refined, each time about those found last; 1: the "
            "paper; 0: those of CBP",
        ),
    ] = 1
