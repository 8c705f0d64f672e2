"""Results that others made are named before anything runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from stages.planning.foreign import outputs, refuse_strangers
from stages.planning.stage_plan import FITTED
from stages.settings.readers import without_places
from tests.small_config import compared, plan


def test_a_file_of_each_job_is_looked_at() -> None:
    paths = {str(path) for path, _, _ in outputs(plan(**compared("top1", "full")))}
    assert {
        "results/r/prepare/images.parquet",
        "results/r/propose/shard-0001-of-0002.parquet",
        "results/r/v/fit_select/model.pt",
        "results/r/v/train/torchvision/training.json",
        "results/r/seed-2/top1/select/shard-0000-of-0002.parquet",
        "results/r/seed-2/full/export/pseudo_labels.json",
        "results/r/seed-2/full/evaluate/metrics.json",
    } <= paths
    assert "results/r/seed-2/top1/fit_select/model.pt" not in paths
    assert not [path for path in paths if "{" in path]


def test_a_training_of_both_is_told_apart_by_what_follows_it() -> None:
    """Its header says what both methods were trained with, and its settings are those of one."""
    paths = {str(path) for path, _, _ in outputs(plan(refine__prm__fit="joint"))}
    assert "results/r/v/fit_select/model.pt" not in paths
    assert "results/r/v/select/shard-0000-of-0002.parquet" in paths


@pytest.fixture
def headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, tuple[dict[str, Any], int]]:
    """Settings and seeds in the headers of files without a record, by path."""
    held: dict[str, tuple[dict[str, Any], int]] = {}

    def unrecorded(paths: Sequence[Path], folder: Path) -> list[Path]:
        return [path for path in paths if str(path) in held and folder.name == ".snakemake"]

    def foreign(path: Path, *, settings: Mapping[str, Any], seed: int) -> str | None:
        return None if held[str(path)] == (settings, seed) else f"{path}: made by another"

    monkeypatch.setattr("stages.planning.foreign.unrecorded", unrecorded)
    monkeypatch.setattr("stages.planning.foreign.foreign", foreign)
    monkeypatch.chdir(tmp_path)
    return held


def _make(path: str, headers: dict[str, tuple[dict[str, Any], int]], *header: Any) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).touch()
    headers[path] = header  # type: ignore[assignment]


EXPORT = "results/r/seed-1/top1/export/pseudo_labels.json"
FOREIGN = [({"transforms": []}, 1, False), ({"transforms": []}, 2, True), ({}, 1, True)]


@pytest.mark.parametrize(("settings", "seed", "refused"), FOREIGN)
def test_another_seed_or_other_settings_are_refused(
    settings: dict[str, Any],
    seed: int,
    refused: bool,
    headers: dict[str, tuple[dict[str, Any], int]],
) -> None:
    found = plan(**compared("top1", "full"))
    _make(EXPORT, headers, settings, seed)
    if refused:
        with pytest.raises(ValueError, match=r"pseudo_labels\.json: made by another"):
            refuse_strangers(found, Path(".snakemake"))
    else:
        refuse_strangers(found, Path(".snakemake"))


def test_each_file_is_held_against_the_settings_of_its_own_job(
    headers: dict[str, tuple[dict[str, Any], int]],
) -> None:
    found = plan(**compared("top1", "full"))
    for path, stage, job in outputs(found):
        section = FITTED.get(stage.stage, stage.stage)
        _make(str(path), headers, without_places(section, stage.values(job)), stage.seed(job))
    refuse_strangers(found, Path(".snakemake"))


def test_what_is_not_there_is_not_looked_at(
    headers: dict[str, tuple[dict[str, Any], int]],
) -> None:
    headers[EXPORT] = ({}, 9)
    refuse_strangers(plan(**compared("top1", "full")), Path(".snakemake"))


def test_a_stage_without_a_folder_has_nothing_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = plan(**compared("top1", "full"))
    assert list(outputs(found, there=True)) == []
    Path("results/r/seed-2/full/export").mkdir(parents=True)
    (only,) = outputs(found, there=True)
    assert str(only[0]) == "results/r/seed-2/full/export/pseudo_labels.json"
