"""Real photographs, where COCO_TINY points at them: read entirely, proposed for in part."""

import pytest

from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.table import read_table
from stages.tables.weak_labels import WEAK_LABELS
from tests.workflow.workspace import Workspace

pytestmark = pytest.mark.long

RECIPE = ("--configfile", "workflow/recipes/coco_tiny.yaml", "--config", "shards=40")
SHARD = 1


@pytest.mark.coco_tiny
def test_photographs_become_points_and_proposals(fresh: Workspace) -> None:
    shard = f"results/coco_tiny/propose/shard-{SHARD:04d}-of-0040.parquet"
    outcome = fresh.snakemake(shard, *RECIPE)
    assert outcome.code == 0, outcome.text
    tables = fresh.folder / "results" / "coco_tiny" / "prepare"
    images = read_table(tables / "images.parquet", IMAGES).to_pylist()
    assert len(images) == 80
    mine = {image["image_id"] for image in images if image["shard"] == SHARD}
    assert len(read_table(tables / "weak_labels.parquet", WEAK_LABELS)) == 699
    assert len(read_table(tables / "categories.parquet", CATEGORIES)) == 80
    proposals = read_table(fresh.folder / shard, PROPOSALS)
    assert set(proposals.column("image_id").to_pylist()) == mine
    assert len(mine) > 1
