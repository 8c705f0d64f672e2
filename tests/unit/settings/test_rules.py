"""Sections that do not go together, from plain values."""

import pytest

from stages.settings.config import Config
from stages.settings.rules import run_faults
from stages.settings.section import to_values

SEGMENTERS = [  # propose.segmenter, select.method, features from, whether they go together
    ("sam", "psm", "sam", True),
    ("flood", "psm", "resnet18", True),
    ("flood", "largest", "sam", True),  # nobody looks at features
    ("flood", "psm", "sam", False),
]


@pytest.mark.parametrize(("segmenter", "method", "source", "fits"), SEGMENTERS)
def test_features_come_from_the_segmenter_that_is_asked(
    segmenter: str, method: str, source: str, *, fits: bool
) -> None:
    config = to_values(Config())
    config["propose"]["segmenter"] = segmenter
    config["select"]["method"] = method
    config["select"]["psm"]["features"]["source"] = source
    config["refine"]["method"] = "prm" if method == "psm" else "as_it_is"
    said = " ".join(run_faults(config))
    assert ("features.source: sam, but propose.segmenter is flood" not in said) == fits
    assert (said == "") == fits
