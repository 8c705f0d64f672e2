"""Section `predict`: what the detector of a round says of the training images."""

from stages.settings.section import Annotated, Field, Section


class Predict(Section):
    """Which detections are kept, for the next round."""

    score: Annotated[
        float, Field(ge=0, le=1, description="a detection counts from this score on")
    ] = 0.05
    chunk: Annotated[
        int, Field(ge=1, description="images per part: a killed shard loses at most one part")
    ] = 256
