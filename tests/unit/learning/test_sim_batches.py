"""Batches of SIM's teacher: sizes, flips, colours; nothing but seed and step decides them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from stages.box_supervision.colour_pairs import colour_similarity
from stages.box_supervision.lab import lab_of
from stages.learning.sim_batches import TeacherBatch, TeacherReader, similarities
from stages.learning.sim_index import opened_objects
from stages.runtime.processes import Team
from stages.tables.table import read_table, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.crop_set import SIDE, CropSet, build_crop_set
from tests.teacher_set import settings_of, write_former


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    return build_crop_set(tmp_path_factory.mktemp("teacher"), images=6, salient=1)


def reader(
    drawn: CropSet, *, seed: int = 0, former: Path | None = None, team: Team | None = None,
    **training: Any,
) -> TeacherReader:  # fmt: skip
    paths = [drawn.folder / f"{name}.parquet" for name in ("images", "weak_labels")]
    index = opened_objects(paths[0], paths[1], [former] if former else None)
    settings = settings_of(training=training)
    return TeacherReader(index, drawn.folder, settings, seed, *([team] if team else []))


def equal(a: TeacherBatch, b: TeacherBatch) -> bool:
    same = torch.equal(a.pixels, b.pixels) and torch.equal(a.similarity, b.similarity)
    return a.image_ids == b.image_ids and same


def test_a_batch_has_images_boxes_and_colours(drawn: CropSet) -> None:
    batch = reader(drawn)(0)
    assert batch.pixels.shape == (4, 3, 64, 64)
    assert batch.similarity.shape == (4, 8, 32, 32)
    assert len(batch.shown) == len(batch.image_ids) == 4
    for shown in batch.shown:
        assert shown.boxes.shape == (1, 4)
        assert shown.classes.tolist() == [0]
        assert shown.masks.weights.tolist() == [0]


def test_a_batch_depends_on_seed_and_step_alone(drawn: CropSet) -> None:
    sizes = {"sizes": [48, 64, 80]}
    assert equal(reader(drawn, **sizes)(3), reader(drawn, **sizes)(3))
    assert not equal(reader(drawn, **sizes)(3), reader(drawn, seed=1, **sizes)(3))
    assert not equal(reader(drawn, **sizes)(1), reader(drawn, **sizes)(3))


def test_every_size_is_drawn(drawn: CropSet) -> None:
    read = reader(drawn, sizes=[48, 64, 80])
    seen = {shown.pixels.shape[0] for step in range(8) for shown in read(step).shown}
    assert seen == {48, 64, 80}


def test_processes_share_a_batch(drawn: CropSet) -> None:
    whole = reader(drawn)(0)
    parts = [reader(drawn, team=Team(rank, 2))(0) for rank in (0, 1)]
    assert [part.step_ids for part in parts] == [whole.image_ids] * 2
    assert parts[0].image_ids + parts[1].image_ids == whole.image_ids[::2] + whole.image_ids[1::2]
    none = reader(drawn, team=Team(5, 6))(0)
    assert none.image_ids == []


def test_boxes_and_masks_are_mirrored_and_resized_as_the_image_is(
    drawn: CropSet, tmp_path: Path
) -> None:
    former = write_former(drawn, tmp_path / "former.parquet")
    for flip in (0.0, 1.0):
        for shown, number in pairs(reader(drawn, former=former, flip=flip)(0)):
            truth = drawn.truth[number][:, :: -1 if flip else 1]
            rows, columns = np.flatnonzero(truth.any(1)), np.flatnonzero(truth.any(0))
            tight = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
            wanted = [side * 64 / SIDE for side in tight]
            assert shown.boxes[0].tolist() == pytest.approx(wanted, abs=1e-4)
            x0, y0, x1, y1 = (round(side) for side in wanted)
            assert shown.masks.masks[0, y0:y1, x0:x1].sum() == shown.masks.masks[0].sum() > 0
            assert shown.masks.looked_at.all()


def pairs(batch: TeacherBatch) -> list[tuple[Any, int]]:
    return list(zip(batch.shown, batch.image_ids, strict=True))


def test_what_lies_beside_the_image_is_left_out(tmp_path: Path) -> None:
    drawn = build_crop_set(tmp_path, images=2, salient=1)
    path = tmp_path / "weak_labels.parquet"
    rows = read_table(path, WEAK_LABELS).to_pylist()
    rows[0]["box"], rows[1]["box"] = [100.0, 5, 120, 20], [-10.0, 6, 48, 200]
    write_table(path, pa.Table.from_pylist(rows, schema=WEAK_LABELS.schema), WEAK_LABELS, {})
    shown = {number: one for one, number in pairs(reader(drawn, flip=0.0)(0))}
    assert shown[1].boxes.shape == (0, 4)
    assert shown[1].masks.masks.shape[0] == 0
    assert shown[2].boxes[0].tolist() == pytest.approx([0, 4, 32, 64])


def test_no_image_has_no_colours() -> None:
    assert similarities([], cell=2, bottom=0).shape == (0, 8, 0, 0)


@pytest.mark.parametrize(("bottom", "rows"), [(0, 10), (3, 9), (4, 8), (99, 0)])
def test_colours_are_means_of_whole_cells(bottom: int, rows: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (21, 35, 3), dtype=np.uint8)
    seen = similarities([image], cell=2, bottom=bottom)[0]
    assert seen.shape == (8, 16, 32)  # of 32 x 64 px
    means = np.zeros((16, 32, 3))
    for y in range(10):
        for x in range(17):
            means[y, x] = image[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].reshape(-1, 3).mean(0)
    valid = np.zeros((16, 32))
    valid[:rows, :17] = 1  # those that end above the bottom
    lab = np.where(means.any(2, keepdims=True), lab_of(means), 0)
    wanted = colour_similarity(torch.from_numpy(lab), torch.from_numpy(valid))
    assert torch.allclose(seen.double(), wanted, atol=1e-4)


PASTE = {"enabled": True, "probability": 1.0}


def test_objects_are_pasted_in_later_rounds(drawn: CropSet, tmp_path: Path) -> None:
    former = write_former(drawn, tmp_path / "former.parquet")
    plain, pasted = (
        reader(drawn, former=former, **changes)(1) for changes in ({}, {"paste": PASTE})
    )
    assert pasted.image_ids == plain.image_ids
    assert [one.pasted for one in pasted.shown] == [1] * len(pasted.shown)
    for place, (one, before) in enumerate(zip(pasted.shown, plain.shown, strict=True)):
        assert one.cover is not None
        np.testing.assert_array_equal(one.pixels[~one.cover], before.pixels[~one.cover])
        assert (one.pixels[one.cover] != before.pixels[one.cover]).any()
        assert one.masks.masks[-1].astype(bool).tolist() == one.cover.tolist()
        colours = similarities([one.pixels], cell=2, bottom=0)[0]
        assert torch.equal(pasted.similarity[place], colours)
    assert not torch.equal(pasted.pixels, plain.pixels)


def test_a_pasted_object_lies_where_its_own_image_shows_it(drawn: CropSet, tmp_path: Path) -> None:
    former = write_former(drawn, tmp_path / "former.parquet")
    read = reader(drawn, former=former, sizes=[48, 64, 80], paste=PASTE)
    plain = reader(drawn, former=former, sizes=[48, 64, 80])
    shown = [one for step in (0, 1) for one in plain(step).shown]  # all six of the epoch
    for target in read(1).shown:
        fits = [one for one in shown if is_pasted_from(target, one)]
        assert len(fits) == int(target.pasted > 0)


def is_pasted_from(target: Any, donor: Any) -> bool:
    height, width = (min(one) for one in zip(target.cover.shape, donor.pixels.shape, strict=False))
    part = slice(height), slice(width)
    cut = target.cover[part]
    same = np.array_equal(cut, donor.masks.masks[0][part]) and cut.sum() == target.cover.sum()
    return same and np.array_equal(target.pixels[part][cut], donor.pixels[part][cut])


def test_a_pasted_batch_read_alone_is_the_same(drawn: CropSet, tmp_path: Path) -> None:
    changes = {"sizes": [48, 64, 80], "paste": {"enabled": True}}
    former = write_former(drawn, tmp_path / "former.parquet")
    read = reader(drawn, former=former, **changes)
    whole = [read(step) for step in range(6)]
    assert 0 < sum(one.pasted for batch in whole for one in batch.shown) < 18
    assert equal(reader(drawn, former=former, **changes)(5), whole[5])
    mine = reader(drawn, former=former, team=Team(1, 2), **changes)(4)
    for one, other in zip(mine.shown, whole[4].shown[1::2], strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_without_masks_of_a_round_before_nothing_is_pasted(drawn: CropSet, tmp_path: Path) -> None:
    assert equal(reader(drawn, paste=PASTE)(1), reader(drawn)(1))
    former = write_former(drawn, tmp_path / "former.parquet", score=0.0)
    assert equal(reader(drawn, former=former, paste=PASTE)(1), reader(drawn)(1))


def test_an_image_is_not_pasted_into_itself(tmp_path: Path) -> None:
    alone = build_crop_set(tmp_path, images=1, salient=1)
    former = write_former(alone, tmp_path / "former.parquet")
    assert reader(alone, former=former, paste=PASTE)(0).shown[0].pasted == 0
