"""Sections that do not go together, from plain values."""

from typing import Any

import pytest

from stages.settings.box_rules import box_faults
from stages.settings.config import Config
from stages.settings.rules import run_faults, section_faults
from stages.settings.section import to_values

SEGMENTERS = [  # propose.segmenter, select.method, features from, whether they go together
    ("sam", "psm", "sam", True),
    ("flood", "psm", "resnet18", True),
    ("flood", "largest", "sam", True),  # nobody looks at features
    ("flood", "psm", "sam", False),
    ("transformers", "psm", "transformers", True),
    ("transformers", "psm", "resnet18", True),
]
FROZEN = [  # propose.segmenter, features.path, whether features from transformers are to be had
    ("sam", None, False),
    ("sam", "folder", True),
    ("transformers", "folder", True),
]


@pytest.mark.parametrize(("segmenter", "path", "fits"), FROZEN)
def test_a_folder_of_its_own_serves_features_beside_any_segmenter(
    segmenter: str, path: str | None, *, fits: bool
) -> None:
    config = to_values(Config())
    config["propose"]["segmenter"] = segmenter
    config["select"]["psm"]["features"].update(source="transformers", path=path)
    said = " ".join(run_faults(config))
    assert (said == "") == fits
    assert fits or "source: transformers, but propose.segmenter is sam" in said


@pytest.mark.parametrize(("segmenter", "method", "source", "fits"), SEGMENTERS)
def test_features_come_from_the_segmenter_that_is_asked(
    segmenter: str, method: str, source: str, *, fits: bool
) -> None:
    config = to_values(Config())
    config["propose"]["segmenter"] = segmenter
    config["select"]["method"] = method
    config["select"]["psm"]["features"]["source"] = source
    config["refine"]["method"] = "prm" if method == "psm" else "as_it_is"
    said = " ".join(run_faults(config))
    assert ("features.source: sam, but propose.segmenter is flood" not in said) == fits
    assert (said == "") == fits


MATCHED = [  # prepare.labels, dataset.ground_truth, evaluate.match, whether they go together
    ("point", True, "instance", True),
    ("tag", True, "iou", True),
    ("tag", False, "instance", True),
    ("point", True, "iou", True),
    ("tag", True, "auto", True),
    ("tag", True, "instance", False),
]


@pytest.mark.parametrize(("labels", "truth", "match", "fits"), MATCHED)
def test_labels_of_tags_are_scored_by_iou(
    labels: str, match: str, *, truth: bool, fits: bool
) -> None:
    config = to_values(Config())
    config["prepare"]["labels"], config["evaluate"]["match"] = labels, match
    config["dataset"]["ground_truth"] = truth
    said = " ".join(run_faults(config))
    assert ("prepare.labels is tag, but evaluate.match is instance" not in said) == fits


def test_a_variant_that_learns_from_tags_is_scored_by_iou() -> None:
    config = to_values(Config())
    config["variants"] = {"born": {"prepare": {"labels": "tag"}}}
    config["evaluate"]["match"] = "instance"
    said = " ".join(run_faults(config))
    assert "variants.born: prepare.labels is tag" in said
    assert "set evaluate.match: iou" in said


BOXES: list[tuple[dict[str, Any], str]] = [  # changes to a config of boxes, what is said or ""
    ({}, ""),
    ({"segmenter": "filled"}, ""),
    ({"segmenter": "grabcut", "zoom": True}, ""),
    ({"segmenter": "sam", "labels": "point", "zoom": True}, ""),
    ({"segmenter": "grabcut", "labels": "point", "sources": ["grid"]}, ""),  # say, boxes of points
    ({"segmenter": "grabcut", "labels": "given"}, ""),
    ({"segmenter": "filled", "labels": "box_and_point", "together": True}, ""),
    ({"segmenter": "filled", "labels": "box_and_point"}, "prepare.labels is box_and_point; set"),
    ({"segmenter": "filled", "labels": "point", "together": True}, "prepare.labels is point; set"),
    (
        {"segmenter": "grabcut", "labels": "point"},
        "grabcut answers boxes alone, but prepare.labels",
    ),
    (
        {"segmenter": "filled", "labels": "tag"},
        "boxes alone, but prepare.labels is tag; set prepare",
    ),
    (
        {"segmenter": "ellipse", "zoom": True},
        "propose.segmenter is ellipse, which does not look at",
    ),
    ({"segmenter": "sim"}, ""),
    ({"segmenter": "sim", "refine": "sim"}, ""),
    ({"segmenter": "sam", "refine": "sim"}, "refine.method: sim corrects what SIM's teacher"),
    ({"segmenter": "sim", "labels": "point"}, "sim answers boxes alone, but prepare.labels"),
    (
        {"segmenter": "sim", "zoom": True},
        "refine.zoom.enabled: true, but propose.segmenter is sim, which answers what it has",
    ),
    ({"segmenter": "saliency"}, "propose.saliency.checkpoint: null, but propose.segmenter is sali"),
    ({"segmenter": "saliency", "checkpoint": "net.onnx"}, ""),
]


@pytest.mark.parametrize(("changes", "sentence"), BOXES)
def test_segmenters_of_boxes_are_asked_about_boxes(changes: dict[str, Any], sentence: str) -> None:
    config = to_values(Config())
    config["prepare"]["labels"] = changes.get("labels", "box")
    config["evaluate"]["match"] = "iou"
    labels = {"source": "labels", "together": changes.get("together", False)}
    config["prompt"]["sources"] = [{"source": "grid"}] if "sources" in changes else [labels]
    config["propose"]["segmenter"] = changes.get("segmenter", "sam")
    config["propose"]["saliency"]["checkpoint"] = changes.get("checkpoint")
    config["select"]["method"] = "sam_top1"
    config["refine"]["method"] = changes.get("refine", "as_it_is")
    config["refine"]["zoom"]["enabled"] = changes.get("zoom", False)
    said = [*section_faults(config), *box_faults(config)]
    assert len(said) == bool(sentence)
    assert sentence in " ".join(said)


@pytest.mark.parametrize("is_named", [False, True])
def test_close_ups_that_nobody_names_do_not_forbid_a_segmenter(*, is_named: bool) -> None:
    config = to_values(Config())
    config["prepare"]["labels"], config["propose"]["segmenter"] = "box", "filled"
    config["select"]["method"] = "sam_top1"
    config["refine"]["method"] = "as_it_is"
    config["refine"]["zoom"]["enabled"] = False
    config["variants"] = {"mine": {"refine": {"zoom": {"enabled": True}}}}
    config["report"].update(variants=["mine"] if is_named else [], detectors=[])
    said = list(run_faults(config))
    assert len(said) == is_named
    assert all(fault.startswith("variants.mine: refine.zoom.enabled") for fault in said)


TOGETHER = [  # prepare.labels, select.method, refine.method, the key that is named or ""
    ("tag", "oicr", "adaptive_pgt", ""),
    ("given", "mist", "top1_pgt", ""),
    ("tag", "largest", "top1_pgt", ""),
    ("point", "psm", "prm", ""),
    ("point", "oicr", "adaptive_pgt", "set prepare.labels to tag"),
    ("box", "mist", "top1_pgt", "set prepare.labels to tag"),
    ("tag", "oicr", "prm", "set refine.method to adaptive_pgt or top1_pgt"),
    ("tag", "mist", "as_it_is", "set refine.method to adaptive_pgt or top1_pgt"),
    ("point", "psm", "adaptive_pgt", "set select.method to oicr or mist or clue_top1"),
]


@pytest.mark.parametrize(("labels", "select", "refine", "remedy"), TOGETHER)
def test_methods_of_tags_go_with_each_other(
    labels: str, select: str, refine: str, remedy: str
) -> None:
    config = to_values(Config())
    config["prepare"]["labels"] = labels
    config["select"]["method"], config["refine"]["method"] = select, refine
    config["evaluate"]["match"] = "iou"
    said = list(section_faults(config))
    assert len(said) == bool(remedy)
    assert remedy in " ".join(said)
