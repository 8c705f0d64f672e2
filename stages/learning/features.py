"""The door to the features: what the MIL networks see of an image.

A module behind it has
* `PACKAGES`: names of the installed packages whose versions matter;
* `facts_of_features(features, propose) -> dict`: checksums of weights, for provenance; it raises
  ValueError where a file is missing, and loads nothing;
* `opened_inputs(features, propose, *, folder, device, cache) -> stages.learning.inputs.Inputs`.
"""

from stages.runtime.doors import Method

FEATURES = {  # by `features.source` of a selector
    "sam": Method("stages.learning.sam_inputs"),
    "resnet18": Method("stages.learning.pixel_inputs"),
    "resnet50": Method("stages.learning.pixel_inputs"),
    "vgg16": Method("stages.learning.vgg_inputs"),
    "transformers": Method("stages.learning.transformers_inputs"),
}


def of_segmenter(source: str, path: str | None) -> bool:
    """Whether features are those of the segmenter that is asked; path: `features.path`."""
    return source == "sam" or (source == "transformers" and not path)
