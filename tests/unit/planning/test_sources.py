"""Files that the config names: found, fetched, or named as missing."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stages.planning.plan import Plan
from stages.planning.sources import NEVER, Split, expanded, translated
from stages.planning.weight_paths import fetched
from tests.small_config import FILES, VARIANTS, plan


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a weight file, and a working folder beside it with a data set."""
    for name in ("repo/tiny.pth", "work/data/a.json", "work/data/images/1.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "repo"


def _plan(root: Path, **changes: Any) -> Plan:
    return plan(root=root, **{"propose__sam__checkpoint": "tiny.pth", **changes})


def _checkpoint(found: Plan) -> str:
    return found.propose.weight_files("v")[0].path


def test_a_path_that_is_only_in_the_repository_is_found_there(root: Path) -> None:
    assert _checkpoint(_plan(root)) == str(root / "tiny.pth")
    Path("tiny.pth").touch()
    assert _checkpoint(_plan(root)) == "tiny.pth"


MISSING = [
    (
        {"propose__sam__checkpoint": "no.pth"},
        r"propose\.sam\.checkpoint: there is no file no\.pth.*sam_vit_b",
    ),
    ({"train__weights": "no.pth"}, r"train\.weights: there is no file no\.pth"),
    (
        {"select__psm__features__weights": "no.pth"},
        r"select\.psm\.features\.weights: there is no file no\.pth",
    ),
    (
        {"dataset__source": "files", "dataset__train": {**FILES, "images": "no"}},
        r"dataset\.train\.images: there is no folder no\.",
    ),
    (
        {"dataset__source": "files", "dataset__train": {**FILES, "annotations": "no"}},
        r"dataset\.train\.annotations: there is no file or folder no\.",
    ),
    (
        {
            "dataset__source": "files",
            "dataset__train": FILES,
            "dataset__val": {**FILES, "images": "no"},
        },
        r"dataset\.val\.images: there is no folder no\.",
    ),
    (
        {"dataset__source": "files", "dataset__train": {**FILES, "images": "${NOT_SET}/a"}},
        r"needs the environment variable NOT_SET, which is not set\. Set it: export NOT_SET=",
    ),
    (
        {
            "variants": {**VARIANTS, "full": {"propose": {"sam": {"checkpoint": "other.pth"}}}},
        },
        r"propose\.sam\.checkpoint: there is no file other\.pth",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), MISSING, ids=[s for _, s in MISSING])
def test_what_is_missing_is_named(root: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        _plan(root, **changes)
    assert "\n" not in str(caught.value)


def test_a_file_of_a_method_that_is_not_chosen_may_be_missing(root: Path) -> None:
    changes = {"select__psm__features__weights": "no.pth", "report__variants": []}
    assert _plan(root, variant="top1", select__method="sam_top1", **changes).shards


def test_official_files_of_sam_are_named_to_those_who_ask_sam_alone(root: Path) -> None:
    changes = {"propose__segmenter": "saliency", "select__method": "sam_top1"}
    for name in ("no.pth", "sam_vit_b_01ec64.pth"):
        block = {"propose__saliency": {"checkpoint": name}, "report__variants": []}
        said = rf"saliency\.checkpoint: .*{name}\. Correct the path\.$"
        with pytest.raises(ValueError, match=said):
            _plan(root, refine__method="as_it_is", variant="top1", **changes, **block)


def test_a_segmenter_without_weights_has_no_file(root: Path) -> None:
    changes = {"propose__segmenter": "filled", "select__method": "sam_top1", "report__variants": []}
    for block in ({}, {"propose__filled": {}}):
        found = _plan(root, refine__method="as_it_is", variant="top1", **changes, **block)
        assert found.propose.weight_files("top1") == []
        assert found.fetched == NEVER


FOLDER: dict[str, Any] = {"propose__segmenter": "transformers", "report__variants": []}


def _folder(path: Path, model_type: str = "sam2") -> Path:
    """A folder as save_pretrained writes it, with nothing in its weights."""
    path.mkdir(parents=True)
    (path / "config.json").write_text(f'{{"model_type": "{model_type}"}}')
    for name in ("processor_config.json", "model.safetensors"):
        (path / name).touch()
    return path


def _on_folder(root: Path, path: str | None, **changes: Any) -> Plan:
    asked = {"propose__transformers": {"path": path}, "select__psm__features__source": "resnet18"}
    return _plan(root, **{**FOLDER, **asked, **changes})


def test_a_folder_of_weights_is_found_and_its_files_are_known(root: Path) -> None:
    folder = _folder(root / "model")
    found = _on_folder(root, "model")
    names = ["config.json", "processor_config.json", "model.safetensors"]
    wanted = [str(folder / name) for name in names]
    assert [file.path for file in found.propose.weight_files("v")] == wanted
    assert found.fetched == NEVER
    _folder(Path("{x}"))
    linked = [file.path for file in _on_folder(root, "{x}").propose.weight_files("v")]
    assert all(Path(path).exists() and "{" not in path for path in linked)
    assert [Path(path).name for path in linked] == names


NO_FOLDER = [
    (None, "sam2", r"propose\.transformers\.path: null\. Name a local folder"),
    ("no", "sam2", r"propose\.transformers\.path: there is no folder no\."),
    ("model", "bert", r"propose\.transformers\.path: model holds a model of type bert"),
]


@pytest.mark.parametrize(("path", "kind", "said"), NO_FOLDER, ids=[s for *_, s in NO_FOLDER])
def test_a_folder_that_will_not_do_is_named(
    root: Path, path: str | None, kind: str, said: str
) -> None:
    _folder(Path("model"), kind)
    with pytest.raises(ValueError, match=said) as caught:
        _on_folder(root, path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_nobody_asks_may_be_missing(root: Path) -> None:
    features = {"source": "resnet18", "path": "no", "weights": None, "weights_sha256": None}
    changes = {"propose__transformers": {"path": "no"}, "select__psm__features": features}
    assert _plan(root, report__variants=[], **changes).shards


def test_a_backbone_that_is_missing_is_named(root: Path) -> None:
    features = {"source": "transformers", "path": "no", "weights": None, "weights_sha256": None}
    with pytest.raises(ValueError, match=r"select\.psm\.features\.path: there is no folder no\."):
        _plan(root, report__variants=[], select__psm__features=features)


def test_variables_and_home_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", "/d")
    monkeypatch.setenv("HOME", "/h")
    assert expanded("${DATA}/a$b/${DATA}", "key") == "/d/a$b//d"
    assert expanded("~/a", "key") == "/h/a"


def test_an_official_file_that_is_missing_is_fetched(root: Path) -> None:
    official = "models/sam_vit_b_01ec64.pth"
    other = {"propose": {"sam": {"checkpoint": "sam_vit_h_4b8939.pth"}}}
    variants = {**VARIANTS, "full": other}
    found = _plan(root, propose__sam__checkpoint=official, variants=variants)
    assert found.fetched == r"models/sam_vit_b_01ec64\.pth|sam_vit_h_4b8939\.pth"


def test_what_a_network_starts_from_is_fetched_too(root: Path) -> None:
    resnet, vgg = "w/resnet50-0676ba61.pth", "w/vgg16-397923af.pth"
    found = _plan(root, train__weights=resnet, select__psm__features__source="resnet50",
                  select__psm__features__weights=vgg)  # fmt: skip
    assert set(found.fetched.split("|")) == {re.escape(resnet), re.escape(vgg)}
    assert found.train.weights(SimpleNamespace(home="r/v")) == [resnet]
    Path("w").mkdir()
    Path(resnet).touch()
    assert _plan(root, train__weights=resnet).fetched == NEVER


def test_a_file_to_start_from_that_would_be_misread_is_refused(root: Path) -> None:
    with pytest.raises(ValueError, match=r"train\.weights: Snakemake misreads"):
        _plan(root, train__weights="{x}/resnet50-0676ba61.pth")


def test_a_file_that_is_there_is_no_rules_business(root: Path) -> None:
    Path("sam_vit_b_01ec64.pth").touch()
    assert _plan(root, propose__sam__checkpoint="sam_vit_b_01ec64.pth").fetched == NEVER
    assert fetched([]) == NEVER


def test_a_drawn_split_lies_in_a_home_and_one_on_disk_where_it_is() -> None:
    drawn = Split("results/{home}/images", "results/{home}/a.json").below("r/seed-1")
    assert (drawn.images, drawn.annotations) == (
        "results/r/seed-1/images",
        "results/r/seed-1/a.json",
    )
    assert Split("data/images", "data/a.json").below("r").images == "data/images"


def test_what_snakemake_would_misread_is_linked(root: Path) -> None:
    Path("data").rename("{home} <data>")
    Path("-x.pth").touch()
    split = {**FILES, "images": "{home} <data>/images", "annotations": "{home} <data>/a.json"}
    data = {"dataset__source": "files", "dataset__train": split, "dataset__val": split}
    found = _plan(root, **data, train__weights="-x.pth", propose__sam__checkpoint="-x.pth")
    shared, job = SimpleNamespace(home="r"), SimpleNamespace(home="r/v")
    held_out = found.predict_held_out
    linked = [
        *(found.prepare.image_folder(shared), found.prepare.annotations(shared)),
        *(*held_out.val_image_folder(job), *held_out.val_annotations(job)),
        *(*found.train.weights(job), *found.propose.weights(shared)),
    ]
    names = ["images", "a.json", "images", "a.json", "_x.pth", "_x.pth"]
    assert [Path(path).name for path in linked] == names
    assert all(path.startswith("results/r/links/") and Path(path).exists() for path in linked)
    assert found.fetched == NEVER


def test_a_file_to_be_fetched_into_a_folder_that_would_be_misread_is_refused(root: Path) -> None:
    sentence = (
        r"propose\.sam\.checkpoint: Snakemake misreads the '{' in '{x}/sam_vit_b_01ec64\.pth'"
    )
    with pytest.raises(ValueError, match=sentence):
        _plan(root, propose__sam__checkpoint="{x}/sam_vit_b_01ec64.pth")


@pytest.mark.parametrize(
    ("train", "val", "wanted"),
    [
        ("coco", [], ()),
        ("coco", ["coco"], ()),
        ("coco", ["voc"], ("val",)),
        ("voc", [], ("train",)),
        ("voc", ["coco"], ("train", "val")),
        ("voc", ["yolo"], ("train", "val")),
    ],
)
def test_held_out_labels_are_translated_where_one_of_the_two_is_not_coco(
    train: str, val: list[str], wanted: tuple[str, ...]
) -> None:
    of = [Split("images", "labels", name) for name in (train, *val)]
    assert translated(of[0], of[1:]) == wanted
