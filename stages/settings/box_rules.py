"""Rules that span sections, of segmenters that answer boxes alone, and of those that learn."""

from collections.abc import Iterator, Mapping
from typing import Any

from stages.methods.refiner import REFINERS
from stages.segmenters.segmenter import BOXES_ALONE, SEGMENTERS, SHAPES
from stages.settings.readers import asks_with_boxes

Values = Mapping[str, Any]


def box_faults(config: Values) -> Iterator[str]:
    """Segmenters that answer boxes alone, beside labels or questions that are no boxes."""
    segmenter, labels = config["propose"]["segmenter"], config["prepare"]["labels"]
    refiner = config["refine"]["method"]
    if REFINERS[refiner].teacher and segmenter != "sim":
        yield (
            f"refine.method: {refiner} corrects what SIM's teacher proposes, but propose.segmenter "
            f"is {segmenter}; set propose.segmenter: sim, or refine.method: as_it_is"
        )
    if segmenter not in BOXES_ALONE:
        return
    alone = [
        entry
        for entry in config["prompt"]["sources"]
        if entry["source"] == "labels" and not (labels == "box_and_point" and entry["together"])
    ]
    if labels == "tag" or (labels in ("point", "box_and_point") and alone):
        yield (
            f"propose.segmenter: {segmenter} answers boxes alone, but prepare.labels is {labels}; "
            "set prepare.labels: box, or propose.segmenter: sam"
        )
    if segmenter in SHAPES and config["refine"]["zoom"]["enabled"]:
        yield (
            f"refine.zoom.enabled: true, but propose.segmenter is {segmenter}, which does not look "
            "at the image, close up or not; set refine.zoom.enabled: false"
        )
    yield from _learned_faults(config, segmenter)
    if segmenter == "saliency" and config["propose"]["saliency"]["checkpoint"] is None:
        yield (
            f"propose.{segmenter}.checkpoint: null, but propose.segmenter is {segmenter}; name the "
            "ONNX file of a saliency network"
        )


def _learned_faults(config: Values, segmenter: str) -> Iterator[str]:
    """A segmenter that learns, beside what asks it again, or without what it learns from."""
    if not SEGMENTERS[segmenter].fit:
        return
    again = {
        "zoom.enabled: true": config["refine"]["zoom"]["enabled"],
        "mask_source: box_prompt": asks_with_boxes(config["refine"]),
    }
    for key, is_on in again.items():
        if is_on:
            yield (
                f"refine.{key}, but propose.segmenter is {segmenter}, which answers what it has "
                "learned once, in propose; turn it off, or set propose.segmenter: sam"
            )
    block = config["propose"][segmenter]
    if "heads" in block:
        yield from _salient_faults(config["dataset"], block, segmenter)


def _salient_faults(dataset: Values, block: Values, segmenter: str) -> Iterator[str]:
    """Heads that learn from salient images, without any."""
    drawn = dataset["source"] == "partworld" and dataset["partworld"]["salient"]
    needs = block["heads"] != "weak_only" and not block["model"]
    if needs and not (drawn or (dataset["source"] != "partworld" and dataset["salient"])):
        key = "partworld.salient" if dataset["source"] == "partworld" else "salient"
        yield (
            f"propose.{segmenter}.heads is {block['heads']}, which learns from salient images too, "
            f"but dataset.{key} names none; name some, or set heads: weak_only"
        )
