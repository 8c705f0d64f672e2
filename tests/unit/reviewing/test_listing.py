"""The list of doubtful labels: its order, its words, and what a spreadsheet makes of it."""

import csv
import io
import json
from pathlib import Path

from stages.formats.pseudo_label_file import opened_labels
from stages.reviewing.listing import (
    CLEAR,
    HEADS,
    csv_text,
    doubts,
    image_order,
    in_words,
    json_text,
)
from tests.handed_out import graded, handed_out
from tests.written_labels import CATEGORIES, IMAGES, write_labels


def test_no_labels_make_an_empty_list(tmp_path: Path) -> None:
    found, of = doubts(opened_labels(handed_out(tmp_path, []), "keep"), 9)
    assert (found, of) == ([], 0)
    assert csv_text(found) == ",".join(HEADS) + "\n"
    assert json.loads(json_text(found, of)) == {"labels": [], "of": 0}


def test_the_worst_come_first_with_their_reasons_in_words(tmp_path: Path) -> None:
    found, of = doubts(opened_labels(handed_out(tmp_path), "keep"), 9)
    assert [doubt.annotation_id for doubt in found] == [12, 13, 21, 11]
    assert of == 4
    assert found[0].category == "dog & <co>"
    assert found[0].reasons == "the masks of its bag are very different; it falls into pieces"
    assert found[1].reasons == CLEAR
    assert image_order(found, 9) == [4, 7]
    assert image_order(found, 1) == [4]


def test_of_equal_ones_the_lower_score_then_the_first_comes_first(tmp_path: Path) -> None:
    entries = [graded(31, 4), graded(32, 4, score=0.25), graded(33, 4)]
    found, _ = doubts(opened_labels(handed_out(tmp_path, entries), "keep"), 2)
    assert [doubt.annotation_id for doubt in found] == [32, 31]


def test_masks_that_a_person_gave_are_not_asked_about(tmp_path: Path) -> None:
    given = graded(31, 4)
    given["quality"]["mask_source"] = "given"
    found, of = doubts(opened_labels(handed_out(tmp_path, [given, graded(32, 4)]), "keep"), 9)
    assert ([doubt.annotation_id for doubt in found], of) == ([32], 1)


def test_names_of_strangers_are_no_formulas_and_keep_their_commas(tmp_path: Path) -> None:
    images = [{**IMAGES[0], "file_name": '=1+1,"x".png'}]
    path = write_labels(tmp_path, [graded(11, 4)], images, CATEGORIES)
    found, _ = doubts(opened_labels(path, "keep"), 9)
    [row] = csv.DictReader(io.StringIO(csv_text(found)))
    assert row["file_name"] == '\'=1+1,"x".png'
    assert json.loads(json_text(found, 1))["labels"][0]["file_name"] == '=1+1,"x".png'


def test_evidence_of_another_grader_is_told_by_its_name() -> None:
    assert in_words(["hearsay"]) == "hearsay"
