"""The picture of crops has a line for each box, and leaves out what has no box."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from stages.geometry.masks import masks_to_rles
from stages.reporting.crop_figure import CropRow, boxed, draw_crops, proposed_mask


def instance(number: int, *kinds: str, proposals: int = 1) -> Any:
    mask = np.zeros((8, 10), np.uint8)
    mask[2:4, 3:7] = 1
    rle = masks_to_rles(mask[None])[0]["counts"]
    row = {"rle": rle, "height": 8, "width": 10}
    labels = [{"kind": kind, "box": [1, 2, 7, 8] if kind == "box" else None} for kind in kinds]
    return SimpleNamespace(instance_id=number, labels=labels, proposals=[row] * proposals)


def test_objects_without_a_box_or_a_proposal_are_left_out() -> None:
    objects = [instance(1, "point"), instance(2, "point", "box"), instance(3, "box", proposals=0)]
    trail: Any = SimpleNamespace(instances=[*objects, instance(4, "box"), instance(5, "box")])
    assert boxed(SimpleNamespace(instances=[]), 3) == []  # type: ignore[arg-type]
    assert [own.instance_id for own, _ in boxed(trail, 2)] == [2, 4]
    assert proposed_mask(objects[1]).sum() == 8


def test_a_line_for_each_box_and_a_panel_for_each_head(tmp_path: Path) -> None:
    image = np.full((8, 10, 3), 200, np.uint8)
    maps = {"weak": np.zeros((4, 4)), "mixed": np.ones((4, 4))}
    row = CropRow("dog 7", (1, 2, 7, 8), maps, np.ones((8, 10), bool))
    sizes = []
    for count in (1, 3):
        draw_crops([row] * count, image, tmp_path / "crops.png")
        sizes.append(cv2.imread(str(tmp_path / "crops.png")).shape[:2])
    assert sizes[0][1] == sizes[1][1] == (4 * 145)
    assert sizes[1][0] == 3 * sizes[0][0]
