"""Images with their labels as tasks of Label Studio: predictions, which a person accepts or mends.

A mask is a brush, in Label Studio's own code. Each task names its photograph as Label Studio serves
local files, and each region the annotation that it is of. `labeling_config` is the interface that
shows them: paste it into the settings of a project.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from stages.formats.brush import codes_of
from stages.geometry.masks import rle_of, rles_to_masks
from stages.reviewing.listing import in_words

Entry = Mapping[str, Any]
SERVED = "/data/local-files/?d="
TAG, IMAGE = "label", "image"  # names in the interface


def task_of(image: Entry, annotations: Sequence[Entry], classes: Mapping[int, str]) -> Entry:
    """One task.

    Parameters
    ----------
    image : COCO's entry. annotations : of export's file, of this image. classes : names by id.
    """
    qualities = [entry["quality"]["mask_quality"] for entry in annotations]
    prediction = {
        "model_version": "maskmill",
        "score": round(min(qualities, default=1.0), 6),
        "result": [_region(image, entry, classes) for entry in annotations],
    }
    data = {IMAGE: SERVED + quote(str(image["file_name"])), "image_id": image["id"]}
    return {"data": data, "predictions": [prediction]}


def _region(image: Entry, entry: Entry, classes: Mapping[int, str]) -> Entry:
    mask = entry["segmentation"]
    pixels = rles_to_masks([rle_of(mask["counts"].encode("ascii"), *mask["size"])])[0]
    value = {"format": "rle", "rle": list(codes_of(pixels.astype(bool)))}
    return {
        "id": f"annotation-{entry['id']}",
        **{"type": "brushlabels", "from_name": TAG, "to_name": IMAGE, "image_rotation": 0},
        **{"original_width": image["width"], "original_height": image["height"]},
        "score": entry["quality"]["mask_quality"],
        "meta": {"text": [in_words(entry["quality"].get("reasons", ()))]},
        "value": {**value, "brushlabels": [classes[entry["category_id"]]]},
    }


def labeling_config(classes: Iterable[str]) -> str:
    """XML of the interface, with a brush for each class."""
    labels = "".join(f"    <Label value={quoteattr(name)}/>\n" for name in classes)
    return (
        f'<View>\n  <Image name="{IMAGE}" value="${IMAGE}" zoom="true"/>\n'
        f'  <BrushLabels name="{TAG}" toName="{IMAGE}">\n{labels}  </BrushLabels>\n</View>\n'
    )
