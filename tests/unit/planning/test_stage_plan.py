"""What the rules ask, by stage and home: paths, settings, seeds, code, digests."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from stages.planning.plan import Plan
from stages.planning.stage_plan import StagePlan
from tests.small_config import FILES, ROOT, VARIANTS, compared, plan

CHECKPOINT = str(ROOT / "workflow" / "resources" / "vit_tiny.pth")
NAMES = ("top1", "pdg", "pnpg", "full", "whole", "joint")


def job(home: str, **more: str) -> Any:
    """The wildcards of a job."""
    return SimpleNamespace(home=home, **more)


@pytest.fixture
def ablation() -> Plan:
    """A plan on drawn worlds."""
    return plan(**compared(*NAMES, detectors=("full", "paste", "truth")))


@pytest.fixture
def on_files(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Changes that name photographs on disk, and the folder that has them."""
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "a.json").write_text('{"images": []}')
    (tmp_path / "data" / "b.json").write_text('{"images": [], "annotations": []}')
    monkeypatch.chdir(tmp_path)
    val = {**FILES, "annotations": "data/b.json"}
    return {"dataset__source": "files", "dataset__train": FILES, "dataset__val": val}


def _shards(home: str, stage: str, table: str = "shard") -> list[str]:
    return [f"results/{home}/{stage}/{table}-000{n}-of-0002.parquet" for n in (0, 1)]


def test_a_stage_reads_each_file_in_its_own_home(ablation: Plan) -> None:
    refine, whole = ablation.refine, job("r/seed-1/whole", shard="0001-of-0002")
    full = job("r/seed-1/full", shard="0001-of-0002")
    assert refine.image_folder(full) == "results/r/seed-1/partworld/train/images"
    assert refine.images(full) == "results/r/seed-1/prepare/images.parquet"
    assert refine.proposals(full) == ["results/r/seed-1/propose/shard-0001-of-0002.parquet"]
    assert refine.selections(full) == ["results/r/seed-1/pdg/select/shard-0001-of-0002.parquet"]
    assert refine.refine_model(full) == ["results/r/seed-1/pnpg/fit_refine/model.pt"]
    assert refine.images(whole) == "results/r/seed-1/prepare/images.parquet"
    assert refine.proposals(whole) == ["results/r/seed-1/whole/propose/shard-0001-of-0002.parquet"]


def test_salient_images_go_to_the_segmenter_that_reads_them_alone() -> None:
    learned: Any = {"model": None, "checkpoint": None, "sha256": None, "training": {}}
    found = {
        name: plan(
            propose={"segmenter": name, name: learned}, dataset__partworld={"salient": 9}
        ).fit_propose
        for name in ("boxcaseg", "sim")
    }
    wanted = ["results/r/partworld/salient/images"], ["results/r/partworld/salient/masks"]
    for name, (images, masks) in {"boxcaseg": wanted, "sim": ([], [])}.items():
        assert found[name].salient_images(job("r")) == images
        assert found[name].salient_masks(job("r")) == masks


def test_a_stage_without_shards_reads_them_all(ablation: Plan) -> None:
    full = job("r/seed-1/full")
    assert ablation.export.pseudo_labels(full) == _shards("r/seed-1/full", "refine")
    fit = job("r/seed-1/pnpg")
    assert ablation.fit_refine.selections(fit) == _shards("r/seed-1/pdg", "select")
    assert ablation.fit_refine.select_model(fit) == ["results/r/seed-1/pdg/fit_select/model.pt"]


def test_what_is_not_learned_reads_no_model(ablation: Plan) -> None:
    assert ablation.select.select_model(job("r/seed-1/top1")) == []
    assert ablation.refine.refine_model(job("r/seed-1/pdg")) == []
    joint = ["results/r/seed-1/joint/fit_select/model.pt"]
    assert ablation.refine.refine_model(job("r/seed-1/joint")) == joint


def test_a_detector_learns_from_labels_in_the_home_of_their_owner(ablation: Plan) -> None:
    train, paste, truth = ablation.train, job("r/seed-1/paste"), job("r/seed-1/truth")
    assert train.labels(paste) == ["results/r/seed-1/full/export/pseudo_labels.json"]
    assert train.taught(paste) == train.labels(truth) == []
    assert train.taught(truth) == ["results/r/seed-1/partworld/train/annotations.json"]


def test_no_pseudo_label_comes_from_the_truth(ablation: Plan) -> None:
    for name in NAMES:
        assert ablation.train.taught(job(f"r/seed-1/{name}")) == []


def test_a_compared_variant_is_judged_by_tables_and_a_detector_alone_is_not(
    ablation: Plan,
) -> None:
    evaluate = ablation.evaluate
    pnpg, paste, truth = (job(f"r/seed-1/{name}") for name in ("pnpg", "paste", "truth"))
    assert evaluate.selections(pnpg) == _shards("r/seed-1/pdg", "select")
    assert evaluate.trails(pnpg) == _shards("r/seed-1/pnpg", "refine", "trail")
    assert evaluate.exported(pnpg) == ["results/r/seed-1/pnpg/export/pseudo_labels.json"]
    assert evaluate.predictions(pnpg) == []
    for alone in (paste, truth):
        assert evaluate.proposals(alone) == evaluate.exported(alone) == []
        assert evaluate.predictions(alone) == [
            f"results/{alone.home}/predict/torchvision/predictions.json"
        ]
        assert evaluate.images(alone) == "results/r/seed-1/prepare/images.parquet"


def test_a_plain_run_is_judged_by_its_own_files() -> None:
    found = plan()
    assert found.evaluate.pseudo_labels(job("r/v")) == _shards("r/v", "refine")
    assert found.evaluate.proposals(job("r/v")) == _shards("r", "propose")
    assert found.evaluate.training(job("r/v")) == ["results/r/v/train/torchvision/training.json"]


def test_without_ground_truth_or_a_detector_none_is_handed_out() -> None:
    assert plan(dataset__ground_truth=False).evaluate.truth(job("r/v")) == []
    assert plan(train__enabled=False).evaluate.val_annotations(job("r/v")) == []


def test_settings_are_the_chosen_methods_and_of_a_training_what_it_depends_on(
    ablation: Plan,
) -> None:
    select = json.loads(ablation.select.settings(job("r/seed-1/pdg")))
    assert select["psm"]["quality_exponent"] == 2.0
    fit = json.loads(ablation.fit_select.settings(job("r/seed-1/pdg")))
    assert "quality_exponent" not in fit["psm"]
    assert "psm" not in json.loads(ablation.select.settings(job("r/seed-1/top1")))
    assert json.loads(ablation.propose.settings(job("r/seed-1/whole")))["clean"] == 0.0
    assert json.loads(ablation.propose.settings(job("r/seed-1")))["clean"] == 0.25
    assert json.loads(ablation.propose.prompt_settings(job("r")))["sources"]
    assert json.loads(ablation.refine.select_settings(job("r/v")))["method"] == "psm"
    assert json.loads(ablation.evaluate.settings(job("r/v"))) == {"group_cover": 0.5}
    assert ablation.compare.settings(job("r/v")) == ablation.evaluate.settings(job("r/v"))


@pytest.mark.parametrize("change", [{"formats": ["voc"]}, {"category_ids": "from_one"}], ids=str)
def test_other_formats_rerun_convert_alone(change: dict[str, Any]) -> None:
    before = plan()
    after = plan(**{f"export__{key}": value for key, value in change.items()})
    absent = {
        "convert",
        "translate",
        "fit_prompt",
        "prompt",
        "fit_propose",
    }  # of points in a drawn world
    for name in before.stages().keys() - absent:
        home = "r" if name in ("partworld", "prepare", "propose") else "r/v"
        wildcards = job(home, engine="torchvision")
        asked = [
            [
                found.stages()[name].code(wildcards),
                found.stages()[name].digests(wildcards),
                name == "partworld" or found.stages()[name].settings(wildcards),
            ]
            for found in (before, after)
        ]
        assert asked[0] == asked[1], name


def test_convert_lies_in_the_folder_of_export_and_knows_its_format() -> None:
    found = plan(export__category_ids="from_one", **compared("pnpg", "full"))
    assert found.convert.homes == found.export.homes
    for home in ("r/v", "r/seed-1/full"):
        assert found.convert.category_ids(job(home, format="coco_polygons")) == "from_one"
        assert found.convert.category_ids(job(home, format="voc")) == "keep"
    code = [entry.split("@")[0] for entry in found.convert.code(job("r/v", format="voc"))]
    assert {"stages.convert", "stages.formats.voc_writing"} <= set(code)
    assert "stages.formats.yolo_writing" not in code


def test_the_held_out_predictions_lie_where_their_detector_was_trained(ablation: Plan) -> None:
    held_out, paste = ablation.predict_held_out, job("r/seed-1/paste", engine="torchvision")
    assert held_out.homes == ablation.train.homes
    assert held_out.val_image_folder(paste) == ["results/r/seed-1/partworld/val/images"]
    assert held_out.val_annotations(paste) == ["results/r/seed-1/partworld/val/annotations.json"]
    assert json.loads(held_out.train_settings(paste))["iterations"] == 7
    code = [entry.split("@")[0] for entry in held_out.code(paste)]
    assert {"stages.predict_held_out", "stages.engines.torchvision"} <= set(code)
    assert not {"stages.train", "stages.predict"} & set(code)


def test_other_scores_of_the_next_round_predict_no_held_out_image_again() -> None:
    one, other = (plan(predict__score=score) for score in (0.05, 0.5))
    v = job("r/v", engine="torchvision")
    assert one.predict_held_out.settings(v) == other.predict_held_out.settings(v)
    assert json.loads(one.predict_held_out.settings(v)) == {"chunk": 256}


@pytest.mark.parametrize(("every", "reads"), [(0, False), (2, True)])
def test_a_training_reads_held_out_images_where_it_looks_at_them(
    every: int, reads: bool, on_files: dict[str, Any], tmp_path: Any
) -> None:
    v, found = job("r/v", engine="torchvision"), []
    for text in ('{"images": [], "annotations": []}', '{"images": [], "annotations": [ ]}'):
        (tmp_path / "data" / "b.json").write_text(text)
        made = plan(train__evaluate_every=every, **on_files)
        assert made.train.val_image_folder(v) == (["data/images"] if reads else [])
        assert made.train.val_annotations(v) == (["data/b.json"] if reads else [])
        assert made.predict_held_out.val_annotations(v) == ["data/b.json"]
        found.append((made.train.digests(v), made.predict_held_out.digests(v)))
    assert (found[0][0] != found[1][0]) == reads
    assert found[0][1] != found[1][1]


def test_a_joint_training_is_told_the_refiners_settings(ablation: Plan) -> None:
    (text,) = ablation.fit_select.joint_settings(job("r/seed-1/joint"))
    assert json.loads(text)["prm"]["fit"] == "joint"
    assert ablation.fit_select.joint_settings(job("r/seed-1/pdg")) == []


def test_the_training_of_a_detector_is_told_its_engine(ablation: Plan) -> None:
    paste = job("r/seed-1/paste", engine="detectron2")
    settings = json.loads(ablation.train.settings(paste))
    assert (settings["engine"], settings["iterations"]) == ("detectron2", 7)
    code = [entry.split("@")[0] for entry in ablation.train.code(paste)]
    assert "stages.engines.detectron2.engine" in code
    assert "stages.engines.torchvision" not in code


def test_seeds_are_those_of_the_home(ablation: Plan) -> None:
    assert ablation.propose.seed(job("r/seed-2")) == 2
    assert ablation.propose.seed(job("r")) == 5
    assert ablation.partworld.seed(job("r/seed-1")) == 1
    assert ablation.evaluate.seed(job("r/seed-2/full")) == 2


RESNET = {"source": "resnet18", "weights": "resnet.pth", "weights_sha256": None}
WEIGHTS: list[tuple[str, dict[str, Any], list[str]]] = [  # stage, changes, files
    ("prepare", {}, []),
    ("propose", {}, [CHECKPOINT]),
    ("fit_select", {}, [CHECKPOINT]),
    ("fit_select", {"select__psm__features": RESNET}, ["resnet.pth"]),
    ("fit_select", {"select__psm__features": {**RESNET, "weights": None}}, []),
    ("select", {"select__method": "largest"}, []),
    ("refine", {"select__psm__features": RESNET}, ["resnet.pth"]),
    (
        "refine",
        {"select__psm__features": RESNET, "refine__zoom__enabled": True},
        ["resnet.pth", CHECKPOINT],
    ),
    ("refine", {"refine__method": "as_it_is"}, []),
    ("refine", {"refine__method": "as_it_is", "refine__zoom__enabled": True}, [CHECKPOINT]),
    ("export", {}, []),
    ("train", {"train__weights": "resnet.pth"}, ["resnet.pth"]),
]


@pytest.mark.parametrize(
    ("stage", "changes", "files"), WEIGHTS, ids=[f"{s}-{list(c)}" for s, c, _ in WEIGHTS]
)
def test_a_stage_reads_the_weights_of_the_networks_that_it_runs(
    stage: str,
    changes: dict[str, Any],
    files: list[str],
    on_files: dict[str, Any],
    tmp_path: Any,
) -> None:
    (tmp_path / "resnet.pth").touch()
    found = plan(report__variants=[], **changes)
    assert [file.path for file in found.stages()[stage].weight_files("v")] == files


MODEL = ("config.json", "preprocessor_config.json", "model.safetensors")
BACKBONE = {"source": "transformers", "path": "dino", "weights": None, "weights_sha256": None}
LOOKING: list[tuple[str, dict[str, Any], list[str]]] = [  # stage, changes, folders
    ("propose", {}, ["sam2"]),
    ("fit_select", {}, ["sam2"]),
    ("select", {}, ["sam2"]),
    ("fit_select", {"select__psm__features": BACKBONE}, ["dino"]),
    ("propose", {"propose__segmenter": "sam", "select__psm__features": BACKBONE}, []),
    ("select", {"propose__segmenter": "sam", "select__psm__features": BACKBONE}, ["dino"]),
    ("refine", {"refine__zoom__enabled": True}, ["sam2"]),
    (
        "refine",
        {"select__psm__features": BACKBONE, "refine__zoom__enabled": True},
        ["dino", "sam2"],
    ),
    ("select", {"select__method": "largest"}, []),
]


@pytest.mark.parametrize(
    ("stage", "changes", "folders"), LOOKING, ids=[f"{s}-{list(c)}" for s, c, _ in LOOKING]
)
def test_a_stage_reads_the_folders_of_the_networks_that_it_runs(
    stage: str,
    changes: dict[str, Any],
    folders: list[str],
    on_files: dict[str, Any],
    tmp_path: Any,
) -> None:
    for name in ("sam2", "dino"):
        (tmp_path / name).mkdir()
        for file in MODEL:
            (tmp_path / name / file).write_text(f'{{"model_type": "{name}"}}')
    own = {**BACKBONE, "path": None}
    asked = {"propose__segmenter": "transformers", "propose__transformers": {"path": "sam2"}}
    found = plan(report__variants=[], **{"select__psm__features": own, **asked, **changes})
    seen = [file.path for file in found.stages()[stage].weight_files("v")]
    wanted = [f"{folder}/{file}" for folder in folders for file in MODEL]
    assert [path for path in seen if path != CHECKPOINT] == wanted


@pytest.mark.parametrize("name", MODEL)
def test_an_edit_of_any_file_of_a_folder_is_another_digest(
    name: str, on_files: dict[str, Any], tmp_path: Any
) -> None:
    (tmp_path / "sam2").mkdir()
    for file in MODEL:
        (tmp_path / "sam2" / file).write_text('{"model_type": "sam2"}')
    changes = {
        **{"report__variants": [], "propose__segmenter": "transformers"},
        **{"propose__transformers": {"path": "sam2"}, "select__psm__features__source": "resnet18"},
    }
    before = plan(**changes).propose.digests(job("r"))
    assert plan(**changes).propose.digests(job("r")) == before
    (tmp_path / "sam2" / name).write_text('{"model_type":  "sam2"}')
    assert plan(**changes).propose.digests(job("r")) != before


def test_a_file_with_a_known_checksum_need_not_be_looked_at(on_files: dict[str, Any]) -> None:
    found = plan(propose__sam__checkpoint="sam_vit_b_01ec64.pth")  # to be fetched
    (digest,) = found.propose.digests(job("r"))
    assert digest.startswith("ec2df627")


def test_the_file_of_a_network_and_its_bases_decide_what_reruns(
    on_files: dict[str, Any], tmp_path: Any
) -> None:
    (tmp_path / "mine.yaml").write_text("_BASE_: base.yaml\n")
    changes = {**on_files, "train__config": "mine.yaml"}
    found = []
    for text in ("A: 1\n", "A: 2\n", "A: 1\n"):
        (tmp_path / "base.yaml").write_text(text)
        train = plan(report__variants=[], **changes).train
        assert train.weights(job("r/v")) == [str(tmp_path / n) for n in ("mine.yaml", "base.yaml")]
        found.append(train.digests(job("r/v", engine="detectron2")))
    assert found[0] == found[2] != found[1]


DIGESTS = [  # stage, home, how many of the user's files, weights apart: labels and photographs
    ("prepare", "r", 2),
    ("export", "r/v", 0),
    ("train", "r/v", 0),
    ("train", "r/truth/seed-1", 2),
    ("predict_held_out", "r/v", 2),
    ("evaluate", "r/v", 2),
    ("compare", "r/v", 1),
]


@pytest.mark.parametrize(("stage", "home", "count"), DIGESTS)
def test_what_the_users_files_hold_is_known_to_the_stages_that_read_them(
    stage: str, home: str, count: int, on_files: dict[str, Any]
) -> None:
    changes = compared("full", detectors=("truth",))
    files = plan(**changes, **on_files)
    assert len(files.stages()[stage].digests(job(home, engine="torchvision"))) == count
    assert plan(**changes).stages()[stage].digests(job("r" if home == "r" else "r/v")) == []


def test_other_annotations_have_another_digest(on_files: dict[str, Any], tmp_path: Any) -> None:
    before = plan(**on_files).prepare.digests(job("r"))
    (tmp_path / "data" / "a.json").write_text('{"images":[] }')  # of equal size
    assert plan(**on_files).prepare.digests(job("r")) != before


GPUS = [("cpu", 0, 0), ("cuda", 1, 3), ("auto", 1, 3)]


@pytest.mark.parametrize(("device", "one", "three"), GPUS)
def test_only_a_device_that_may_be_a_gpu_takes_tokens(device: str, one: int, three: int) -> None:
    found = plan(device=device, refine__prm__training__processes=3)
    assert found.propose.gpus(job("r")) == found.select.gpus(job("r/v")) == one
    assert found.fit_select.gpus(job("r/v")) == one
    assert found.fit_refine.gpus(job("r/v")) == three


def test_several_processes_are_started_by_torchrun() -> None:
    found = plan(refine__prm__training__processes=3)
    assert found.fit_select.launcher(job("r/v")) == "python"
    assert found.fit_refine.launcher(job("r/v")) == (
        "python -m torch.distributed.run --standalone --nproc-per-node 3"
    )


def test_variants_may_train_with_other_processes() -> None:
    variants = {**VARIANTS, "full": {"select": {"psm": {"training": {"processes": 2}}}}}
    found = plan(device="cuda", variants=variants, **compared("pnpg", "full"))
    assert found.fit_select.gpus(job("r/seed-1/full")) == 2
    assert found.fit_select.gpus(job("r/seed-1/pnpg")) == 1


def test_a_plan_is_short_to_write_out() -> None:
    """Snakemake writes out its input functions, of which there are many in each rule."""
    found = plan().select
    assert isinstance(found, StagePlan)
    assert len(repr(found.images)) < 200
