"""report: each label with its trail on a page, and no name of a stranger as HTML."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from stages import report
from stages.geometry.masks import masks_to_rles
from stages.tables.categories import CATEGORIES
from stages.tables.grades import GRADES
from stages.tables.images import IMAGES
from stages.tables.judged_objects import JUDGED_OBJECTS
from stages.tables.proposals import PROPOSALS
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.selections import SELECTIONS
from stages.tables.trail import TRAIL
from stages.tables.weak_labels import WEAK_LABELS
from tests.sound_rows import (
    Row,
    category_row,
    image_row,
    label_row,
    own_grades,
    proposal_row,
    pseudo_label_row,
    selection_row,
    trail_row,
    write_rows,
)

HOSTILE = "<b>dog</b>"
FACTS = {"title": "mine/full", "paper": None, "differing": [], "settings": "{}"}
TABLES = ("images", "weak_labels", "categories")
SHARDS = ("proposals", "selections", "trails", "pseudo_labels", "grades", "objects")


def _mask(x1: int) -> Row:
    mask = np.zeros((1, 20, 30), dtype=np.uint8)
    mask[0, 2:12, 3:x1] = 1
    box = [3.0, 2.0, float(x1), 12.0]
    return {"rle": masks_to_rles(mask)[0]["counts"], "box": box, "height": 20, "width": 30}


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """Tables of two objects in one photograph, the second with a doubtful mask."""
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (30, 20), (90, 120, 90)).save(folder / "a.png")
    digest = hashlib.sha256((folder / "a.png").read_bytes()).hexdigest()
    image = image_row(4, file_name="a.png", height=20, width=30, digest=digest)
    bags = [proposal_row(4, n, k, **_mask(x1)) for n in (7, 8) for k, x1 in enumerate((9, 25))]
    scores = [selection_row(4, n, k, selected=k == 1) for n in (7, 8) for k in (0, 1)]
    results = [
        pseudo_label_row(4, n, label_ids=[n], proposal_id=1, mask_quality=q, **_mask(25))
        for n, q in ((7, 0.9), (8, 0.2))
    ]
    rows: dict[str, tuple[Any, list[Row]]] = {
        "images": (IMAGES, [image]),
        "categories": (CATEGORIES, [category_row(1, name=HOSTILE)]),
        "weak_labels": (
            WEAK_LABELS,
            [label_row(4, n, x=5.0, y=6.0) for n in (7, 8)],
        ),
        "proposals": (PROPOSALS, bags),
        "selections": (SELECTIONS, scores),
        "trails": (TRAIL, [trail_row(4, n, 0, note="because") for n in (7, 8)]),
        "pseudo_labels": (PSEUDO_LABELS, results),
        "grades": (GRADES, own_grades(results)),
        "objects": (
            JUDGED_OBJECTS,
            [
                {"image_id": 4, "instance_id": 7, "mask_iou": 0.75},
                {"image_id": 4, "instance_id": 8, "mask_iou": 0.25},
            ],
        ),
    }
    for name, (record, values) in rows.items():
        write_rows(tmp_path / f"{name}.parquet", record, values)
    return tmp_path


def _run(folder: Path, **settings: Any) -> Path:
    words = [f"--{name.replace('_', '-')}={folder / name}.parquet" for name in TABLES + SHARDS]
    places = ["--image-folder", str(folder / "images"), "--out", str(folder / "report")]
    report.main([*words, *places, "--facts", json.dumps(FACTS), "--settings", json.dumps(settings)])
    return folder / "report"


def _handed(text: str) -> Any:
    """What the last script of a text hands to the page."""
    call = text[text.rindex("maskmill(") :]
    return json.JSONDecoder().raw_decode(call[call.index(",") + 1 :])[0]


def test_the_page_has_each_label_with_picture_trail_and_iou(finished: Path) -> None:
    page = _run(finished)
    text = (page / "index.html").read_text(encoding="utf-8")
    cards = _handed(text)["cards"]
    assert [(card["n"], card["q"], card["u"]) for card in cards] == [(7, 0.9, 0.75), (8, 0.2, 0.25)]
    assert all(card["k"] == "point" and card["m"].startswith("M") for card in cards)
    assert "2 masks in 1 images, mean mask IoU 0.500" in text
    backs = _handed((page / "trails" / "00000.js").read_text())
    assert [one["mark"] for one in backs[0]["proposals"]] == ["", "chosen"]
    assert "because" in backs[1]["steps"][0]
    for index, card in enumerate(cards):
        pixels = cv2.imread(str(page / "pictures" / "000" / f"{index:06d}.jpg"))
        assert pixels.shape[:2] == (card["h"], card["w"])


def test_the_most_doubtful_are_shown_where_not_all_are(finished: Path) -> None:
    text = (_run(finished, cards=1) / "index.html").read_text(encoding="utf-8")
    assert [card["n"] for card in _handed(text)["cards"]] == [8]
    assert "1 of 2 labels are shown, half of them the most doubtful." in text


def test_names_of_strangers_are_text(finished: Path) -> None:
    text = (_run(finished) / "index.html").read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert "&lt;b&gt;dog&lt;/b&gt;" in text


def test_equal_runs_give_equal_bytes_and_replace_what_was_there(finished: Path) -> None:
    page = _run(finished)
    first = {path.relative_to(page): path.read_bytes() for path in page.rglob("*.*")}
    (page / "old.jpg").write_bytes(b"")
    again = {path.relative_to(page): path.read_bytes() for path in _run(finished).rglob("*.*")}
    assert again == first


def test_a_photograph_that_is_gone_is_one_sentence_and_leaves_no_half_page(finished: Path) -> None:
    shutil.rmtree(finished / "images")
    with pytest.raises(ValueError, match=r"a\.png: this file is missing"):
        _run(finished)
    assert not (finished / "report").exists()
