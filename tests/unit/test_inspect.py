"""inspect: works on whatever stages are done, and leaves the run as it was."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stages import inspect
from stages.geometry.masks import masks_to_rles
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.refinements import REFINEMENTS
from stages.tables.selections import SELECTIONS
from stages.tables.table import Record, table_of, write_table
from stages.tables.weak_labels import WEAK_LABELS


def write(path: Path, record: Record, rows: list[dict[str, Any]]) -> None:
    columns = {name: [row[name] for row in rows] for name in record.schema.names}
    write_table(path, table_of(record, columns), record, {"stage": "test", "seed": 0})


def proposal(number: int, x1: int) -> dict[str, Any]:
    mask = np.zeros((1, 20, 30), dtype=np.uint8)
    mask[0, 2:12, 3:x1] = 1
    counts = masks_to_rles(mask)[0]["counts"]
    row = {"image_id": 4, "instance_id": 7, "proposal_id": number, "prompt_kind": "point"}
    row |= {"prompt_index": 0, "mask_index": number, "box": [3, 2, x1, 12], "rle": counts}
    row |= {"area": (x1 - 3) * 10, "height": 20, "width": 30, "sam_score": 0.9, "stability": 0.8}
    return row | {"valid": True, "score_cls": 0.5, "score_ins": 0.5, "score_dis": 1.0}


def prepared(run: Path) -> Path:
    folder = run / "partworld" / "train" / "images"
    folder.mkdir(parents=True)
    Image.new("RGB", (30, 20), (90, 90, 90)).save(folder / "a.png")
    image = {"image_id": 4, "file_name": "a.png", "height": 20, "width": 30, "shard": 0}
    write(run / "prepare" / "images.parquet", IMAGES, [image])
    category = {"category_id": 1, "name": "$<b>dog", "supercategory": ""}
    write(run / "prepare" / "categories.parquet", CATEGORIES, [category])
    label = {"image_id": 4, "instance_id": 7, "category_id": 1, "kind": "point", "x": 5.0, "y": 6.0}
    write(run / "prepare" / "weak_labels.parquet", WEAK_LABELS, [{**label, "box": None}])
    return run


def proposed(run: Path) -> Path:
    rows = [proposal(0, 9), proposal(1, 25)]
    write(prepared(run) / "propose" / "shard-0000-of-0001.parquet", PROPOSALS, rows)
    return run


def refined(run: Path) -> Path:
    proposed(run)
    bag = [proposal(0, 9), proposal(1, 25)]
    scores = [
        {**row, "score": 0.3, "selected": number == 0, "bag_score": 0.5}
        for number, row in enumerate(bag)
    ]
    write(run / "sapnet" / "select" / "shard-0000-of-0001.parquet", SELECTIONS, scores)
    row = {**bag[1], "box_psm": [3, 2, 9, 12], "box_select": [3, 2, 24, 12]}
    row |= {"box_prm": [3, 2, 25, 12], "bms_rule": "overlap", "proposal_id_select": 0}
    row |= {"mask_source": "proposal"}
    row |= {"score": 0.2, "bag_score": 0.5, "extra_rles": []}
    write(run / "sapnet" / "refine" / "shard-0000-of-0001.parquet", REFINEMENTS, [row])
    return run


STATES = {
    "prepared": (prepared, "no proposals yet"),
    "proposed": (proposed, "point[0]"),
    "refined": (refined, "BMS rule: overlap; chosen: proposal 1"),
}


@pytest.mark.parametrize(("make", "said"), STATES.values(), ids=STATES.keys())
def test_inspect_works_on_the_stages_that_are_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, said: str
) -> None:
    run = make(tmp_path / "run")
    inspect.main([str(run), "--image", "4"])
    shown = capsys.readouterr().out
    assert said in shown
    assert "$<b>dog" in shown
    with Image.open(run / "inspect" / "image-4.png") as picture:
        assert picture.width > 100
        assert picture.convert("RGB").getextrema() != ((255, 255),) * 3


def test_inspect_marks_both_choices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inspect.main([str(refined(tmp_path / "run")), "--image", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("  s  0") for line in lines)
    assert any(line.startswith("  >  1") for line in lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--image", "5"], "no image 5"),
        ([], "the first ones are 4"),
        (["--image", "4", "--variant", "none"], "no variant 'none'"),
        (["--image", "4", "--image-folder", "nowhere"], "Name the images with --image-folder"),
    ],
)
def test_inspect_refuses(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        inspect.main([str(refined(tmp_path / "run")), *words])
