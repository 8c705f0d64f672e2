"""Bags of one image and what the pipeline chose of them, from rows of the tables, for scoring."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from stages.geometry.masks import rle_of
from stages.metrics.choices import ScoredBag
from stages.tables.proposals import PROPOSALS
from stages.tables.refinements import REFINEMENTS
from stages.tables.selections import SELECTIONS
from stages.tables.table import boxes_of

RECORDS = {"proposals": PROPOSALS, "selections": SELECTIONS, "refinements": REFINEMENTS}
COLUMNS = {  # of each table, so that no more is read than is needed
    "proposals": (
        *("image_id", "instance_id", "proposal_id", "prompt_kind", "mask_index", "box", "area"),
        *("rle", "height", "width", "sam_score"),
    ),
    "selections": ("image_id", "instance_id", "proposal_id", "selected"),
    "refinements": (
        *("image_id", "instance_id", "box_psm", "box_select", "box_prm", "bms_rule"),
        *("proposal_id", "proposal_id_select", "rle", "height", "width", "bag_score"),
    ),
}


def bags_of(proposals: pa.Table | None) -> dict[int, ScoredBag]:
    """Bags of one image by instance; proposals that belong to none are left out.

    Parameters
    ----------
    proposals : rows of one image, with its COLUMNS; None for no rows.
    """
    if proposals is None:
        return {}
    ids = np.asarray(proposals.column("instance_id").to_pylist())
    wanted = [int(i) for i in dict.fromkeys(ids.tolist()) if i is not None]
    return {instance: _bag(proposals.filter(pa.array(ids == instance))) for instance in wanted}


def _bag(rows: pa.Table) -> ScoredBag:
    size = rows.column("height")[0].as_py(), rows.column("width")[0].as_py()
    return ScoredBag(
        rles=[rle_of(counts, *size) for counts in rows.column("rle").to_pylist()],
        boxes=boxes_of(rows).astype(np.float64),
        area=rows.column("area").to_numpy(),
        proposal_id=rows.column("proposal_id").to_numpy(),
        slot=rows.column("mask_index").to_numpy(),
        is_point=np.array([kind == "point" for kind in rows.column("prompt_kind").to_pylist()]),
        sam_score=rows.column("sam_score").to_numpy(),
    )


def chosen_of(tables: Mapping[str, pa.Table | None]) -> dict[int, dict[str, int]]:
    """For each instance of one image the proposal_id that PSM, PRM and PRM+BMS chose.

    Parameters
    ----------
    tables : rows of "selections" and "refinements", with their COLUMNS; None for no rows.
    """
    chosen: dict[int, dict[str, int]] = {}
    selections, refinements = tables["selections"], tables["refinements"]
    for row in selections.to_pylist() if selections is not None else []:
        if row["selected"]:
            chosen.setdefault(row["instance_id"], {})["psm"] = row["proposal_id"]
    for row in refinements.to_pylist() if refinements is not None else []:
        entry = chosen.setdefault(row["instance_id"], {})
        entry["prm"], entry["prm_bms"] = row["proposal_id_select"], row["proposal_id"]
    return chosen
