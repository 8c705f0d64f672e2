"""Keys of the copy-paste of SIM's teacher: block `training.paste` of segmenter `sim`."""

from stages.settings.section import Annotated, Field, Section


class TeacherPaste(Section):
    """Objects cut out by masks of the round before are pasted into images (SIM, Sec. 3.3)."""

    enabled: Annotated[
        bool,
        Field(description="false: images as they are, as always in the first round"),
    ] = False
    probability: Annotated[
        float, Field(ge=0, le=1, description="of an image to be pasted into; authors' code: 0.5")
    ] = 0.5
    bank: Annotated[
        int,
        Field(
            ge=1,
            description="so many images back in the order of an epoch the one is drawn whose "
            "objects are pasted; of fewer images, all; paper: 100",
        ),
    ] = 100
    share: Annotated[
        float,
        Field(gt=0, le=1, description="of that image's objects; paper: 0.25; authors' code: 0.5"),
    ] = 0.25
    most: Annotated[int, Field(ge=1, description="objects pasted into an image")] = 3
    power: Annotated[
        float, Field(ge=0, description="objects are drawn in proportion to score to this power")
    ] = 3.0
