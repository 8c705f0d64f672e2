"""Keys of the refiner that leaves select's choice as it is, mined where that is wanted."""

from typing import Literal

from stages.settings.mining import Mining
from stages.settings.section import Annotated, Field, Section


class Bms(Mining):
    """Box mining strategy, for select's boxes; off unless asked for."""

    mode: Annotated[
        Literal["paper", "code", "none"],
        Field(description="paper: Algorithm 2; code: merged in place, as the authors' code; none"),
    ] = "none"


class Settings(Section):
    """Select's choice is the pseudo-label."""

    bms: Annotated[Bms, Field(description="box mining")] = Bms()
