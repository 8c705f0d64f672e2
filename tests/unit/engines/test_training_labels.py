"""What a detector trains on: crowds and empty images out, mirrored pairs, one batch per step."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stages.engines.step_reader import StepReader
from stages.engines.training_images import StepSamples, mirrored
from stages.engines.training_labels import Labels
from stages.runtime.processes import Team
from stages.settings.train import CopyPaste, MultiMask, Train
from tests.rectangles import SIDE, write_rectangles


def edit(path: Path, number: int, **changes: Any) -> Path:
    data = json.loads(path.read_text())
    data["annotations"][number] |= changes
    path.write_text(json.dumps(data))
    return path


def read(path: Path, step: int, **settings: Any) -> StepSamples:
    reader = StepReader(path.parent, Labels(path), Train(**{"batch_images": 2, **settings}), 0)
    return reader(step)


def test_crowds_alone_leave_nothing_to_train_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="all annotations are crowds"):
        Labels(write_rectangles(tmp_path, 1, iscrowd=1))


def test_images_without_objects_and_crowds_are_left_out(tmp_path: Path) -> None:
    path = edit(write_rectangles(tmp_path), 0, iscrowd=1)
    labels = Labels(path)
    assert labels.image_ids == [1, 2, 3, 4]
    assert labels.without_objects == 1
    assert labels.annotations == 7
    assert labels.objects(1).labels.tolist() == [2]  # the second of three classes


@pytest.mark.parametrize(
    "box",
    [
        *(None, [1, 2, 3], [0, 0, 0, 5], [0, 0, float("nan"), 5], [5, 5, -1, 2], ["a"] * 4),
        *([SIDE, 0, 5, 5], [0, -9, 5, 9], [0, 0, 1e300, 5], [30, 30, 1e-7, 5]),
    ],
)
def test_a_box_without_area_is_refused_by_name(tmp_path: Path, box: Any) -> None:
    path = edit(write_rectangles(tmp_path), 2, bbox=box)
    with pytest.raises(ValueError, match=r"annotation 3\b.* bbox"):
        Labels(path)


def test_the_mask_weight_defaults_to_1_and_is_0_without_a_mask(tmp_path: Path) -> None:
    path = edit(edit(write_rectangles(tmp_path), 0, mask_weight=0.0), 2, segmentation=[])
    labels = Labels(path)
    assert labels.objects(1).mask_weight.tolist() == [0, 1]
    assert labels.objects(2).mask_weight.tolist() == [0, 1]
    sizes = {tuple(rle["size"]) for rle in labels.objects(2).rles}
    assert sizes == {(SIDE, SIDE)}


@pytest.mark.parametrize(
    ("rule", "changes", "weight"),
    [
        ("label", {}, 1),
        ("label", {"mask_weight": 0.5, "score": 0.2, "quality": {"box_fit": 0.1}}, 0.5),
        ("score", {}, 1),
        ("score", {"score": None}, 1),
        ("score", {"score": 0.25}, 0.25),
        ("score", {"score": 0.25, "mask_weight": 2}, 0.5),
        ("score", {"score": 0.25, "segmentation": []}, 0),
        ("box_fit", {"quality": {"prm_score": 0.3, "box_fit": None}}, 1),
        ("box_fit", {"quality": {"box_fit": 0.75}, "score": 0.1}, 0.75),
        ("box_fit", {"quality": {"box_fit": 0.75}, "mask_weight": 0}, 0),
    ],
)
def test_the_mask_weight_follows_its_rule(
    tmp_path: Path, rule: Any, changes: dict[str, Any], weight: float
) -> None:
    labels = Labels(edit(write_rectangles(tmp_path), 0, **changes))
    assert labels.objects(1, rule).mask_weight.tolist() == [weight, 1]
    assert labels.masks_ignored(rule) == (weight == 0)
    assert read(labels.path, 0, mask_weight=rule, batch_images=4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mask_weight": -0.5}, "annotation 2: its mask_weight is -0.5"),
        ({"mask_weight": float("nan")}, "annotation 2: its mask_weight is nan"),
        ({"mask_weight": float("inf")}, "annotation 2: its mask_weight is inf"),
        ({"mask_weight": "half"}, "annotation 2: its mask_weight is 'half'"),
        ({"mask_weight": None}, "annotation 2: its mask_weight is None"),
        ({"score": 1.5}, r"annotation 2: its score is 1.5, no number from 0 to 1"),
        ({"score": "high"}, "annotation 2: its score is 'high'"),
        ({"quality": {"box_fit": -1}}, "annotation 2: its quality.box_fit is -1"),
        ({"extra_masks": [None] * 4}, "annotation 2: its extra_masks are"),
        ({"extra_masks": {"size": []}}, "annotation 2: its extra_masks are"),
    ],
)
def test_qualities_out_of_range_are_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Labels(edit(write_rectangles(tmp_path), 1, **changes))


MULTI = {"multi_mask": MultiMask(enabled=True)}
OTHER_MASK = {"size": [SIDE, SIDE], "counts": [0, 2 * SIDE, SIDE**2 - 2 * SIDE]}  # two columns
POLYGON = [[0, 0, 8, 0, 8, 8, 0, 8]]


def test_extra_masks_are_read_where_they_are_trained(tmp_path: Path) -> None:
    path = edit(write_rectangles(tmp_path, 1), 1, extra_masks=[OTHER_MASK, POLYGON])
    sample = read(path, 0, flip=0.0, **MULTI).samples[0]
    assert sample.extra_masks.shape == (3, 2, SIDE, SIDE)
    assert sample.extra_masks.sum(dim=(2, 3)).tolist() == [[0, 128], [0, 64], [0, 0]]
    assert sample.extra_valid.tolist() == [[False] * 3, [True, True, False]]
    mirror = read(path, 0, flip=1.0, **MULTI).samples[0]
    assert torch.equal(mirror.extra_masks, sample.extra_masks.flip(-1))
    off = read(path, 0).samples[0]
    assert (off.extra_masks.shape, off.extra_valid.shape) == ((0, 2, SIDE, SIDE), (2, 0))


def test_extra_masks_can_be_left_out_of_memory_and_empty_ones_do_not_count(tmp_path: Path) -> None:
    path = edit(write_rectangles(tmp_path, 1), 1, extra_masks=[OTHER_MASK])
    assert Labels(path, extra_masks=False).objects(1).extra_rles == [[], []]
    empty = {"size": [SIDE, SIDE], "counts": [SIDE**2]}
    sample = read(edit(path, 1, extra_masks=[empty]), 0, **MULTI).samples[0]
    assert not sample.extra_valid.any()


def test_an_extra_mask_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    path = edit(write_rectangles(tmp_path), 4, extra_masks=[{"size": [3, 3], "counts": [9]}])
    with pytest.raises(ValueError, match="annotation 5: extra mask: RLE of size"):
        read(path, 0, batch_images=4, **MULTI)


def test_a_mask_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    path = edit(write_rectangles(tmp_path), 4, segmentation={"size": [3, 3], "counts": [9]})
    with pytest.raises(ValueError, match="annotation 5"):
        read(path, 0, batch_images=4)


def test_an_image_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    data = json.loads(path.read_text())
    for image in data["images"]:
        image["height"] = 32
    for entry in data["annotations"]:
        entry["segmentation"] = [[0, 0, 9, 0, 9, 9]]
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="give the photographs"):
        read(path, 0)


def test_a_batch_depends_on_its_step_alone_and_an_epoch_sees_all(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    batches = [read(path, step) for step in (0, 1)]
    assert sorted(i for batch in batches for i in batch.image_ids) == [1, 2, 3, 4]
    again = read(path, 1)
    assert again.image_ids == batches[1].image_ids
    assert torch.equal(again.samples[0].pixels, batches[1].samples[0].pixels)


def test_boxes_are_hulls_of_masks_also_when_mirrored(tmp_path: Path) -> None:
    for flip in (0.0, 1.0):
        for sample in read(write_rectangles(tmp_path), 0, flip=flip).samples:
            for box, mask in zip(sample.boxes.tolist(), sample.masks.numpy(), strict=True):
                rows, columns = np.nonzero(mask)
                hull = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert box == hull
                inside = sample.pixels.numpy()[:, mask > 0]
                assert inside.max(axis=0).mean() > 0.5  # the bright pixels went along


def test_mirroring_twice_changes_nothing(tmp_path: Path) -> None:
    sample = read(write_rectangles(tmp_path), 0, flip=0.0).samples[0]
    twice = mirrored(mirrored(sample))
    for name in ("pixels", "boxes", "labels", "masks", "mask_weight"):
        assert torch.equal(getattr(twice, name), getattr(sample, name))


BAD_MASKS: dict[str, tuple[dict[str, Any], str]] = {
    "runs": ({"segmentation": {"size": [64, 64], "counts": [1, 2]}}, "RLE of 3 px"),
    "null": ({"segmentation": [[None, 2, 20, 2, 20, 8]]}, "not finite"),
    "far away": ({"segmentation": [[3.5e8, 2, 20, 2, 20, 8]]}, "far outside the image"),
    "outside": ({"segmentation": [[70, 2, 80, 2, 80, 8]]}, "wholly outside the image"),
    "an extra mask": ({"extra_masks": [{"size": [64, 64], "counts": "?"}]}, "extra mask: "),
}


@pytest.mark.parametrize(("changes", "said"), BAD_MASKS.values(), ids=BAD_MASKS)
def test_every_mask_is_checked_before_the_first_step(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = write_rectangles(tmp_path)
    data = json.loads(path.read_text())
    for entry in data["annotations"][-2:]:
        entry |= changes
    path.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="2 faulty annotations") as caught:
        Labels(path)
    for entry in data["annotations"][-2:]:
        (line,) = (t for t in str(caught.value).splitlines() if f"annotation {entry['id']}:" in t)
        assert said in line


def test_of_several_sides_a_step_has_one_that_depends_on_nothing_else(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    drawn = [read(path, step, short_side=(64, 96, 128)).side for step in range(12)]
    assert set(drawn) == {64, 96, 128}
    assert read(path, 7, short_side=(64, 96, 128), flip=0.0).side == drawn[7]
    assert read(path, 7, short_side=96).side == 96


def test_a_team_reads_the_batch_of_one_between_them(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    plan = Train(batch_images=3, copy_paste=CopyPaste(enabled=True, chance=1.0, min_score=0.0))
    labels = Labels(path)
    whole = StepReader(tmp_path, labels, plan, 0)(2).samples
    mine, yours = (StepReader(tmp_path, labels, plan, 0, Team(k, 2))(2).samples for k in (0, 1))
    assert [sample.image_id for sample in whole] == [
        *(mine[0].image_id, yours[0].image_id, mine[1].image_id)
    ]
    assert torch.equal(whole[1].pixels, yours[0].pixels)
    assert StepReader(tmp_path, labels, plan, 0, Team(4, 5))(2).samples == []


def test_parts_of_a_step_hold_all_its_samples_once(tmp_path: Path) -> None:
    whole = read(write_rectangles(tmp_path), 0, batch_images=3)
    for number, sizes in [(1, [3]), (2, [2, 1]), (5, [1, 1, 1])]:
        parts = whole.parts(number)
        assert [len(part.samples) for part in parts] == sizes
        assert sorted(i for part in parts for i in part.image_ids) == sorted(whole.image_ids)
        assert {part.side for part in parts} == {whole.side}


def test_what_a_training_does_not_read_is_not_kept(tmp_path: Path) -> None:
    path = write_rectangles(tmp_path)
    values = json.loads(path.read_text())
    for entry in values["annotations"]:
        entry |= {"provenance": {"instance_id": 1}, "quality": {"box_fit": 0.5, "mask_source": "x"}}
        entry |= {"extra_masks": [], "attributes": {"note": "of another program"}}
    path.write_text(json.dumps(values))
    with_extra = {key for entry in Labels(path)._entries() for key in entry}
    assert {"box_fit", "extra_masks"} <= with_extra
    assert not {"provenance", "quality", "attributes"} & with_extra
    without = {key for entry in Labels(path, extra_masks=False)._entries() for key in entry}
    assert without == with_extra - {"extra_masks"}
