"""Which stages of a run from tags an edit of the code reruns: those that use it, and no others."""

from typing import Any

import pytest

from tests.small_config import TRAINING
from tests.workflow.code_users import EDIT, modules_of, users_of
from tests.workflow.tag_runs import CHAIN
from tests.workflow.workspace import ROOT, Workspace, from_first

OF_BAGS = {"fit_select", "select", "refine"}

# an edited file -> the rules whose programs use it: a grid and clues, OICR, adaptive_pgt
USERS = {
    "prepare.py": {"prepare"},
    "fit_prompt.py": {"fit_prompt"},
    "prompt.py": {"prompt"},
    "tables/weak_labels.py": set(CHAIN) - {"partworld"},
    "tables/prompts.py": {"prompt", "propose", "report"},
    "tables/proposals.py": OF_BAGS | {"propose", "grade", "evaluate", "report"},
    "tables/selections.py": {"select", "refine", "grade", "evaluate", "report"},
    "tables/boxed.py": {"refine"},
    "labels/tags.py": OF_BAGS | {"fit_prompt", "prompt"},
    "methods/prompters/grid.py": {"prompt"},
    "methods/prompters/clues.py": {"prompt"},
    "methods/prompters/labels.py": set(),
    "methods/selectors/oicr.py": {"select"},
    "methods/selectors/psm.py": set(),
    "methods/selectors/clue_top1.py": set(),
    "methods/refiners/adaptive_pgt.py": {"refine"},
    "methods/refiners/top1_pgt.py": set(),
    "methods/refiners/prm.py": set(),
    "methods/tag_labelling.py": {"refine"},
    "methods/detections.py": {"refine"},
    "segmenters/tag_answers.py": {"propose"},
    "segmenters/box_asking.py": {"refine"},
    "learning/clue_fitting.py": {"fit_prompt"},
    "learning/clue_models.py": {"prompt"},
    "learning/conv_clues.py": {"fit_prompt", "prompt"},
    "learning/vit_clues.py": set(),
    "learning/oicr_step.py": {"fit_select"},
    "learning/tag_network.py": {"fit_select", "select"},
    "learning/tag_scores.py": {"select"},
    "learning/sam_inputs.py": {"fit_prompt", "prompt", "fit_select", "select"},
    "learning/select_step.py": set(),
    "mil/peaks.py": {"prompt"},
    "mil/clue_maps.py": {"fit_prompt", "prompt"},
    "mil/oicr.py": {"fit_select", "select"},
    "mil/pgt.py": {"refine"},
    "mil/psm.py": set(),
    "settings/prompters/clues.py": set(),
    "settings/selectors/oicr.py": set(),
    "planning/lineage.py": set(),
}
WEIGHTS = str(ROOT / "workflow" / "resources" / "vit_tiny.pth")  # any file
SAM = {"source": "sam", "path": None, "weights": None, "weights_sha256": None}
FROM_TAGS: dict[str, Any] = {
    "prepare__labels": "tag",
    "fit_prompt__conv": {"features": SAM, "training": TRAINING},
    "prompt__sources": [{"source": "grid", "side": 4}, {"source": "clues", "maps": ["coarse"]}],
    "select__method": "oicr",
    "select__oicr": {"features": SAM, "training": TRAINING},
    "refine__method": "adaptive_pgt",
    "refine__adaptive_pgt": {"masks": "box_prompt"},
}


@pytest.mark.parametrize(("name", "rules"), USERS.items(), ids=list(USERS))
def test_the_digest_of_a_file_is_in_the_stages_of_tags_that_use_it(
    name: str, rules: set[str]
) -> None:
    assert users_of(name, modules_of(**FROM_TAGS)) - {"train", "predict_held_out"} == rules


CHOICES: list[tuple[dict[str, Any], str, set[str]]] = [  # the same of a run from tags
    ({"fit_prompt__model": WEIGHTS}, "learning/clue_fitting.py", set()),
    ({"fit_prompt__model": WEIGHTS}, "learning/conv_clues.py", {"prompt"}),
    ({"fit_prompt__network": "vit"}, "learning/vit_clues.py", {"fit_prompt", "prompt"}),
    ({"fit_prompt__network": "vit"}, "learning/conv_clues.py", set()),
    ({"prompt__sources": [{"source": "grid"}]}, "methods/prompters/grid.py", {"propose"}),
    ({"prompt__sources": [{"source": "grid"}]}, "methods/prompters/clues.py", set()),
    ({"prompt__sources": [{"source": "grid"}]}, "learning/conv_clues.py", set()),
    ({"select__method": "clue_top1"}, "methods/selectors/clue_top1.py", {"select"}),
    ({"select__method": "clue_top1"}, "learning/oicr_step.py", set()),
    ({"refine__method": "top1_pgt"}, "methods/refiners/top1_pgt.py", {"refine"}),
    ({"refine__method": "top1_pgt"}, "methods/refiners/adaptive_pgt.py", set()),
]


@pytest.mark.parametrize(
    ("config", "name", "rules"), CHOICES, ids=[f"{c}-{n}" for c, n, _ in CHOICES]
)
def test_a_method_of_tags_concerns_those_who_chose_it(
    config: dict[str, Any], name: str, rules: set[str]
) -> None:
    assert users_of(name, modules_of(**FROM_TAGS | config)) == rules


EDITED = ["learning/clue_fitting.py", "segmenters/tag_answers.py", "mil/pgt.py"]


@pytest.mark.long
@pytest.mark.parametrize("name", EDITED)
def test_an_edit_reruns_the_stages_of_tags_that_use_it(name: str, from_tags: Workspace) -> None:
    path = from_tags.folder / "stages" / name
    path.write_text(path.read_text() + EDIT)
    outcome = from_tags.snakemake("-n")
    assert outcome.code == 0, outcome.text
    assert set(outcome.jobs()) == from_first(USERS[name], CHAIN)
