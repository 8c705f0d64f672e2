"""The families of promptable models that `transformers` has: which classes open a folder, and how.

Names alone, so that the plan can refuse another family without loading the library. What is
published for images and videos together (SAM 2, EdgeTAM, SAM 3) bears the name of the video model;
of it the part for images is read.
"""

from dataclasses import dataclass
from pathlib import Path

from stages.segmenters.pretrained import model_type

IMAGE = ("image_embeddings",)


@dataclass(frozen=True, slots=True)
class Family:
    """How a family is opened and asked.

    model, processor : names of classes of `transformers`.
    square : the image is squeezed into a square; else its longer side is scaled, and it is padded.
    embedded : what `get_image_embeddings` gives, as arguments of the model.
    """

    model: str
    processor: str
    square: bool
    embedded: tuple[str, ...] = IMAGE


_SAM = Family("SamModel", "SamProcessor", square=False)
_SAM_HQ = Family("SamHQModel", "SamHQProcessor", False, (*IMAGE, "intermediate_embeddings"))
_SAM2 = Family("Sam2Model", "Sam2Processor", square=True)
_EDGETAM = Family("EdgeTamModel", "Sam2Processor", square=True)
_SAM3 = Family("Sam3TrackerModel", "Sam3TrackerProcessor", square=True)
FAMILIES = {  # by model_type of config.json
    "sam": _SAM,
    "sam_hq": _SAM_HQ,
    "sam2": _SAM2,
    "sam2_video": _SAM2,
    "edgetam": _EDGETAM,
    "edgetam_video": _EDGETAM,
    "sam3_tracker": _SAM3,
    "sam3_video": _SAM3,
}


def family_of(folder: Path, key: str) -> Family:
    """The family of the model in a folder; raises ValueError where it is none of these."""
    name = model_type(folder, key)
    if name not in FAMILIES:
        raise ValueError(
            f"{key}: {folder} holds a model of type {name}, which answers no prompts. Those that "
            f"do: {', '.join(FAMILIES)}."
        )
    return FAMILIES[name]
