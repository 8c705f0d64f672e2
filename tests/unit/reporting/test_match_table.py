"""Blocks of what was measured by IoU, by the names of classes; what is not there is not printed."""

from stages.reporting.match_table import is_matched, match_blocks, tag_lines
from stages.reporting.metrics_table import metrics_table
from tests.matched import matched


def test_nothing_measured_gives_no_blocks() -> None:
    nothing = {**matched(0, 2), "label_match": None, "proposals": None, "wsod": None}
    assert not is_matched(nothing)
    assert match_blocks(nothing) == []
    assert tag_lines({}) == []


def test_every_part_has_a_block_and_its_classes_by_name() -> None:
    text = metrics_table(matched(0, 2))
    assert "12 labels, 12 objects in 3 images" in text
    assert "Proposals: 8.000 an image in 3 images, 0 without any" in text
    rows = [line.split() for line in text.splitlines()]
    assert next(row for row in rows if row[:1] == ["masks"])[1:8] == [
        *("12", "0", "0", "1.000", "1.000", "1.000"),
        "0.800",
    ]
    assert sum(row[:1] == ["cat"] for row in rows) == 3
    assert next(row for row in rows if row[:2] == ["refined", "score"])[2] == "1.000"
    assert "Label quality" not in text


def test_a_class_without_a_name_bears_its_number() -> None:
    metrics = {**matched(0, 2), "categories": {}}
    assert any(line.startswith("8 ") for line in metrics_table(metrics).splitlines())


def test_tags_that_do_not_fit_are_told() -> None:
    counts = {"tags": 9, "images": 4, "without_label": 2, "without_object": 0, "untagged": 0}
    (line,) = tag_lines({"tags": counts})
    assert line == "Tags: 9 in 4 images, 2 of them without any label of their class."
    (line,) = tag_lines({"tags": {**counts, "without_label": None, "untagged": 3}})
    assert line == ("Tags: 9 in 4 images; 3 objects are of a class that their image has no tag of.")
    (line,) = tag_lines({"tags": {"tags": 9, "images": 4, "labels": 5}})
    assert line.startswith("5 pseudo-labels of 9 tags in 4 images")
