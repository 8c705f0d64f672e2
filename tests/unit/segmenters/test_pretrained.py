"""Folders of strangers: what is read of them, and the sentence for each that will not do."""

import json
from pathlib import Path

import pytest

from stages.segmenters import transformers_loading
from stages.segmenters.families import FAMILIES, family_of
from stages.segmenters.pretrained import model_type, pretrained_digest, pretrained_files
from stages.segmenters.transformers import model_digest
from stages.settings.segmenters.transformers import Settings

WHOLE = {"config.json": '{"model_type": "sam"}', "preprocessor_config.json": "{}"}
INDEX = "model.safetensors.index.json"


def written(folder: Path, **more: str) -> Path:
    """A folder with a config and, by their names without dots, more files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**WHOLE, **{k.replace("__", "."): v for k, v in more.items()}}.items():
        (folder / name).write_text(text)
    return folder


def test_of_a_folder_config_preparation_and_weights_are_read(tmp_path: Path) -> None:
    folder = written(tmp_path, model__safetensors="w", README__md="r", pytorch_model__bin="p")
    names = [path.name for path in pretrained_files(folder, "k")]
    assert names == ["config.json", "preprocessor_config.json", "model.safetensors"]


def test_weights_in_parts_are_read_with_their_index(tmp_path: Path) -> None:
    index = {"weight_map": {"b": "two.safetensors", "a": "one.safetensors", "c": "one.safetensors"}}
    folder = written(tmp_path, one__safetensors="1", two__safetensors="2")
    (folder / INDEX).write_text(json.dumps(index))
    names = [path.name for path in pretrained_files(folder, "k")]
    assert names[2:] == [INDEX, "one.safetensors", "two.safetensors"]


@pytest.mark.parametrize("name", [*WHOLE, "model.safetensors"])
def test_an_edit_of_any_file_that_is_read_is_another_digest(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path, model__safetensors="w", README__md="r")
    first = pretrained_digest(folder, "k")
    (folder / "README.md").write_text("edited")
    assert pretrained_digest(folder, "k") == first
    (folder / name).write_text(f"{(folder / name).read_text()} ")
    assert pretrained_digest(folder, "k") != first


def test_a_folder_that_was_moved_has_the_same_digest(tmp_path: Path) -> None:
    folder = written(tmp_path / "a", model__safetensors="w")
    first = pretrained_digest(folder, "k")
    assert pretrained_digest(folder.rename(tmp_path / "b"), "k") == first


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"k: there is no folder .*nothing is fetched"):
        pretrained_files(tmp_path / "none", "k")


@pytest.mark.parametrize("name", WHOLE)
def test_half_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path, model__safetensors="w")
    (folder / name).unlink()
    with pytest.raises(ValueError, match=r"has no config\.json, or neither of preproc"):
        pretrained_files(folder, "k")


def test_pickles_are_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, pytorch_model__bin="p")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin, a pickle that may run code"):
        pretrained_files(folder, "k")


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no weights, but model\.safetensors is wanted"):
        pretrained_files(written(tmp_path), "k")


@pytest.mark.parametrize("name", ["../x.safetensors", "gone.safetensors"])
def test_parts_out_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "a")
    (tmp_path / "x.safetensors").write_text("x")
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ValueError, match=r"names .*, which is not in the folder"):
        pretrained_files(folder, "k")


@pytest.mark.parametrize("text", ["{}", '{"weight_map": {}}', '{"weight_map": 3}'])
def test_an_index_of_nothing_is_refused(tmp_path: Path, text: str) -> None:
    folder = written(tmp_path)
    (folder / INDEX).write_text(text)
    with pytest.raises(ValueError, match="names no part"):
        pretrained_files(folder, "k")


def test_an_adapter_that_would_be_laid_over_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, model__safetensors="w", adapter_config__json="{}")
    with pytest.raises(ValueError, match=r"holds an adapter_config\.json"):
        pretrained_files(folder, "k")


@pytest.mark.parametrize("text", ["", "[", "[]", "{}", '{"model_type": 3}', "\udcff"])
def test_a_config_that_names_no_model_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=r"k: .*config\.json"):
        model_type(tmp_path, "k")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_told_by_the_config(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": name}))
    assert family_of(tmp_path, "k") is FAMILIES[name]


def test_a_model_that_answers_no_prompts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match=r"type bert, which answers no prompts.*sam2_video"):
        family_of(tmp_path, "k")


def test_a_segmenter_without_a_folder_is_refused() -> None:
    with pytest.raises(ValueError, match=r"propose\.transformers\.path: null\. Name a local"):
        model_digest(Settings())


def test_where_the_library_is_missing_its_install_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path, model__safetensors="w")
    monkeypatch.setattr(transformers_loading, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"transformers is not installed\. Run pip install transf"):
        model_digest(Settings(path=str(folder)))
