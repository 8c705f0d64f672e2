"""export with transforms: what becomes of boxes, areas, weights and counts in the file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from stages.export import TRANSFORMS, transform_of
from stages.settings.export import Export
from stages.settings.section import from_values
from tests.pseudo_label_tables import (
    SIZES,
    boxed,
    pseudo_label_of_disc,
    run_export,
    write_folder,
)
from tests.pseudo_labels import rectangle_mask

MERGE = {"name": "merge_smaller"}
AGREE = {"name": "agreement", "threshold": 0.75}
DROP = {"name": "drop_below", "score": 0.4}


def rows() -> list[dict[str, Any]]:
    """Image 3: a small object inside another. Image 8: one cut by an unsure one, and no mask."""
    shapes = [
        (3, 11, (4, 4, 8, 7), 0.5),
        (3, 12, (2, 2, 12, 12), 0.5),
        (8, 40, (0, 0, 10, 10), 0.9),
        (8, 41, (0, 6, 9, 10), 0.3),
        (8, 45, (0, 0, 0, 0), 0.5),
    ]
    return [
        pseudo_label_of_disc(image, number, rectangle_mask(SIZES[image], box), score=score)
        for image, number, box, score in shapes
    ]


GIVEN = {  # by these, 11 is larger than 12 and 41 than 40, so that both go under
    11: [2.5, 3.0, 20.0, 19.5],
    12: [2.0, 2.0, 12.0, 12.0],
    40: [0.0, 0.0, 10.0, 10.0],
    41: [0.0, 5.0, 9.0, 40.0],
    45: [3.0, 3.0, 9.0, 9.0],
}


def short(data: dict[str, Any]) -> list[list[Any]]:
    return [
        [
            entry["provenance"]["instance_id"],
            entry["bbox"],
            entry["area"],
            entry["mask_weight"],
            int(coco_mask.decode(entry["segmentation"]).sum()),
            entry["quality"].get("agreement"),
        ]
        for entry in data["annotations"]
    ]


def test_merging_empty_files_leaves_them_empty(tmp_path: Path) -> None:
    write_folder(tmp_path, [])
    assert run_export(tmp_path, transforms=[MERGE, AGREE, DROP])["annotations"] == []


def test_points_merge_by_the_hulls_of_their_masks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, rows())
    assert short(run_export(tmp_path, transforms=[MERGE])) == [
        [11, [4, 4, 4, 3], 12, 1, 12, None],
        [12, [2, 2, 10, 10], 88, 1, 88, None],
        [40, [0, 0, 10, 10], 64, 1, 64, None],
        [41, [0, 6, 9, 4], 36, 1, 36, None],
        [45, [1, 2, 6.25, 7.5], 46.88, 0, 0, None],
    ]
    said = capsys.readouterr().err
    assert "5 annotations, 1 of them with a box but no trusted mask (0 emptied by merging)" in said


def test_a_given_box_wins_over_the_hull_when_pixels_are_shared_out(tmp_path: Path) -> None:
    """By its hull 12 is the larger one; by the box that was given, 11 is."""
    shared = {11: [2.5, 3.0, 20.0, 19.5]}
    for given, pixels in (({}, [12, 88]), (shared, [0, 100])):
        write_folder(tmp_path, boxed(rows()[:2], given))
        assert [entry[4] for entry in short(run_export(tmp_path, transforms=[MERGE]))] == pixels


def test_an_object_emptied_by_merging_is_left_the_box_that_it_was_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(tmp_path, boxed(rows(), GIVEN))
    seen = short(run_export(tmp_path, transforms=[MERGE]))
    assert seen[:2] == [
        [11, [2.5, 3, 17.5, 16.5], 288.75, 0, 0, None],
        [12, [2, 2, 10, 10], 100, 1, 100, None],
    ]
    assert "3 of them with a box but no trusted mask (2 emptied by merging)" in (
        capsys.readouterr().err
    )


def test_an_untrusted_mask_keeps_its_pixels_and_trains_the_known_box(tmp_path: Path) -> None:
    write_folder(tmp_path, boxed(rows(), GIVEN))
    transforms = [{**AGREE, "box": "given"}]
    seen = short(run_export(tmp_path, transforms=transforms))
    assert [entry[3] for entry in seen] == [0, 1, 1, 0, 0]
    assert seen[0][:5] == [11, [2.5, 3, 17.5, 16.5], 288.75, 0, 12]
    assert seen[3][:5] == [41, [0, 5, 9, 19], 171, 0, 36]  # the image is 24 px high
    assert seen[3][5] == pytest.approx(36 / 315, abs=1e-6)
    assert seen[4] == [45, [3, 3, 6, 6], 36, 0, 0, 0]


def test_dropping_labels_changes_no_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = rows()
    made[0]["score"] = 0.1
    write_folder(tmp_path, made)
    data = run_export(tmp_path, transforms=[DROP])
    assert [(a["id"], a["provenance"]["instance_id"]) for a in data["annotations"]] == [
        (12, 12),
        (40, 40),
        (45, 45),
    ]
    assert "3 annotations" in (text := capsys.readouterr().err)
    assert "2 dropped" in text


def test_the_order_of_the_chain_is_that_of_the_settings(tmp_path: Path) -> None:
    write_folder(tmp_path, rows())
    areas = {
        order: [entry[2] for entry in short(run_export(tmp_path, transforms=list(chain)))[2:3]]
        for order, chain in {"merge first": (MERGE, DROP), "drop first": (DROP, MERGE)}.items()
    }
    assert areas == {"merge first": [64], "drop first": [100]}


def test_extra_masks_and_what_refine_said_stay_as_they_are(tmp_path: Path) -> None:
    write_folder(tmp_path, boxed(rows(), GIVEN))
    plain = run_export(tmp_path)["annotations"]
    done = run_export(tmp_path, transforms=[MERGE, AGREE])["annotations"]
    for before, after in zip(plain, done, strict=True):
        assert after["extra_masks"] == before["extra_masks"]
        assert after["provenance"] == before["provenance"]
        assert after["score"] == before["score"]
        assert {**after["quality"], **before["quality"]} == after["quality"]


def test_a_score_is_held_against_the_least_one_as_it_is_written(tmp_path: Path) -> None:
    write_folder(tmp_path, [pseudo_label_of_disc(5, 4, score=0.7)])  # 0.69999999 as a float32
    data = run_export(tmp_path, transforms=[{"name": "drop_below", "score": 0.7}])
    assert [entry["score"] for entry in data["annotations"]] == [0.7]


def test_transforms_give_the_same_bytes_for_one_shard_and_four(tmp_path: Path) -> None:
    write_folder(tmp_path, rows())
    for shards in (1, 4):
        run_export(tmp_path, shards, transforms=[MERGE, AGREE])
    assert (tmp_path / "labels-1.json").read_bytes() == (tmp_path / "labels-4.json").read_bytes()


def test_a_given_box_wanted_of_a_point_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    write_folder(tmp_path, rows())
    with pytest.raises(ValueError, match=r"no weak label has a box .*Set box: refined"):
        run_export(tmp_path, transforms=[{"name": "agreement", "box": "given"}])
    assert not list(tmp_path.glob("*labels-1*"))


def test_disjoint_masks_pass_merging_byte_for_byte(tmp_path: Path) -> None:
    write_folder(
        tmp_path,
        [pseudo_label_of_disc(3, 11), pseudo_label_of_disc(5, 4), pseudo_label_of_disc(8, 40)],
    )
    assert (
        run_export(tmp_path, transforms=[MERGE])["annotations"]
        == (run_export(tmp_path)["annotations"])
    )
    assert np.all([entry[3] for entry in short(run_export(tmp_path))])


@pytest.mark.parametrize(("convention", "agreement"), [("half_open", 1), ("authors", 100 / 121)])
def test_the_convention_of_agreement_is_a_setting(
    tmp_path: Path, convention: str, agreement: float
) -> None:
    write_folder(tmp_path, [pseudo_label_of_disc(3, 11, rectangle_mask(SIZES[3], (2, 2, 12, 12)))])
    seen = short(run_export(tmp_path, transforms=[{**AGREE, "convention": convention}]))
    assert seen == [[11, [2, 2, 10, 10], 100, 1, 100, pytest.approx(agreement, abs=1e-6)]]


def test_dropping_every_label_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    write_folder(tmp_path, rows())
    with pytest.raises(ValueError, match=r"drop_below leaves out all 5 labels, .* Lower that in"):
        run_export(tmp_path, transforms=[{"name": "drop_below", "score": 0.95}])
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_keys_of_each_transform_are_keywords_of_its_function(name: str) -> None:
    (step,) = from_values(Export, {"transforms": [{"name": name}]}, "export").transforms
    assert transform_of(step)([]) == []
