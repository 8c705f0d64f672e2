"""Section `predict`: what a detector says of held-out images, and of a round's training images."""

from stages.settings.section import Annotated, Field, Section


class Predict(Section):
    """Which detections are kept for the next round, and how much is done at once."""

    score: Annotated[
        float,
        Field(ge=0, le=1, description="a detection counts from this score on, for the next round"),
    ] = 0.05
    chunk: Annotated[
        int, Field(ge=1, description="images per part: a killed job loses at most one part")
    ] = 256
