"""PSM finds the objects of a small PartWorld: its masks beat random ones by far.

The bags are surrogates made from ground truth (see `tests/world.py`): tests only.
"""

from pathlib import Path
from typing import Any

import numpy as np

from stages.geometry.masks import masks_to_rles, rle_iou, rle_of
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_tables
from tests.world import Run, build_world

CHECKPOINT = Path(__file__).parents[3] / "workflow" / "resources" / "vit_tiny.pth"
SETTINGS = {
    "psm": {
        "quality_exponent": 0,  # the surrogates' scores say nothing
        "training": {"epochs": 14, "batch_images": 4, "flip": 0.0, "lr": 2e-3},
    }
}
MARGIN = 0.1  # seen: 0.20


def test_psm_beats_a_random_proposal_on_partworld(tmp_path: Path) -> None:
    sam = {"model": "vit_tiny", "checkpoint": str(CHECKPOINT)}
    run = Run(build_world(tmp_path, 40, sam=sam), tmp_path)
    run.fit_select(SETTINGS)
    run.select(SETTINGS)
    chosen = read_tables(run.selections, SELECTIONS).column("selected").to_numpy()
    paths = [tmp_path / f"proposals-{shard}.parquet" for shard in (0, 1)]
    rows = read_tables(paths, PROPOSALS).to_pylist()
    quality = np.array([quality_of(row, run.world.true_masks) for row in rows])
    bags = np.array([row["bag_id"] for row in rows])
    random = np.mean([quality[bags == bag].mean() for bag in np.unique(bags)])
    assert quality[chosen].mean() > random + MARGIN


def quality_of(row: dict[str, Any], true_masks: dict[int, np.ndarray]) -> float:
    """Mask IoU of a proposal with the object's true mask."""
    rle = rle_of(row["rle"], row["height"], row["width"])
    true = masks_to_rles(true_masks[row["bag_id"]][None])
    return float(rle_iou([rle], true)[0, 0])
