"""A tiny SAM with random weights, a picture, and prompts about it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from segment_anything.modeling import Sam

from stages.segmenters.derived import Question, own_questions
from stages.segmenters.proposing import Proposer
from stages.segmenters.sam import SamSegmenter
from stages.segmenters.tiny import build_vit_tiny
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.tables.prompts import PROMPTS
from stages.tables.table import rows_table

POINTS = ((10.0, 10.0), (40.5, 20.5), (63.9, 47.9))
IDS = (3, 8, 11)


@pytest.fixture(scope="session")
def sam() -> Sam:
    torch.manual_seed(0)
    return build_vit_tiny().requires_grad_(False)


@pytest.fixture
def picture() -> np.ndarray:
    """(48, 64, 3): squares of 8 px."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return small.repeat(8, axis=0).repeat(8, axis=1)


@pytest.fixture
def proposer(sam: Sam) -> Callable[..., Proposer]:
    """Asks the tiny SAM with these settings of section `propose`, without cleaning."""

    def made(*, seed: int = 0, **values: Any) -> Proposer:
        settings = from_values(Propose, {"clean": 0.0, **values}, "propose")
        return Proposer(SamSegmenter(sam, settings.sam), settings, seed=seed)

    return made


@pytest.fixture
def pointed() -> list[Question]:
    """Three points, each of its own object."""
    return own_questions(
        prompt_rows(*(point_row(bag, xy) for bag, xy in zip(IDS, POINTS, strict=True)))
    )


def prompt_rows(*rows: dict[str, Any]) -> pa.Table:
    return rows_table(PROMPTS, [{"image_id": 1, "prompt_id": 0, **row} for row in rows])


def point_row(bag_id: int, xy: Sequence[float], **more: Any) -> dict[str, Any]:
    return {"bag_id": bag_id, "kind": "point", "points": [list(xy)], "point_signs": [1], **more}


def box_row(bag_id: int, box: Sequence[float], **more: Any) -> dict[str, Any]:
    return {"bag_id": bag_id, "kind": "box", "box": list(box), **more}


@pytest.fixture
def rows() -> Any:
    """Makers of table `prompts`: `rows.table(...)`, `rows.point(...)`, `rows.box(...)`."""

    class Makers:
        table = staticmethod(prompt_rows)
        point = staticmethod(point_row)
        box = staticmethod(box_row)

    return Makers
