"""The Markdown of labels matched by IoU: whole tables, and what was not measured is not there."""

from typing import Any

from stages.metrics.detectors import detectors
from stages.metrics.matched_ablation import matched_ablation
from stages.reporting.matched_table import HEADS, MOST_CLASSES, matched_table
from tests.matched import matched
from tests.measured import detected


def numbers(seeds: int = 2, *, tagged: bool = True, detector: float | None = None) -> Any:
    runs = {
        name: [matched(seed, shift, tagged=tagged) for seed in range(seeds)]
        for name, shift in {"top1": 6, "adaptive|b": 2}.items()
    }
    over = {"adaptive|b": "top1", "top1": "grid"}
    scored = {}
    if detector is not None:
        scored = {
            name: [{**c, "detector": detected(detector)} for c in column]
            for name, column in runs.items()
        }
    table = detectors(scored, "full", over)
    return {"seeds": [*range(seeds)], **matched_ablation(runs, over), "detectors": table}


def lines_of(text: str, start: str) -> list[list[str]]:
    found = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in found]


def test_every_line_of_a_table_has_as_many_cells_as_its_head() -> None:
    for block in matched_table(numbers(detector=0.3)).split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        counts = {line.replace(r"\|", "").count("|") for line in lines}
        assert len(counts) <= 1


def test_labels_detections_and_proposals_have_a_row_for_each_variant() -> None:
    text = matched_table(numbers())
    labels, boxes, proposals, *_ = lines_of(text, "**top1**")
    assert labels[4] == "50.0 ± 0.0"
    assert boxes[2].startswith("100.0")
    assert proposals[-1] == "8.0 ± 0.0"
    assert "seeds: 0, 1; images: 3; objects: 12." in text
    assert all(head in text for head in HEADS.values())


def test_gains_stand_with_their_seeds_and_names_cannot_break_a_table() -> None:
    text = matched_table(numbers())
    gains = lines_of(text, r"**adaptive\|b** over top1")
    assert gains[0][4] == "+30.00 ± 0.00 (2/2) \\*"
    assert gains[2][-1] == "+0.0 ± 0.0 (0/2)"
    assert "- top1 is not compared, since grid is not among the variants." in text


def test_classes_stand_side_by_side_by_their_names() -> None:
    text = matched_table(numbers()).split("## By class")[1]
    assert r"|  | cat | a\|dog |" in text
    assert text.count("CorLoc, in %.") == 1
    many = numbers(1)
    entry = many["matched_rows"][0]["by_class"]["3"]
    many["matched_rows"][0]["by_class"] = {str(k): entry for k in range(MOST_CLASSES + 1)}
    assert "25 classes: see by_class of ablation.json." in matched_table(many)


def test_labels_of_points_have_no_table_of_detections() -> None:
    text = matched_table(numbers(1, tagged=False))
    assert "## Detections" not in text
    assert "## Labels" in text
    assert " ± " not in text.split("## By class")[1]


def test_detectors_stand_below() -> None:
    text = matched_table(numbers(detector=0.3))
    assert lines_of(text.split("## Detectors")[1], "**top1**")[0][-2] == "50.0 ± 0.0"
