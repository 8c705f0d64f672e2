"""What the jobs of a config ask for: GPUs, cores, memory, minutes."""

from types import SimpleNamespace
from typing import Any

import pytest

from stages.planning.needs import Load
from stages.planning.plan import Plan
from stages.planning.resources import A_SHARD
from tests.small_config import FILES, plan

TEAM = {"epochs": 8, "processes": 4, "workers": 4, "batch_images": 8}


def job(home: str, **more: str) -> Any:
    """The wildcards of a job."""
    return SimpleNamespace(home=home, **more)


def _fit(found: Plan) -> Load:
    return found.fit_select.load(job("r/v"))


def test_four_processes_with_sixteen_readers_have_their_cores() -> None:
    found = plan(select__psm__training=TEAM, device="cuda", threads=1).fit_select
    wildcards = job("r/v")
    assert found.gpus(wildcards) == 4
    assert found.threads(wildcards) == 4 * (1 + 4)  # sixteen readers, and four that compute
    assert found.memory(wildcards, 2) == 2 * found.memory(wildcards, 1)
    assert found.minutes(wildcards, 2) == 2 * found.minutes(wildcards, 1)


def test_a_job_on_the_cpu_has_no_gpu_and_no_more_cores_than_threads() -> None:
    found = plan(threads=3)
    assert found.fit_select.gpus(job("r/v")) == 0
    assert found.fit_select.threads(job("r/v")) == 3
    assert found.export.threads(job("r/v")) == 1


def test_what_does_not_compute_takes_no_gpu() -> None:
    assert not plan(device="cuda").export.load(job("r/v")).gpu


def test_images_are_those_of_the_drawn_world() -> None:
    world = {"train": 30, "val": 7, "salient": 90}
    found = plan(dataset__partworld=world)
    shard = {"shard": "0000-of-0002"}
    assert found.propose.load(job("r", **shard)).images == 15
    assert found.evaluate.load(job("r/v")).images == 37
    assert found.partworld.load(job("r", split="train")).images == 90
    assert found.predict_held_out.load(job("r/v", engine="torchvision")).images == 7
    assert _fit(plan(dataset__partworld=world, select__psm__training=TEAM)).steps == 8 * 5


def test_a_shard_of_files_on_disk_is_taken_for_a_thousand(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "a.json").write_text('{"images": []}')
    monkeypatch.chdir(tmp_path)
    found = plan(shards=5, dataset__source="files", dataset__train=FILES)
    assert found.propose.load(job("r", shard="0000-of-0005")).images == A_SHARD
    assert found.export.load(job("r/v")).images == 5 * A_SHARD


@pytest.mark.parametrize(
    ("source", "seen", "pixels"), [("sam", "vit_h", 0), ("resnet50", None, 8 * 80 * 133)]
)
def test_a_training_on_photographs_counts_their_pixels(
    source: str, seen: str | None, pixels: int
) -> None:
    features = {"source": source, "short_side": 80, "long_side": 133, "weights": None}
    found = _fit(
        plan(
            select__psm__training=TEAM,
            select__psm__features={**features, "weights_sha256": None},
            propose__sam__model="vit_h",
        )
    )
    assert (found.segmenter, found.pixels) == (seen, pixels)


def test_of_several_sizes_the_largest_counts() -> None:
    sizes = {"short_side": [640, 800], "long_side": 1333, "batch_images": 16}
    found = plan(**{f"train__{key}": value for key, value in sizes.items()})
    load = found.train.load(job("r/v", engine="torchvision"))
    assert (load.pixels, load.steps) == (16 * 800 * 1333, 3)


def test_the_segmenter_counts_where_it_is_opened_alone() -> None:
    found = plan(propose__sam__model="vit_b", select__method="sam_top1", refine__method="as_it_is")
    shard = {"shard": "0000-of-0002"}
    assert found.propose.load(job("r", **shard)).segmenter == "vit_b"
    assert found.select.load(job("r/v", **shard)).segmenter is None
    assert found.refine.load(job("r/v", **shard)).segmenter is None
    assert found.grade.load(job("r/v", **shard)).segmenter is None
