"""The recipe on real photographs, where PHOTOS points at them: all read, some proposed for."""

import os
import runpy
from pathlib import Path

import pytest

from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.workflow.workspace import ROOT, Workspace

pytestmark = pytest.mark.long

RECIPE = ("--configfile", "workflow/recipes/photographs.yaml", "--config", "shards=40")
SHARD = 1


@pytest.mark.photos
def test_photographs_with_supercategories_become_points_and_proposals(fresh: Workspace) -> None:
    (fresh.folder / "mine.yaml").unlink()
    files = sorted((Path(os.environ["PHOTOS"]) / "measure").glob("*.json"))
    example = runpy.run_path(str(ROOT / "examples" / "photographs_coco.py"))
    example["main"]([str(fresh.folder / "data" / "photographs.json"), *map(str, files)])
    shard = f"results/photographs/propose/shard-{SHARD:04d}-of-0040.parquet"
    outcome = fresh.snakemake(shard, *RECIPE)
    assert outcome.code == 0, outcome.text
    tables = fresh.folder / "results" / "photographs" / "prepare"
    images = read_table(tables / "images.parquet", IMAGES).to_pylist()
    assert len(images) == 181
    assert len(read_table(tables / "weak_labels.parquet", WEAK_LABELS)) == 951
    assert len(read_table(tables / "categories.parquet", CATEGORIES)) == 12
    mine = {image["image_id"] for image in images if image["shard"] == SHARD}
    proposals = read_table(fresh.folder / shard, PROPOSALS)
    assert set(proposals.column("image_id").to_pylist()) == mine
    assert len(mine) > 1
