"""A promptable model of transformers, and a backbone, through Snakemake from propose to refine."""

from collections.abc import Mapping
from typing import Any

import pytest

from stages.segmenters.pretrained import pretrained_digest
from stages.tables.headers import read_header
from tests.workflow.workspace import TINY, Workspace, merged

pytest.importorskip("transformers", reason="transformers is not installed")

from tests.tiny_transformers import saved, saved_backbone

SHARD = "shard-0000-of-0001"
ASKING = {"propose", "fit_select", "select", "fit_refine", "refine"}


def set_up(workspace: Workspace, **layers: Mapping[str, Any]) -> None:
    """One shard of four images; what the embeddings are good for is not the question."""
    small = {"shards": 1, "dataset": {"partworld": {"train": 4, "val": 1}}}
    workspace.configure(merged(TINY, small, layers))


def run(workspace: Workspace, *arguments: str) -> dict[str, int]:
    """Run, and give the jobs per rule."""
    outcome = workspace.snakemake("--until", *arguments)
    assert outcome.code == 0, outcome.text
    return outcome.jobs()


def proposed(workspace: Workspace) -> str:
    """What propose said last."""
    run(workspace, "propose")
    return workspace.log(f"propose/{SHARD}")


def digest_in(workspace: Workspace, stage: str) -> str:
    (path,) = workspace.results().rglob(f"{stage}/{SHARD}.parquet")
    return str(read_header(path)["model_sha256"])


@pytest.mark.long
def test_a_model_of_transformers_is_asked_looked_through_and_watched(fresh: Workspace) -> None:
    folder = saved("sam2_video", fresh.folder / "model")
    set_up(
        fresh,
        propose={"segmenter": "transformers", "transformers": {"path": "model"}, "mirror": True},
        select={"psm": {"features": {"source": "transformers"}}},
        refine={"zoom": {"enabled": True}},
    )
    assert set(run(fresh, "refine")) >= ASKING
    assert "embedded 4 images, 0 answered before" in fresh.log(f"propose/{SHARD}")
    digest = pretrained_digest(folder, "k")
    assert digest_in(fresh, "propose") == digest_in(fresh, "select") == digest
    assert any((fresh.results() / "embeddings").rglob("*.npy"))
    assert not run(fresh, "refine")

    config = folder / "config.json"
    before = config.read_text()
    config.write_text(before)  # touched
    assert not run(fresh, "refine")
    config.write_text(f"{before} ")
    assert set(run(fresh, "refine", "-n")) >= ASKING
    assert "embedded 4 images, 0 answered before" in proposed(fresh)
    assert digest_in(fresh, "propose") != digest
    config.write_text(before)
    assert "embedded 0 images, 4 answered before" in proposed(fresh)
    assert digest_in(fresh, "propose") == digest


@pytest.mark.long
def test_a_backbone_gives_features_beside_the_tiny_sam(fresh: Workspace) -> None:
    folder = saved_backbone("dinov2", fresh.folder / "dino")
    frozen = {"source": "transformers", "path": "dino", "short_side": 56, "long_side": 112}
    set_up(fresh, select={"psm": {"features": frozen}})
    run(fresh, "select")
    assert digest_in(fresh, "select") == pretrained_digest(folder, "k")
    assert digest_in(fresh, "propose") != digest_in(fresh, "select")
    saved_backbone("dinov2", folder, seed=1)
    assert set(run(fresh, "refine", "-n")) == ASKING - {"propose"}


def test_a_folder_without_weights_is_refused_before_anything_runs(fresh: Workspace) -> None:
    (fresh.folder / "model").mkdir()
    set_up(fresh, propose={"segmenter": "transformers", "transformers": {"path": "model"}})
    outcome = fresh.snakemake("-n")
    assert outcome.code != 0
    assert "source: sam, but propose.segmenter is transformers" in outcome.text
    set_up(
        fresh,
        propose={"segmenter": "transformers", "transformers": {"path": "model"}},
        select={"psm": {"features": {"source": "transformers"}}},
    )
    outcome = fresh.snakemake("-n")
    assert outcome.code != 0
    assert "propose.transformers.path: model has no config.json" in outcome.text
