"""The door to the features: what the MIL networks see of an image."""

from stages.runtime.doors import Method

FEATURES = {  # by select.psm.features.source
    "sam": Method("stages.learning.sam_inputs"),
    "resnet18": Method("stages.learning.pixel_inputs"),
    "resnet50": Method("stages.learning.pixel_inputs"),
}
