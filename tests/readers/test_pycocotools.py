"""pycocotools loses nothing."""

from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from tests.written_labels import MASKS


@pytest.mark.parametrize("name", ["coco_rle", "coco_polygons", "coco_polygons_from_one"])
def test_masks_and_scores_come_back(name: str, written: Path) -> None:
    with redirect_stdout(None):
        coco = COCO(str(written / name / "annotations.json"))
    for number, mask in enumerate(MASKS, start=11):
        assert np.array_equal(coco.annToMask(coco.anns[number]), mask)
    assert {entry["score"] for entry in coco.anns.values()} == {0.75}
    for entry in coco.anns.values():
        coco.annToMask(entry)  # one without a trusted mask, too
    assert len(coco.getAnnIds(catIds=[1 if name.endswith("one") else 0])) == 3
