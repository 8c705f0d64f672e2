"""Which methods' code a stage rests on."""

from pathlib import Path
from typing import Any

import pytest

from stages.planning.links import Links
from stages.planning.modules import modules_of
from stages.planning.plan import variants_of
from tests.small_config import ROOT, config

SAM, FEATURES = "stages.segmenters.sam", "stages.learning.sam_inputs"
PIXELS, VGG = "stages.learning.pixel_inputs", "stages.learning.vgg_inputs"
SELECT, REFINE = "stages.methods.selectors", "stages.methods.refiners"
PSM_FIT, PRM_FIT = "stages.learning.select_step", "stages.learning.refine_step"
JOINT = "stages.learning.joint_step"
RESNET = {"source": "resnet18", "weights": None, "weights_sha256": None}
FROZEN, ASKED = "stages.learning.transformers_inputs", "stages.segmenters.transformers"
OWN = {**RESNET, "source": "transformers", "path": None}
BACKBONE = {**OWN, "path": "model"}
FOLDER = {"propose__segmenter": "transformers", "propose__transformers": {"path": "model"}}
P2B_NETWORK, LABELS = "stages.learning.p2b_network", "stages.methods.prompters.labels"
P2B: dict[str, Any] = {
    "prompt__sources": [{"source": "labels"}, {"source": "p2b"}],
    "fit_prompt__network": "p2b",
    "fit_prompt__p2b": {"features": {"source": "sam", "path": None, "weights": None}},
}
OF_PIXELS = {**P2B, "fit_prompt__p2b": {"features": {**RESNET, "path": None}}}

BEHIND: list[tuple[str, dict[str, Any], set[str]]] = [  # stage, changes, modules
    ("prepare", {}, {"stages.formats.coco"}),
    ("propose", {}, {SAM, "stages.methods.prompters.labels"}),
    ("fit_select", {}, {PSM_FIT, FEATURES, SAM}),
    ("fit_select", {"refine__prm__fit": "joint"}, {PSM_FIT, JOINT, FEATURES, SAM}),
    ("fit_select", {"select__psm__features": RESNET}, {PSM_FIT, PIXELS}),
    ("fit_select", {"select__psm__features": {**RESNET, "source": "vgg16"}}, {PSM_FIT, VGG}),
    ("select", {}, {f"{SELECT}.psm", FEATURES, SAM}),
    ("select", {"select__method": "largest"}, {f"{SELECT}.trivial"}),
    ("fit_refine", {}, {PRM_FIT, FEATURES, SAM}),
    ("refine", {}, {f"{REFINE}.prm", FEATURES, SAM}),
    ("refine", {"select__psm__features": RESNET}, {f"{REFINE}.prm", PIXELS}),
    ("refine", {"refine__method": "as_it_is"}, {f"{REFINE}.as_it_is"}),
    (
        "refine",
        {"refine__method": "as_it_is", "refine__zoom__enabled": True},
        {f"{REFINE}.as_it_is", SAM},
    ),
    ("select", {"select__psm__features": BACKBONE}, {f"{SELECT}.psm", FROZEN}),
    ("select", {**FOLDER, "select__psm__features": OWN}, {f"{SELECT}.psm", FROZEN, ASKED}),
    ("propose", FOLDER, {ASKED, "stages.methods.prompters.labels"}),
    ("fit_prompt", P2B, {"stages.learning.p2b_fitting", P2B_NETWORK, FEATURES, SAM}),
    ("prompt", P2B, {"stages.methods.prompters.p2b", LABELS, P2B_NETWORK, FEATURES, SAM}),
    ("fit_prompt", OF_PIXELS, {"stages.learning.p2b_fitting", P2B_NETWORK, PIXELS}),
    ("propose", P2B, {SAM}),
    ("export", {}, set()),
    ("evaluate", {}, set()),
]


@pytest.mark.parametrize(
    ("stage", "changes", "modules"), BEHIND, ids=[f"{s}-{list(c)}" for s, c, _ in BEHIND]
)
def test_a_stage_rests_on_the_methods_that_its_settings_choose(
    stage: str,
    changes: dict[str, Any],
    modules: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
        Path("model", name).write_text('{"model_type": "sam"}')
    variants = variants_of(
        config(report__variants=[], **changes), root=ROOT, links=Links(Path("results/r"))
    )
    assert set(modules_of(variants, "v", stage)) == modules


def test_the_programs_and_the_methods_are_named_alike_by_doors_and_files() -> None:
    """A stage's program is the file that bears its name, so that the plan can find its code."""
    for stage in ("prepare", "propose", "fit_select", "select", "fit_refine", "refine", "export"):
        assert Path(ROOT, "stages", f"{stage}.py").is_file()
