"""What BoxCaseg learns from: boxes that stand, and salient pairs where a head needs them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from stages.learning.crop_fitting import salient_set
from stages.learning.crop_index import CropIndex, opened_crops, spread
from stages.tables.table import read_table, write_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.crop_set import SMALL, CropSet, build_crop_set, propose


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> CropSet:
    return build_crop_set(tmp_path_factory.mktemp("crops"), images=3, salient=2)


def index_of(
    drawn: CropSet, *, salient: bool = True, chosen: dict[str, Any] | None = None, **changes: Any
) -> CropIndex:
    args = drawn.args(drawn.folder / "model.pt", salient=salient)
    vars(args).update(chosen or {})
    block = propose({**SMALL, **changes}).boxcaseg
    return opened_crops(args.images, args.weak_labels, block, salient=salient_set(args))


def test_all_boxes_and_pairs_are_found(drawn: CropSet) -> None:
    index = index_of(drawn)
    assert index.of.tolist() == [1, 2, 3]
    assert index.boxes.shape == (3, 4)
    assert not index.crowded.any()
    assert [image.name for image, _ in index.salient] == ["000.png", "001.png"]
    assert index.tally() == "3 boxes, 2 salient images"


@pytest.mark.parametrize(
    ("heads", "salient", "counts"),
    [("weak_only", False, (3, 0)), ("weak_only", True, (3, 0)), ("salient_only", True, (0, 2))],
)
def test_heads_read_what_they_need(
    drawn: CropSet, heads: str, salient: bool, counts: tuple[int, int]
) -> None:
    index = index_of(drawn, salient=salient, heads=heads)
    assert (len(index.boxes), len(index.salient)) == counts


def test_deleted_boxes_teach_nothing_and_overlapping_ones_are_crowded(tmp_path: Path) -> None:
    drawn = build_crop_set(tmp_path, images=3, salient=2)
    path = tmp_path / "weak_labels.parquet"
    rows = read_table(path, WEAK_LABELS).to_pylist()
    rows[2]["status"] = "deleted"
    rows.insert(1, {**rows[0], "label_id": 9, "instance_id": 9, "bag_id": 9})
    write_table(path, pa.Table.from_pylist(rows, schema=WEAK_LABELS.schema), WEAK_LABELS, {})
    index = index_of(drawn)
    assert index.of.tolist() == [1, 1, 2]
    assert index.crowded.tolist() == [True, True, False]


def test_a_list_and_the_largest_part_choose_among_salient_images(tmp_path: Path) -> None:
    drawn = build_crop_set(tmp_path / "drawn", images=1, salient=3)
    path = drawn.folder / "salient" / "masks" / "001.png"
    torn = np.zeros((96, 96), dtype=np.uint8)
    torn[:40], torn[60:] = 255, 255
    cv2.imwrite(str(path), torn)

    def names(**chosen: Any) -> list[str]:
        return [image.stem for image, _ in index_of(drawn, chosen=chosen).salient]

    assert names() == ["000", "001", "002"]
    assert names(salient_single=0.95) == ["000", "002"]
    assert names(salient_single=0.5) == ["000", "001", "002"]
    (tmp_path / "list.txt").write_text("001\n002\n")
    listed = tmp_path / "list.txt"
    assert names(salient_listed=listed) == ["001", "002"]
    listed.write_text("001\n")
    with pytest.raises(ValueError, match=r"in none of 1 masks.*dataset\.salient\.single"):
        names(salient_listed=listed, salient_single=0.95)


@pytest.mark.parametrize(
    ("there", "count", "places"),
    [
        (0, None, []),
        (0, 3, []),
        (3, None, [0, 1, 2]),
        (3, 5, [0, 1, 2]),
        (10, 1, [0]),
        (10, 4, [0, 2, 5, 7]),
        (10, 9, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_fewer_salient_images_are_spread_over_all(
    there: int, count: int | None, places: list[int]
) -> None:
    pairs = [(Path(f"{at}.jpg"), Path(f"{at}.png")) for at in range(there)]
    assert spread(pairs, count) == [pairs[place] for place in places]


def test_so_many_salient_images_are_learned_from_as_the_settings_say(drawn: CropSet) -> None:
    training = {**SMALL["training"], "salient_images": 1}
    assert len(index_of(drawn, training=training).salient) == 1
