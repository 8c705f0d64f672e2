from pathlib import Path
from typing import Any

import pytest

from stages.settings.check import check
from stages.settings.config import Config
from stages.settings.refuse import refuse
from stages.settings.section import to_values

SCHEMA = Path(__file__).resolve().parents[3] / "workflow" / "schemas" / "config.schema.yaml"


def _with(changes: dict[str, Any]) -> dict[str, Any]:
    """The default config with the values at these dotted keys."""
    config = to_values(Config())
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        node = config
        for key in path:
            node = node[key]
        node[last] = value
    return config


def test_an_empty_config_and_the_defaults_are_fine() -> None:
    refuse({}, SCHEMA)
    refuse(_with({}), SCHEMA)
    check(_with({}))


SPLIT = {"images": "a", "annotations": "b"}
WRONG = [
    ({"shard": 3}, r"unknown key shard \(did you mean shards\?\)"),
    ({"select.trainin": {}}, r"unknown key select\.trainin \(did you mean training\?\)"),
    ({"select.pdg.zzzzzz": 1}, r"unknown key select\.pdg\.zzzzzz\. See"),
    ({"shards": 0}, "shards: must be at least 1, seen 0"),
    ({"shards": 1001}, "shards: must be at most 1000, seen 1001"),
    ({"shards": "2"}, "shards: must be a whole number, seen '2'"),
    ({"shards": 2.5}, "shards: must be a whole number, seen 2.5"),
    ({"train.lr": "1e-3"}, r"train\.lr: must be a number, seen '1e-3' \(write 0\.001\)"),
    ({"train.lr": 0}, "train.lr: must be more than 0, seen 0"),
    ({"train.momentum": 1}, "train.momentum: must be less than 1, seen 1"),
    ({"train.fpn_channels": 17}, "train.fpn_channels: must be a multiple of 16, seen 17"),
    ({"train.enabled": "yes"}, "train.enabled: must be true or false, seen 'yes'"),
    ({"device": "gpu"}, "device: must be one of cpu, cuda, auto, seen 'gpu'"),
    ({"run": "a/b"}, "run: must match .* seen 'a/b'"),
    ({"run": ""}, "run: must match"),
    ({"select": 5}, "select: must be a section of keys, seen 5"),
    ({"select": None}, "select: must be a section of keys, seen None"),
    ({"propose.sha256": 5}, "propose.sha256: must be text or null, seen 5"),
    ({"dataset.train": {"images": "a"}}, "dataset.train lacks annotations"),
    ({"dataset.train": {**SPLIT, "image": 1}}, r"dataset\.train\.image \(did you mean images\?\)"),
    ({"dataset.train": "here"}, "dataset.train: must be a section of keys or null, seen 'here'"),
    ({"propose.prompts": []}, "propose.prompts: "),
    ({"propose.prompts": [{"count": 1}]}, r"propose\.prompts\.0 lacks source"),
    ({"a": 1, "b": 2}, "unknown key a; unknown key b"),
    (
        {"variants": {"x": {"select": {"pgd": {}}}}},
        r"variants\.x: unknown key select\.pgd \(did you mean pdg\?\)",
    ),
    ({"variants": {"x": {"prepare": {}}}}, r"unknown key variants\.x\.prepare"),
    (
        {"variants": {"x": {"train": {"roi_drop": {"mode": "all"}}}}},
        r"variants\.x: train\.roi_drop\.mode: must be one of any, both, seen 'all'",
    ),
    ({"export": {"transforms": [{}]}}, r"export\.transforms\.0 lacks name"),
    (
        {"export": {"transforms": [{"name": "merge"}]}},
        r"export\.transforms\.0\.name: must be one of merge_smaller, agreement, drop_below",
    ),
    (
        {"variants": {"x": {"refine": {"alpha": 2}}}},
        r"variants\.x: refine\.alpha: must be at most 1, seen 2",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), WRONG, ids=[str(c) for c, _ in WRONG])
def test_the_schema_refuses_in_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        refuse(_with(changes), SCHEMA)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("See workflow/schemas/config.schema.yaml.")


CROSS = [
    ({"variant": "propose"}, "variant: 'propose' is a folder that all variants share"),
    ({"dataset.source": "files"}, "dataset.train is missing, but dataset.source is files"),
    ({"dataset.train": SPLIT}, "dataset.train is given, but dataset.source is partworld"),
    ({"propose.prompts": [{"source": "boxes"}]}, "the first source, and no other, must be point"),
    ({"propose.prompts": [{"source": "point"}] * 2}, "the first source, and no other"),
    ({"select.features.short_side": 600}, "select.features: short_side 600 is more than long_side"),
    ({"train.short_side": 300}, "train: short_side 300 is more than long_side 256"),
    ({"train.milestones": [0.9, 0.5]}, r"train\.milestones: \[0\.9, 0\.5\] must rise"),
    ({"refine.training.milestones": [8, 10]}, r"refine\.training\.milestones: \[8, 10\] must rise"),
    ({"refine.bms.t_min2": 0.7}, "refine.bms: t_min2 0.7 is more than t_min1 0.6"),
    ({"train.norm": "frozen_batch"}, "train.norm: frozen_batch learns nothing without"),
    ({"select.method": "sam_top1"}, "refine.method: prm starts from PSM, but select.method is"),
    ({"report.variants": ["ful"]}, "report.variants: there is no variant 'ful'; known are sapnet,"),
    ({"report.detectors": ["x"]}, "report.detectors: there is no variant 'x'; .*fully_supervised"),
    ({"report.variants": ["mil", "mil"]}, "report.variants: .* names one twice"),
    ({"report.detector_seeds": [4]}, r"report.detector_seeds: 4 is not among report.seeds \[0, 1"),
    ({"variants.a/b": {}}, "variants.a/b: choose another name, of letters, digits"),
    ({"variants.report": {}}, "variants.report: choose another name"),
    ({"variants.x": {"over": "y"}}, "variants.x.over: there is no variant 'y'"),
    ({"variants.x": {"of": "y"}}, "variants.x.of: there is no variant 'y'"),
    ({"train.roi_drop.enabled": True}, r"train\.roi_drop\.start is missing"),
    (
        {"train.roi_drop": {"enabled": True, "start": 400}},
        r"train\.roi_drop\.start 400 is not before the end .* train\.iterations is 400",
    ),
    (
        {"train.multi_mask.enabled": True, "export.extra_masks": 0},
        r"train\.multi_mask is enabled, but export\.extra_masks is 0",
    ),
    (
        {"variants.x": {"train": {"roi_drop": {"enabled": True}}}},
        r"variants\.x: train\.roi_drop\.start is missing",
    ),
    (
        {"variants.x": {"train": {"engine": "detectron2"}}},
        r"variants\.x\.train\.engine: this is the same for all variants .* set train\.engine",
    ),
    (
        {"variants.x": {"select": {"training": {"processes": 2}}}},
        r"variants\.x\.select\.training\.processes: this is the same for all variants",
    ),
    (
        {"variants.x": {"of": "fully_supervised"}, "report.variants": ["x"]},
        r"report\.variants: x learns from the ground truth and has no labels to compare",
    ),
    (
        {"variants.x": {"select": {"method": "largest"}}},
        "variants.x: refine.method: prm starts from PSM, but select.method is largest",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), CROSS, ids=[str(c) for c, _ in CROSS])
def test_rules_across_keys_refuse_in_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    config = _with(changes)
    refuse(config, SCHEMA)
    with pytest.raises(ValueError, match=sentence) as caught:
        check(config)
    assert "\n" not in str(caught.value)
