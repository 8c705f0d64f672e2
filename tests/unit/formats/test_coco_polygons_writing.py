import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from stages.formats.coco_polygons_writing import Likeness, write
from stages.formats.pseudo_label_file import opened_labels
from tests.written_labels import MASKS, RING, annotation, lone_box, usual, write_labels


def test_no_annotations_give_an_empty_list(tmp_path: Path) -> None:
    counts = write(opened_labels(write_labels(tmp_path, []), "keep"), tmp_path)
    assert counts["annotations"] == 0


def test_pycocotools_makes_the_same_masks_of_the_outlines(tmp_path: Path) -> None:
    counts = write(opened_labels(write_labels(tmp_path, usual()), "keep"), tmp_path)
    with redirect_stdout(None):
        coco = COCO(str(tmp_path / "annotations.json"))
    for number, mask in enumerate(MASKS, start=11):
        assert (coco.annToMask(coco.anns[number]) == mask).all()
    assert counts == {
        "images": 3,
        "annotations": 5,
        "boxes in place of a mask": 1,
        "mean IoU of outlines and masks": 1.0,
        "least": 1.0,
        "below 0.9": 0,
    }


def test_all_other_keys_are_kept(tmp_path: Path) -> None:
    path = write_labels(tmp_path, usual())
    write(opened_labels(path, "keep"), tmp_path)
    found = json.loads((tmp_path / "annotations.json").read_text())["annotations"]
    for entry, given in zip(found, usual(), strict=True):
        assert entry | {"segmentation": None} == given | {"segmentation": None}
    assert [len(entry["segmentation"]) for entry in found] == [1, 2, 1, 1, 1]


def test_coordinates_are_those_of_pixel_edges_less_the_inset() -> None:
    ((*ring,),) = Likeness().outlined(annotation(1, 4, MASKS[2]))["segmentation"]
    assert ring == [9.02, 9.02, 13.98, 9.02, 13.98, 11.98, 9.02, 11.98]


def test_what_has_no_trusted_mask_is_its_box() -> None:
    ((*ring,),) = Likeness().outlined(lone_box(1, 4))["segmentation"]
    assert ring == [1.5, 2.25, 30.0, 2.25, 30.0, 12.25, 1.5, 12.25]


def test_outlines_that_do_not_fit_would_be_counted() -> None:
    likeness = Likeness()
    code = annotation(1, 4, RING)["segmentation"]
    likeness.add(code, [[0.0, 0.0, 2.0, 0.0, 2.0, 2.0, 0.0, 2.0]])
    likeness.outlined(annotation(2, 4, RING))
    counts = list(likeness.counts().values())
    assert counts == [2, 0, 0.5, 0.0, 1]


def test_a_class_that_the_file_does_not_list_is_a_fault(tmp_path: Path) -> None:
    path = write_labels(tmp_path, [annotation(1, 4, RING, category_id=77)])
    with pytest.raises(ValueError, match="class 77"):
        write(opened_labels(path, "keep"), tmp_path)
