"""What a job asks of a cluster, by numbers that can be followed by hand."""

import itertools
from dataclasses import replace

import pytest

from stages.planning.needs import (
    LONGEST,
    MEASURED,
    ROOM,
    ROUND,
    Load,
    light_memory,
    light_minutes,
    memory,
    minutes,
)
from stages.planning.plan import PLANNED

FIT = Load("fit_select", 1000, steps=8 * 125, batch=8)


@pytest.mark.parametrize("stage", PLANNED)
def test_every_stage_asks_for_more_than_was_measured(stage: str) -> None:
    asked = memory(Load(stage, 0), 1)
    assert asked > ROOM * MEASURED[stage][0]
    assert asked % ROUND == 0
    assert minutes(Load(stage, 0), 1) > 0


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_each_attempt_asks_for_twice_the_memory_and_for_more_time(attempt: int) -> None:
    assert memory(FIT, attempt) == memory(FIT, 1) * 2 ** (attempt - 1)
    assert minutes(FIT, attempt) == minutes(FIT, 1) * attempt
    assert light_memory(None, attempt) == 1000 * 2 ** (attempt - 1)
    assert light_minutes(None, attempt) == light_minutes(None, 1) * attempt


def test_no_job_asks_for_longer_than_a_week() -> None:
    endless = Load("train", 1000, steps=10**7, batch=16, pixels=16 * 800 * 1333)
    assert minutes(endless, 1) == minutes(endless, 3) == LONGEST


def test_processes_and_their_readers_are_cores_and_memory() -> None:
    alone = Load("fit_select", 1000, gpu=True, threads=2)
    team = replace(alone, processes=4, readers=16)
    assert (alone.cpus, team.cpus) == (2, 4 * (2 + 16))
    readers = 4 * 16 * 400  # MiB
    assert memory(team, 1) >= readers + 3 * (memory(alone, 1) - 2 * ROUND)


def test_images_in_work_are_cores_and_memory() -> None:
    alone = Load("propose", 1000, gpu=True, segmenter="vit_h", threads=2)
    several = replace(alone, at_once=4)
    assert (alone.cpus, several.cpus) == (2, 8)
    assert memory(several, 1) == memory(alone, 1) + 3000


def test_a_larger_segmenter_asks_for_more_and_a_gpu_for_less_of_the_host() -> None:
    sizes = ["vit_tiny", "vit_b", "vit_l", "vit_h"]
    loads = [Load("propose", 1000, segmenter=size) for size in sizes]
    for smaller, larger in itertools.pairwise(loads):
        assert memory(smaller, 1) < memory(larger, 1)
        assert minutes(smaller, 1) < minutes(larger, 1)
    on_gpu = replace(loads[-1], gpu=True)
    assert memory(on_gpu, 1) < memory(loads[-1], 1)
    assert minutes(on_gpu, 1) < minutes(loads[-1], 1)
    assert memory(replace(loads[0], segmenter="transformers"), 1) == memory(loads[-1], 1)


def test_pixels_of_a_step_stay_in_host_memory_without_a_gpu_alone() -> None:
    coco = Load("train", 1000, steps=90_000, batch=16, pixels=16 * 800 * 1333)
    on_cpu = 16 * 800 * 1333 * 4300 / 2**20
    assert on_cpu < memory(coco, 1) < 1.1 * on_cpu
    assert memory(replace(coco, gpu=True), 1) < 5000


def test_whole_tables_grow_with_the_images() -> None:
    few, many = (memory(Load("evaluate", images), 1) for images in (1000, 101_000))
    assert many - few == pytest.approx(ROOM * 120 * 100, abs=ROUND)
    assert memory(Load("grade", 1000), 1) == memory(Load("grade", 101_000), 1)
