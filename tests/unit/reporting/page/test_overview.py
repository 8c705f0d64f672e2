"""overview: counts and means by class, by what was given and by source."""

from stages.reporting.page.overview import Labelled, Overview, weak_label_counts


def test_each_table_has_every_label_once() -> None:
    overview = Overview()
    for category, kind, iou in (("cat", "point", 0.5), ("cat", "box", None), ("dog", "box", 1.0)):
        overview.add(Labelled(category, kind, "proposal", 0.25, 0.5, iou))
    tables = {table["title"]: table["rows"] for table in overview.tables()}
    assert [(row["name"], row["labels"], row["iou"]) for row in tables["class"]] == [
        ("cat", 2, 0.5),
        ("dog", 1, 1.0),
    ]
    assert [row["name"] for row in tables["what was given"]] == ["box", "point"]
    (row,) = tables["source of the mask"]
    assert row == {"name": "proposal", "labels": 3, "score": 0.25, "quality": 0.5, "iou": 0.75}
    assert overview.all.row("all")["labels"] == 3


def test_what_rests_on_nothing_is_none() -> None:
    row = Overview().all.row("all")
    assert row["labels"] == 0
    assert row["score"] is row["quality"] is row["iou"] is None


def test_deleted_labels_are_counted_apart() -> None:
    rows = [
        {"kind": "point", "status": "given"},
        {"kind": "point", "status": "deleted"},
        {"kind": "tag", "status": "accepted"},
    ]
    assert weak_label_counts(rows) == {"deleted": 1, "point": 1, "tag": 1}
