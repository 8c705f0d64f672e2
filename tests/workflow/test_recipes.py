"""The shipped recipes, planned on empty copies of the folders that they expect."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.settings.judge import judged
from stages.settings.overrides import variant_config
from tests.workflow.test_recipe_runs_compared import COMPARED
from tests.workflow.workspace import ROOT, TINY, Workspace, merged

RECIPES = ROOT / "workflow" / "recipes"
NAMES = sorted(path.stem for path in RECIPES.glob("*.yaml"))
RESNET = "data/weights/resnet50-0676ba61.pth"
VOC = "data/VOCdevkit/VOC2012"
VOC_2007 = "data/VOCdevkit/VOC2007"
OF_TAGS = [
    *(f"{VOC_2007}/JPEGImages/", f"{VOC_2007}/Annotations/"),
    *(f"{VOC_2007}/ImageSets/Main/{name}.txt" for name in ("trainval", "test")),
    *("data/weights/vgg16-397923af.pth", "data/weights/deit_small_patch16_224-cd65a155.pth"),
    RESNET,
]
OVER = {"weaksam_voc2012": "weaksam", "weaksam_coco2014": "weaksam"}  # what a recipe is laid over
LAYOUTS = {
    "sapnet": [RESNET],
    "coco_tiny": [
        "tiny/train2017/",
        "tiny/val2017/",
        "tiny/annotations/instances_train2017.json",
        "tiny/annotations/instances_val2017.json",
    ],
    "photographs": ["photos/", "data/photographs.json"],
    "grading_photographs": ["tiny/", "data/coco_tiny.json"],
    "coco2017": [
        "data/coco/train2017/",
        "data/coco/val2017/",
        "data/coco/annotations/instances_train2017.json",
        "data/coco/annotations/instances_val2017.json",
        RESNET,
    ],
    "voc2012": [
        f"{VOC}/JPEGImages/",
        f"{VOC}/annotations/voc_2012_trainaug.json",
        f"{VOC}/annotations/voc_2012_val.json",
        RESNET,
    ],
    "boxcaseg": [
        f"{VOC}/JPEGImages/",
        f"{VOC}/annotations/voc_2012_trainaug.json",
        f"{VOC}/annotations/voc_2012_val.json",
        "data/DUTS-TR/DUTS-TR-Image/ILSVRC2012_test_00000004.jpg",
        "data/DUTS-TR/DUTS-TR-Mask/ILSVRC2012_test_00000004.png",
        RESNET,
    ],
    "sim": [
        "data/coco/train2017/",
        "data/coco/val2017/",
        "data/coco/annotations/instances_train2017.json",
        "data/coco/annotations/instances_val2017.json",
        RESNET,
    ],
    "weaksam": OF_TAGS,
    "weaksam_voc2012": [
        *OF_TAGS,
        f"{VOC}/JPEGImages/",
        f"{VOC}/annotations/voc_2012_trainaug.json",
        f"{VOC}/annotations/voc_2012_val.json",
    ],
    "weaksam_coco2014": [
        *OF_TAGS,
        "data/coco/train2014/",
        "data/coco/val2014/",
        "data/coco/annotations/instances_train2014.json",
        "data/coco/annotations/instances_val2014.json",
    ],
}
COMPARISONS = [
    "benchmark",
    "detectors",
    "retention",
    "selection",
    "tables",
]  # on drawn worlds: nothing can be missing
OF_BOXES = ["sam_box", "sam_box_demo"]
OF_ROUNDS = ["relabel", "sim_demo"]
OF_KINDS = ["grading"]  # a variant for each kind of labels
OF_ONE_VARIANT = [  # on drawn worlds, too
    *("weaksam_demo", "sapnet_p2b", "boxcaseg_demo"),
    *(*OF_BOXES, *OF_ROUNDS, *OF_KINDS),
]
ON_FILES = [name for name in NAMES if name not in (*COMPARISONS, *OF_ONE_VARIANT)]
GPUS = {"coco2017": 8, "voc2012": 4}  # Sec. 4.1
SHARDS = {
    **{"sapnet": 2, "coco_tiny": 2, "photographs": 1, "coco2017": 128, "voc2012": 16},
    **{"weaksam": 8, "weaksam_voc2012": 16, "weaksam_coco2014": 128, "boxcaseg": 16},
    **{"sim": 128, "grading_photographs": 1},
}
FETCHING = ("coco2017", "voc2012", "weaksam", *OVER)  # SAM ViT-H, which is not there
WITHOUT_DETECTOR = ["photographs", "grading_photographs"]
ROUNDS = {"sim": 3}  # of which each asks anew


def _files(name: str) -> list[str]:
    """The recipe's file, behind that which it is laid over."""
    return [f"workflow/recipes/{own}.yaml" for own in (OVER.get(name), name) if own]


def _recipe(name: str) -> dict[str, Any]:
    return merged(*(yaml.safe_load((ROOT / file).read_text()) for file in _files(name)))


def _lay_out(folder: Path, names: list[str]) -> None:
    for name in names:
        path = folder / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.touch()


@pytest.mark.parametrize("name", ON_FILES)
def test_a_recipe_plans_on_an_empty_copy_of_its_layout(name: str, fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    _lay_out(fresh.folder, LAYOUTS[name])
    flags = ("-n", "--configfile", *_files(name))
    outcome = fresh.snakemake(*flags, COCO_TINY="tiny", PHOTOS="photos")
    assert outcome.code == 0, outcome.text
    jobs = outcome.jobs()
    rounds = ROUNDS.get(name, 1)
    assert jobs["propose"] == jobs["select"] == jobs["refine"] == SHARDS[name] * rounds
    assert jobs.get("train", 0) == int(name not in WITHOUT_DETECTOR)
    assert jobs["evaluate"] == 1
    assert jobs.get("fetch", 0) == int(name in FETCHING)
    learns = name in ("weaksam", *OVER)
    assert jobs.get("fit_prompt", 0) == learns
    assert jobs.get("prompt", 0) == learns * SHARDS[name]
    assert jobs.get("fit_propose", 0) == rounds * int(name in ("boxcaseg", "sim"))


# sapnet.yaml has no data that could be missing: its scenes are drawn, its ResNet is fetched
@pytest.mark.parametrize("name", [name for name in ON_FILES if name != "sapnet"])
def test_a_recipe_says_what_is_missing(name: str, fresh: Workspace) -> None:
    flags = ("-n", "--configfile", *_files(name))
    outcome = fresh.snakemake(*flags, COCO_TINY="", PHOTOS="")
    assert outcome.code != 0
    assert "config: " in outcome.text
    assert "Traceback" not in outcome.text


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_plans_all_its_seeds(name: str, fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    recipe = f"workflow/recipes/{name}.yaml"
    outcome = fresh.snakemake("-n", "ablation", "--configfile", recipe)
    assert outcome.code == 0, outcome.text
    seeds = _recipe(name)["report"]["seeds"]
    assert outcome.jobs()["propose"] == len(seeds)
    assert outcome.jobs()["ablate"] == 1


def test_what_graders_learn_from_has_every_kind_of_labels(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    outcome = fresh.snakemake("-n", "ablation", "--configfile", "workflow/recipes/grading.yaml")
    assert outcome.code == 0, outcome.text
    jobs, report = outcome.jobs(), _recipe("grading")["report"]
    variants, seeds = len(report["variants"]), len(report["seeds"])
    assert jobs["grade"] == 2 * jobs["evaluate"] == 2 * variants * seeds
    assert (jobs["fit_prompt"], jobs["fit_select"], jobs["fit_propose"]) == (3, 2 * 3, 3 * 3)
    assert "train" not in jobs


def test_the_demo_of_tags_plans_what_learns_from_them(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    outcome = fresh.snakemake("-n", "--configfile", "workflow/recipes/weaksam_demo.yaml")
    assert outcome.code == 0, outcome.text
    jobs = outcome.jobs()
    assert jobs["prompt"] == jobs["propose"] == jobs["select"] == jobs["refine"] == 2
    assert jobs["fit_prompt"] == jobs["fit_select"] == jobs["train"] == jobs["evaluate"] == 1
    assert "fit_refine" not in jobs


@pytest.mark.parametrize("name", OF_BOXES)
def test_a_recipe_of_boxes_learns_nothing_but_the_detector(name: str, fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    outcome = fresh.snakemake("-n", "--configfile", f"workflow/recipes/{name}.yaml")
    assert outcome.code == 0, outcome.text
    jobs = outcome.jobs()
    assert jobs["propose"] == jobs["select"] == jobs["refine"] == 2
    assert jobs["train"] == jobs["evaluate"] == 1
    assert not {"prompt", "fit_prompt", "fit_select", "fit_refine"} & set(jobs)


def test_the_demo_of_boxes_asks_anew_only_where_the_questions_are_others(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    recipe = "workflow/recipes/sam_box_demo.yaml"
    outcome = fresh.snakemake("-n", "ablation", "--configfile", recipe)
    assert outcome.code == 0, outcome.text
    jobs, report = outcome.jobs(), _recipe("sam_box_demo")["report"]
    seeds, variants = len(report["seeds"]), len(report["variants"])
    assert jobs["propose"] == 2 * seeds * (variants - 1)  # close_up shares with sam_box
    assert jobs["prepare"] == 2 * seeds  # boxes, and boxes with points
    assert jobs["train"] == len(report["detectors"])


def test_the_demo_of_boxes_is_the_recipe_s_method() -> None:
    recipe, demo = _recipe("sam_box"), _recipe("sam_box_demo")
    for section in ("prepare", "prompt", "propose", "select", "refine"):
        assert demo[section] == recipe[section]
    assert set(demo["variants"]) == set(recipe["variants"])
    for name, values in demo["variants"].items():
        own = {key: value for key, value in values.items() if key != "over"}
        assert own == {k: v for k, v in recipe["variants"][name].items() if k != "over"}


def test_the_demo_of_boxcaseg_trains_it_once_for_each_choice_of_heads(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    recipe = "workflow/recipes/boxcaseg_demo.yaml"
    jobs = fresh.snakemake("-n", "--configfile", recipe).jobs()
    assert jobs["salient"] == jobs["fit_propose"] == jobs["train"] == jobs["evaluate"] == 1
    outcome = fresh.snakemake("-n", "ablation", "--configfile", recipe)
    assert outcome.code == 0, outcome.text
    jobs, report = outcome.jobs(), _recipe("boxcaseg_demo")["report"]
    heads = [name for name in report["variants"] if name.startswith(("boxcaseg", "weak", "sali"))]
    assert jobs["fit_propose"] == len(report["seeds"]) * len(heads)
    assert jobs["train"] == len(report["detectors"]) * len(report["detector_seeds"])


def test_boxes_of_p2bnet_are_learned_once_for_each_world(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    recipe = "workflow/recipes/sapnet_p2b.yaml"
    jobs = fresh.snakemake("-n", "--configfile", recipe).jobs()
    assert jobs["fit_prompt"] == jobs["prompt"] == jobs["propose"] == jobs["evaluate"] == 1
    outcome = fresh.snakemake("-n", "ablation", "--configfile", recipe)
    assert outcome.code == 0, outcome.text
    jobs, report = outcome.jobs(), _recipe("sapnet_p2b")["report"]
    worlds = len(report["seeds"])
    assert jobs["fit_prompt"] == jobs["prompt"] == worlds  # box_top1 and p2b share them
    assert jobs["propose"] == 3 * worlds  # of points, with SAM's own box, and with P2BNet's
    assert jobs["evaluate"] == worlds * len(report["variants"])


def test_photographs_are_asked_once_for_all_seeds_and_variants(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    _lay_out(fresh.folder, LAYOUTS["photographs"])
    recipe = "workflow/recipes/photographs.yaml"
    outcome = fresh.snakemake("-n", "ablation", "--configfile", recipe, PHOTOS="photos")
    assert outcome.code == 0, outcome.text
    report, jobs = _recipe("photographs")["report"], outcome.jobs()
    assert jobs["propose"] == jobs["prepare"] == jobs["ablate"] == 1
    assert jobs["evaluate"] == len(report["seeds"]) * len(report["variants"])
    assert "train" not in jobs


def test_settings_are_chosen_on_other_worlds_than_those_reported() -> None:
    names = [*COMPARISONS, "sapnet_p2b"]
    seeds = {name: set(_recipe(name)["report"]["seeds"]) for name in names}
    reported = [seeds[name] for name in ("benchmark", "detectors", "retention", "sapnet_p2b")]
    assert not seeds["selection"] & set.union(*reported)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_holds_known_keys_in_their_ranges(name: str) -> None:
    base = yaml.safe_load((ROOT / "config.yaml").read_text())
    judged(merged(base, _recipe(name)))


@pytest.mark.parametrize("name", ["coco2017", "voc2012"])
def test_the_paper_is_the_same_paper_on_every_data_set(name: str) -> None:
    """What differs from sapnet.yaml: where the data are, SAM itself, speed, and VOC's schedule."""
    paper, recipe = _recipe("sapnet"), _recipe(name)
    for section, method in (("select", "psm"), ("refine", "prm")):
        training = recipe[section][method]["training"]
        assert training.pop("workers") == 4
        assert training.pop("processes") == GPUS[name]
        if name == "voc2012":
            training |= {"batch_images": 32, "lr": 0.015}
        assert recipe[section] == paper[section]
    for key, value in paper["propose"].items():
        assert recipe["propose"][key] == value
    for key, value in paper["prepare"].items():
        assert recipe["prepare"][key] == value
    speed = {"processes": GPUS[name], "workers": 4}
    steps = {"iterations": 8000, "warmup": 500} if name == "voc2012" else {}
    assert recipe["train"] == {**paper["train"], **steps, **speed}
    assert recipe.get("variants", {}) == ({} if name == "voc2012" else paper["variants"])


def _launched(fresh: Workspace, *files: str) -> dict[str, int]:
    """Processes that the plan of these config files starts each training with, by its stage."""
    outcome = fresh.snakemake("-n", "-p", "--configfile", *files)
    assert outcome.code == 0, outcome.text
    assert "-m stages.train" in outcome.text
    pattern = r"torch\.distributed\.run --standalone --nproc-per-node (\d+) -m stages\.(\w+)"
    return {stage: int(number) for number, stage in re.findall(pattern, outcome.text)}


@pytest.mark.long
@pytest.mark.parametrize("name", GPUS)
def test_a_recipe_for_several_gpus_can_be_laid_over_for_one_as_it_says(
    name: str, fresh: Workspace
) -> None:
    _lay_out(fresh.folder, LAYOUTS[name])
    recipe = f"workflow/recipes/{name}.yaml"
    assert _launched(fresh, recipe) == {"fit_select": GPUS[name], "train": GPUS[name]}
    told = re.findall(r"^#   (select: .*|refine: .*|train: .*)$", (ROOT / recipe).read_text(), re.M)
    assert len(told) == 3
    (fresh.folder / "mine.yaml").write_text("\n".join(told))
    assert _launched(fresh, recipe, "mine.yaml") == {}
    one, many = yaml.safe_load("\n".join(told)), _recipe(name)
    small, whole = (c["select"]["psm"]["training"] for c in (one, merged(many)))
    assert small["lr"] / small["batch_images"] == pytest.approx(whole["lr"] / whole["batch_images"])
    assert many["train"]["batch_images"] % one["train"]["accumulate"] == 0


def test_the_papers_longer_training_is_a_variant_of_the_detector_alone(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    _lay_out(fresh.folder, LAYOUTS["sapnet"])
    recipe = ("--configfile", "workflow/recipes/sapnet.yaml")
    outcome = fresh.snakemake("-n", *recipe, "--config", "variant=full_3x")
    assert outcome.jobs()["train"] == 1, outcome.text
    base = yaml.safe_load((ROOT / "config.yaml").read_text())
    long, full = (variant_config(merged(base, _recipe("sapnet")), n) for n in ("full_3x", "full"))
    assert {name for name in long if long[name] != full[name]} == {"train"}
    assert long["train"]["short_side"] == [640, 672, 704, 736, 768, 800]  # Sec. 4.1
    assert not long["train"]["multi_mask"]["enabled"]


PAPER = {  # SAPNet, Sec. 3 and 4.1, and the authors' code where the paper is silent
    "select.psm.training.optimizer": "sgd",
    "select.psm.training.lr": 0.015,
    "select.psm.training.epochs": 12,
    "select.psm.training.batch_images": 32,
    "select.psm.features.source": "resnet50",
    "select.psm.features.short_side": 800,
    "select.psm.features.long_side": 1333,
    "select.psm.pdg.exponent": 0.015,
    "select.psm.pdg.apply": "score",
    "select.psm.quality_exponent": 0,
    "refine.prm.alpha": 0.25,
    "refine.prm.pdg_exponent": 0,
    "refine.prm.bms.t_min1": 0.6,
    "refine.prm.bms.t_min2": 0.3,
    "refine.prm.bms.k": 3,
    "refine.prm.npg.t_neg1": 0.3,
    "refine.prm.npg.t_neg2": 0.5,
    "refine.prm.npg.background": 500,
    "refine.prm.npg.part_mode": "random",
    "refine.prm.npg.part_min_area": 0,
    "refine.prm.ppg.form": "paper",
    "refine.prm.bms.tolerance": 0,
    "refine.prm.fit": "joint",
    "refine.prm.neg_norm": "kept",
    "refine.prm.weight_dis": True,
    "select.psm.background": False,
    "select.psm.pdg.min_distance": 0,
    "train.multi_mask.enabled": True,
    "train.multi_mask.gamma": 0.25,
    "train.short_side": 800,
    "train.long_side": 1333,
    "train.clip_norm": 35,
    "train.evaluate_every": 0,
    "refine.vote.enabled": False,
    "refine.zoom.enabled": False,
}


@pytest.mark.parametrize(("key", "value"), PAPER.items(), ids=list(PAPER))
def test_sapnet_has_the_papers_constants(key: str, value: object) -> None:
    base = yaml.safe_load((ROOT / "config.yaml").read_text())
    node: Any = merged(base, _recipe("sapnet"))
    for part in key.split("."):
        node = node[part]
    assert node == value


FORCED = {  # keys in which the demo's `full` and the paper's recipe differ, by the demo's size
    *(f"select.psm.features.{name}" for name in ("source", "weights", "short_side", "long_side")),
    *("select.psm.features.channels", "select.psm.features.hidden"),
    *("select.psm.training", "refine.prm.training", "refine.prm.npg.background"),
}


def test_the_variant_full_is_the_papers_recipe_but_for_its_size() -> None:
    base = yaml.safe_load((ROOT / "config.yaml").read_text())
    small, whole = variant_config(base, "full"), merged(base, _recipe("sapnet"))
    for section in ("select", "refine"):
        assert _differences(small[section], whole[section], section) <= FORCED


def _differences(first: Any, second: Any, key: str) -> set[str]:
    if key in FORCED or first == second:
        return {key} - ({key} if first == second else set())
    if not isinstance(first, dict):
        return {key}
    both = [_differences(first[name], second[name], f"{key}.{name}") for name in first]
    return set().union(*both)


@pytest.mark.long
def test_a_missing_official_checkpoint_is_fetched_first(fresh: Workspace) -> None:
    checkpoint = {
        "propose": {"sam": {"model": "vit_b", "checkpoint": "models/sam_vit_b_01ec64.pth"}}
    }
    fresh.configure(merged(TINY, checkpoint))
    assert fresh.snakemake("-n").jobs()["fetch"] == 1
    _lay_out(fresh.folder, ["models/sam_vit_b_01ec64.pth"])
    assert "fetch" not in fresh.snakemake("-n").jobs()


@pytest.mark.long
def test_what_a_recipes_networks_start_from_is_fetched_first(fresh: Workspace) -> None:
    backbone = {"train": {"backbone": "resnet50", "weights": "models/resnet50-0676ba61.pth"}}
    fresh.configure(merged(TINY, backbone))
    assert fresh.snakemake("-n").jobs()["fetch"] == 1
    _lay_out(fresh.folder, ["models/resnet50-0676ba61.pth"])
    assert "fetch" not in fresh.snakemake("-n").jobs()


@pytest.mark.long
def test_a_second_look_repeats_what_reads_the_first(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    recipe = "workflow/recipes/relabel.yaml"
    jobs = fresh.snakemake("-n", "--configfile", recipe).jobs()
    assert (jobs["propose"], jobs["select"], jobs["refine"], jobs["predict"]) == (2, 2, 4, 2)
    assert (jobs["export"], jobs["train"], jobs["evaluate"]) == (2, 2, 1)
    outcome = fresh.snakemake("-n", "ablation", "--configfile", recipe)
    assert outcome.code == 0, outcome.text
    jobs, report = outcome.jobs(), _recipe("relabel")["report"]
    seeds = len(report["seeds"])
    assert jobs["propose"] == jobs["predict"] == 2 * seeds  # the first round is the same for all
    assert jobs["train"] == seeds * 4  # of the first round, of both second ones, and of the truth
    assert jobs["refine"] == 2 * seeds * 3
    assert not {"train_half", "predict_crossed"} & set(jobs)


@pytest.mark.long
def test_a_cross_fitted_second_look_trains_two_judges(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    recipe = "workflow/recipes/relabel.yaml"
    words = ("--configfile", recipe, "--config", "variant=crossed")
    jobs = fresh.snakemake("-n", *words).jobs()
    assert (jobs["train_half"], jobs["predict_crossed"], jobs["refine"]) == (2, 2, 4)
    assert (jobs["train"], jobs["evaluate"]) == (1, 1)  # nobody asks that of the first round
    assert "predict" not in jobs


@pytest.mark.long
def test_the_demo_of_sim_trains_its_teacher_in_each_round(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    recipe = "workflow/recipes/sim_demo.yaml"
    jobs = fresh.snakemake("-n", "--configfile", recipe).jobs()
    rounds = _recipe("sim_demo")["rounds"]
    assert jobs["fit_propose"] == jobs["fit_refine"] == rounds
    assert jobs["propose"] == jobs["refine"] == 2 * rounds
    assert jobs["train"] == jobs["evaluate"] == 1
    outcome = fresh.snakemake("-n", "ablation", "--configfile", recipe)
    assert outcome.code == 0, outcome.text
    jobs, report = outcome.jobs(), _recipe("sim_demo")["report"]
    # of the first round, shared; of the second; dynamic; with pasted objects; trained longer
    teachers = 5
    assert jobs["fit_propose"] == teachers * len(report["seeds"])


def test_every_recipe_has_its_tiny_run() -> None:
    """In the files test_recipe_runs_*.py."""
    on_files = {"sapnet", "coco2017", "voc2012", "coco_tiny", "photographs", "grading_photographs"}
    of_tags = {"weaksam", "weaksam_voc2012", "weaksam_coco2014", "weaksam_demo"}
    of_boxes = {"sam_box", "sam_box_demo", "boxcaseg", "boxcaseg_demo"}
    of_rounds = {"relabel", "sim", "sim_demo"}
    assert {*NAMES} == {*on_files, *of_tags, *of_boxes, *of_rounds, *COMPARED}
