"""fit_refine and refine with refiner `sim`, as rules call them: all shards, then one by one."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages import fit_refine, refine
from stages.learning.model_file import load_model
from stages.runtime.provenance import sha256_of
from stages.segmenters.segmenter import SEGMENTERS
from stages.tables.headers import read_header
from stages.tables.pseudo_labels import PSEUDO_LABELS
from stages.tables.table import read_table
from tests.taught_set import NAME, SMALL, TEACHER, TaughtSet, build_taught_set


@pytest.fixture(autouse=True)
def _teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEGMENTERS, NAME, TEACHER)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> TaughtSet:
    return build_taught_set(tmp_path_factory.mktemp("taught"))


def flags(drawn: TaughtSet, **block: Any) -> list[str]:
    """Those that both programs share."""
    values = {"method": "sim", "zoom": {"enabled": False}, "sim": {**SMALL, **block}}
    paths: dict[str, Any] = {"image_folder": drawn.folder}
    for name in ("images", "weak_labels", "categories"):
        paths[name] = drawn.folder / f"{name}.parquet"
    paths |= {"device": "cpu", "settings": json.dumps(values)}
    paths |= {"propose_settings": json.dumps({"segmenter": NAME})}
    paths |= {"select_settings": json.dumps({"method": "sam_top1"})}
    return [word for k, v in paths.items() for word in (f"--{k.replace('_', '-')}", str(v))]


def fit(drawn: TaughtSet, out: Path, **block: Any) -> Path:
    words = [*flags(drawn, **block), "--propose-model", str(drawn.folder / "teacher.pt")]
    words += ["--proposals", *map(str, drawn.files("proposals"))]
    words += ["--selections", *map(str, drawn.files("selections"))]
    fit_refine.main([*words, "--out", str(out), "--out-log", str(out.with_suffix(".jsonl"))])
    return out


def refined(drawn: TaughtSet, folder: Path, *more: str, **block: Any) -> list[Path]:
    """Both shards."""
    found = []
    for number in range(2):
        shard = f"{number:04d}-of-0002"
        words = [*flags(drawn, **block), *more, "--shard", shard]
        words += ["--proposals", str(drawn.files("proposals")[number])]
        words += ["--selections", str(drawn.files("selections")[number])]
        out = folder / f"shard-{shard}.parquet"
        words += ["--out", str(out), "--out-trail", str(folder / f"trail-{shard}.parquet")]
        refine.main([*words, "--answers", str(folder / "answers")])
        found.append(out)
    return found


def test_prototypes_and_labels_are_made(drawn: TaughtSet, tmp_path: Path) -> None:
    model = fit(drawn, tmp_path / "model.pt")
    header = load_model(model)[1]
    teacher = drawn.folder / "teacher.pt"
    assert header["stage"] == "stages.fit_refine"
    assert header["model_sha256"] == sha256_of(teacher)
    assert not {"alpha", "tau", "thresholds", "min_score"} & set(header["settings"]["sim"])
    assert any("prototype_fitting" in code for code in header["code"])
    assert not any("refine_step" in code for code in header["code"])
    models = "--model", str(model), "--propose-model", str(teacher)
    shards = refined(drawn, tmp_path, *models)
    rows = [row for path in shards for row in read_table(path, PSEUDO_LABELS).to_pylist()]
    assert sorted(row["instance_id"] for row in rows) == sorted(drawn.truth)
    assert {row["mask_source"] for row in rows} == {"fused"}
    facts = read_header(shards[0])
    assert facts["fitted"] == sha256_of(model)
    assert facts["asked_sha256"] == sha256_of(teacher)
    assert any("refiners/sim" in code or "refiners.sim" in code for code in facts["code"])


def test_the_same_bytes_again(drawn: TaughtSet, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        model = fit(drawn, folder / "model.pt")
        models = "--model", str(model), "--propose-model", str(drawn.folder / "teacher.pt")
        made.append([path.read_bytes() for path in (model, *refined(drawn, folder, *models))])
    assert made[0] == made[1]


def test_alpha_1_needs_neither_model(drawn: TaughtSet, tmp_path: Path) -> None:
    shards = refined(drawn, tmp_path, alpha=1.0)
    assert sum(len(read_table(path, PSEUDO_LABELS)) for path in shards) == len(drawn.truth)


def test_without_the_teacher_s_model_there_are_no_prototypes(
    drawn: TaughtSet, tmp_path: Path
) -> None:
    words = [*flags(drawn), "--proposals", *map(str, drawn.files("proposals"))]
    words += ["--selections", *map(str, drawn.files("selections"))]
    out = ["--out", str(tmp_path / "m.pt"), "--out-log", str(tmp_path / "m.jsonl")]
    with pytest.raises(ValueError, match="needs --model, and none was given"):
        fit_refine.main([*words, *out])
