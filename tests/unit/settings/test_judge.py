"""A fault and its sentence: the same from the judge of the Snakefile and from a stage's parser."""

import copy
import json
import re
from typing import Any

import pytest

from stages.formats.format import FORMATS
from stages.learning.features import FEATURES
from stages.methods.prompter import PROMPTERS
from stages.methods.refiner import REFINERS
from stages.methods.selector import SELECTORS
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.config import Config
from stages.settings.judge import judged
from stages.settings.readers import SECTIONS
from stages.settings.section import from_json, to_values

SPLIT = {"images": "a", "annotations": "b"}
SALIENT = {"images": "a", "masks": "b"}
DEFAULTS = to_values(Config())


def with_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """The default config with the values at these dotted keys."""
    config = copy.deepcopy(DEFAULTS)
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        node = config
        for key in path:
            node = node[key]
        node[last] = value
    return config


def test_an_empty_config_is_the_default_one() -> None:
    assert judged({}) == DEFAULTS == judged(DEFAULTS)


PROMPTS, TRANSFORMS = "propose.prompts", "export.transforms"
LABEL = {"source": "label"}
# dotted key of a section, its value, what is said
OF_A_SECTION: list[tuple[str, Any, str]] = [
    ("select.trainin", {}, "unknown key select.trainin. See"),
    ("select.psm.trainin", {}, "unknown key select.psm.trainin (did you mean training?)"),
    ("select.psm.pdg.zzzzzz", 1, "unknown key select.psm.pdg.zzzzzz. See"),
    ("select.boxinst", {}, "unknown key select.boxinst"),
    ("select.sam_top1", {}, "unknown key select.sam_top1"),
    (
        "select.method",
        "boxinst",
        f"select.method: must be one of {', '.join(SELECTORS)}, seen 'boxinst'",
    ),
    ("refine.method", "mil", f"refine.method: must be one of {', '.join(REFINERS)}, seen 'mil'"),
    ("propose.segmenter", "fast", f"must be one of {', '.join(SEGMENTERS)}, seen 'fast'"),
    ("select.psm.features.source", "vgg", f"must be one of {', '.join(FEATURES)}, seen 'vgg'"),
    ("train.lr", "1e-3", "train.lr: must be a number, seen '1e-3' (write 0.001)"),
    ("train.lr", 0, "train.lr: must be more than 0, seen 0"),
    ("train.lr", True, "train.lr: must be a number, seen True"),
    ("train.lr", float("nan"), "train.lr: must be a finite number, seen nan"),
    ("train.lr", None, "train.lr: must be a number, seen None"),
    ("train.momentum", 1, "train.momentum: must be less than 1, seen 1"),
    ("train.fpn_channels", 17, "train.fpn_channels: must be a multiple of 16, seen 17"),
    ("train.enabled", "yes", "train.enabled: must be true or false, seen 'yes'"),
    ("train.enabled", 1, "train.enabled: must be true or false, seen 1"),
    ("train.iterations", "5", "train.iterations: must be a whole number, seen '5' (write 5)"),
    ("train.iterations", 2.5, "train.iterations: must be a whole number, seen 2.5"),
    ("train.iterations", False, "train.iterations: must be a whole number, seen False"),
    ("refine.prm.alpha", 2, "refine.prm.alpha: must be at most 1, seen 2"),
    ("evaluate.recall_points", 12, "evaluate.recall_points: must be one of 11, 101, 1001, seen 12"),
    ("select.psm", 5, "select.psm: must be a section of keys, seen 5"),
    ("select.psm", None, "select.psm: must be a section of keys, seen None"),
    ("propose.sam.sha256", 5, "propose.sam.sha256: must be text or null, seen 5"),
    ("train.milestones", 0.5, "train.milestones: must be a list, seen 0.5"),
    ("train.milestones", [0.5, "x"], "train.milestones.1: must be a number, seen 'x'"),
    ("refine.prm.bms.stages", ["mil"], "refine.prm.bms.stages.0: must be one of psm, prm, seen"),
    (
        "prepare.labels",
        "mask",
        "prepare.labels: must be one of given, point, box, box_and_point, tag, seen 'mask'",
    ),
    ("prompt.sources", [], "prompt.sources: needs as many entries as 1, seen []"),
    (
        "prompt.sources",
        [{"source": "cam"}],
        f"0.source: must be one of {', '.join(PROMPTERS)}, seen",
    ),
    (PROMPTS, [], "propose.prompts: needs as many entries as 1, seen []"),
    (PROMPTS, [{"count": 1}], "propose.prompts.0 lacks source"),
    (PROMPTS, [{**LABEL, "count": 2}], "unknown key propose.prompts.0.count"),
    (PROMPTS, [LABEL, {"source": "boxes", "cout": 2}], "1.cout (did you mean count?)"),
    (PROMPTS, [LABEL, {"source": "boxes", "count": 4}], "prompts.1.count: must be at most 3, seen"),
    (PROMPTS, [{"source": "dots"}], "0.source: must be one of label, inner_points, boxes, seen"),
    (TRANSFORMS, [{}], "export.transforms.0 lacks name"),
    (
        TRANSFORMS,
        [{"name": "merge"}],
        "0.name: must be one of merge_smaller, agreement, drop_below",
    ),
    (
        TRANSFORMS,
        [{"name": "drop_below", "threshold": 0.9}],
        "unknown key export.transforms.0.thre",
    ),
    (
        TRANSFORMS,
        [{"name": "merge_smaller", "score": 0.9}],
        "unknown key export.transforms.0.score",
    ),
    (TRANSFORMS, ["merge"], "export.transforms.0: "),
]
OLD: list[tuple[str, Any, str]] = [
    ("select.features", {}, "select.features is now select.psm.features"),
    ("select.training", {}, "select.training is now select.psm.training"),
    ("refine.npg", {}, "refine.npg is now refine.prm.npg"),
    ("refine.fit", "joint", "refine.fit is now refine.prm.fit"),
    ("refine.bms", {}, "refine.bms is now refine.prm.bms, and refine.as_it_is.bms where"),
    ("refine.method", "none", "refine.method: none is now as_it_is"),
    ("propose.model", "vit_h", "propose.model is now propose.sam.model"),
    ("propose.checkpoint", "x", "propose.checkpoint is now propose.sam.checkpoint"),
    ("prepare.point", "given", "prepare.point: given is now prepare.labels: point, which"),
    (PROMPTS, [{"source": "point", "scale": 2}], "prompts.0.source: point is now label. See"),
]
RULES: list[tuple[str, Any, str]] = [
    (PROMPTS, [{"source": "boxes"}], "the first source, and no other, must be label, seen [boxes]"),
    (PROMPTS, [LABEL, LABEL], "propose.prompts: the first source, and no other, must be label"),
    (
        "prompt.sources",
        [{"source": "labels"}] * 2,
        "prompt.sources: [labels, labels] names one twi",
    ),
    (
        "select.psm.features.short_side",
        600,
        "select.psm.features: short_side 600 is more than long",
    ),
    ("train.short_side", 300, "train: short_side 300 is more than long_side 256; swap them."),
    ("evaluate.sizes", [0.2, 0.1], "evaluate.sizes: [0.2, 0.1] must rise between 0 and 1"),
    ("evaluate.sizes", [0.1, 0.1], "evaluate.sizes: [0.1, 0.1] must rise between 0 and 1, each"),
    ("evaluate.sizes", [0.0, 0.1], "evaluate.sizes: [0.0, 0.1] must rise between 0 and 1"),
    ("evaluate.sizes", [0.1, 1.0], "evaluate.sizes: [0.1, 1.0] must rise between 0 and 1"),
    ("evaluate.sizes", [], "evaluate.sizes: "),
    ("train.milestones", [0.9, 0.5], "train.milestones: [0.9, 0.5] must rise from above 0 to 1"),
    ("train.milestones", [0.9, -3], "train.milestones: [0.9, -3.0] must rise"),
    ("refine.prm.training.milestones", [8, 10], "refine.prm.training.milestones: [8.0, 10.0] must"),
    ("refine.prm.bms.t_min2", 0.7, "refine.prm.bms: t_min2 0.7 is more than t_min1 0.6; the rule"),
    ("refine.as_it_is.bms.t_min2", 1, "refine.as_it_is.bms: t_min2 1 is more than t_min1 0.6"),
    ("train.norm", "frozen_batch", "train.norm: frozen_batch learns nothing without trained stati"),
    ("train.roi_drop", {"enabled": True}, "train.roi_drop.start is missing, but train.roi_drop is"),
    (
        "train.roi_drop",
        {"enabled": True, "start": 1200},
        "train.roi_drop.start 1200 is not before the end of the training; train.iterations is 1200",
    ),
    ("report.variants", ["mil", "mil"], "report.variants: ['mil', 'mil'] names one twice"),
    ("report.detector_seeds", [4], "report.detector_seeds: 4 is not among report.seeds [0, 1, 2]"),
]
SECTION_FAULTS = [*OF_A_SECTION, *OLD, *RULES]
OF_A_VARIANT = [
    (key, value, sentence)
    for key, value, sentence in SECTION_FAULTS
    if key.split(".")[0] not in ("evaluate", "report") and value == value  # not nan
]


@pytest.mark.parametrize(
    ("key", "value", "sentence"), SECTION_FAULTS, ids=[f"{k}={v}" for k, v, _ in SECTION_FAULTS]
)
def test_snakefile_and_stage_refuse_in_the_same_sentence(
    key: str, value: Any, sentence: str
) -> None:
    config, section = with_changes({key: value}), key.split(".")[0]
    with pytest.raises(ValueError, match=re.escape(sentence)) as judge:
        judged(config)
    with pytest.raises(ValueError, match=re.escape(sentence)) as parser:
        from_json(SECTIONS[section], json.dumps(config[section]), section)
    assert "\n" not in str(judge.value)
    assert str(parser.value) == f"config: {judge.value}"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    OF_A_VARIANT,
    ids=[f"{k}={v}" for k, v, _ in OF_A_VARIANT],
)
def test_a_variant_is_refused_as_the_config_is(key: str, value: Any, sentence: str) -> None:
    *path, last = key.split(".")
    entry: dict[str, Any] = {}
    node = entry
    for part in path:
        node = node.setdefault(part, {})
    node[last] = value
    with pytest.raises(ValueError, match=r"variants\.x: ") as caught:
        judged(with_changes({"variants.x": entry}))
    assert sentence in str(caught.value)


OF_THE_RUN: list[tuple[dict[str, Any], str]] = [
    ({"shard": 3}, "unknown key shard (did you mean shards?). See workflow/schemas/"),
    ({"shards": 0}, "shards: must be at least 1, seen 0"),
    ({"shards": 1001}, "shards: must be at most 1000, seen 1001"),
    ({"shards": "2"}, "shards: must be a whole number, seen '2' (write 2)"),
    ({"device": "gpu"}, "device: must be one of cpu, cuda, auto, seen 'gpu'"),
    ({"run": "a/b"}, "run: must match"),
    ({"run": ""}, "run: must match"),
    ({"select": 5}, "select: must be a section of keys, seen 5"),
    ({"a": 1, "b": 2}, "unknown key a; unknown key b"),
    ({"dataset.train": {"images": "a"}}, "dataset.train lacks annotations"),
    ({"dataset.train": {**SPLIT, "image": 1}}, "dataset.train.image (did you mean images?)"),
    (
        {"dataset.train": {**SPLIT, "format": "word"}},
        f"train.format: must be one of auto, {', '.join(FORMATS)}, seen 'word'",
    ),
    ({"dataset.train": "here"}, "dataset.train: must be a section of keys or null, seen 'here'"),
    ({"dataset.watch": "date"}, "dataset.watch: must be one of content, stat, seen 'date'"),
    ({"dataset.source": "files"}, "dataset.train is missing, but dataset.source is files"),
    ({"dataset.train": SPLIT}, "dataset.train is given, but dataset.source is partworld"),
    ({"dataset.partworld.look": "soft"}, "dataset.partworld.look: must be one of plain, hard"),
    ({"dataset.salient": {"images": "a"}}, "dataset.salient lacks masks"),
    ({"dataset.salient": {**SALIENT, "single": 95}}, "dataset.salient.single"),
    (
        {"dataset.salient": SALIENT, "dataset.partworld.salient": 9},
        "dataset.salient is given, and dataset.partworld.salient draws 9 images as well",
    ),
    (
        {"prepare.labels": "given", "prepare.mask_share": 0.1},
        "prepare.mask_share is 0.1, but prepare.labels is given, which derives no label",
    ),
    ({"dataset.salient": SALIENT}, "dataset.partworld.salient draws 3200 images as well"),
    ({"variant": "propose"}, "variant: 'propose' is a folder that all variants share"),
    ({"variant": "answers"}, "variant: 'answers' is a folder that all variants share"),
    ({"select.method": "sam_top1"}, "refine.method: prm starts from PSM, but select.method is"),
    (
        {"train.multi_mask.enabled": True, "export.extra_masks": 0},
        "train.multi_mask is enabled, but export.extra_masks is 0",
    ),
    ({"report.variants": ["ful"]}, "report.variants: there is no variant 'ful'; known are sapnet,"),
    ({"report.detectors": ["x"]}, "report.detectors: there is no variant 'x'; known are"),
    ({"variants.a/b": {}}, "variants.a/b: choose another name, of letters, digits"),
    ({"variants.report": {}}, "variants.report: choose another name"),
    ({"variants.x": {"over": "y"}}, "variants.x.over: there is no variant 'y'"),
    ({"variants.x": {"of": "y"}}, "variants.x.of: there is no variant 'y'"),
    ({"variants.x": {"evaluate": {}}}, "unknown key variants.x.evaluate"),
    ({"variants.x": {"selec": {}}}, "unknown key variants.x.selec (did you mean select?)"),
    ({"variants.x": {"select": 3}}, "variants.x.select: must be a section of keys, seen 3"),
    (
        {"variants.x": {"train": {"engine": "detectron2"}}},
        "variants.x.train.engine: this is the same for all variants of a run; set train.engine",
    ),
    (
        {"variants.x": {"of": "fully_supervised"}, "report.variants": ["x"]},
        "report.variants: x learns from the ground truth and has no labels to compare",
    ),
    (
        {"variants.x": {"select": {"method": "largest"}}},
        "variants.x: refine.method: prm starts from PSM, but select.method is largest",
    ),
    (
        {"variants.x": {"of": "y"}, "variants.y": {"refine": {"prm": {"bms": {"t_min1": 0.2}}}}},
        "variants.x: refine.prm.bms: t_min2 0.3 is more than t_min1 0.2",
    ),
]


@pytest.mark.parametrize(
    ("changes", "sentence"), OF_THE_RUN, ids=[str(changes) for changes, _ in OF_THE_RUN]
)
def test_the_judge_refuses_in_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        judged(with_changes(changes))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


FINE: list[dict[str, Any]] = [
    {"variants.x": {"prepare": {"point": "quasi_center"}}},
    {"variants.x": {"propose": {"clean": 0, "prompts": [{"source": "label"}]}}},
    {"variants.x": {"prompt": {"sources": [{"source": "labels"}]}}},
    {"variants.x": {"refine": {"prm": {"bms": {"t_min1": 0.2, "t_min2": 0.1}}}}},
    {"refine.prm.bms": {"t_min1": 0.2, "t_min2": 0.1}, "variants.x": {}},
    {"variants.x": {"select": {"psm": {"training": {"processes": 2}}}}},
    {"train.roi_drop": {"enabled": True, "start": 399}},
    {"train": {"norm": "frozen_batch", "weights": "resnet.pth"}},
    {"dataset": {"source": "files", "train": SPLIT}},
    {"dataset": {"salient": SALIENT, "partworld": {"salient": 0}}},
    {"dataset": {"partworld": {"salient": 9, "look": "hard"}}},
    {  # a recipe of the demo below a file of one's own data
        "dataset": {
            **{"source": "files", "train": SPLIT},
            **{"salient": SALIENT, "partworld": {"salient": 9}},
        }
    },
    {"select.method": "largest", "refine.method": "as_it_is"},
]


@pytest.mark.parametrize("changes", FINE, ids=str)
def test_the_judge_lets_pass_what_fits_together(changes: dict[str, Any]) -> None:
    config = with_changes(changes)
    if config["select"]["method"] == "largest":
        config["variants"] = {
            name: entry for name, entry in config["variants"].items() if name == "sam_top1"
        }
        config["report"] |= {"variants": ["sam_top1"], "detectors": []}
    assert judged(judged(config)) == judged(config)


def test_a_variant_that_is_right_only_over_the_config_is_not_judged_alone() -> None:
    entry = {"refine": {"prm": {"bms": {"t_min1": 0.25}}}}  # t_min2 is 0.3 by default
    changes = {"refine.prm.bms.t_min2": 0.2, "variants": {"x": entry}, "report.variants": ["x"]}
    assert judged(with_changes({**changes, "report.detectors": []}))["variants"]["x"]
