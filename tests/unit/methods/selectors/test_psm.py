"""PSM behind the door: rows of a selection, and what it depends on."""

from pathlib import Path
from typing import Any

import pytest
import torch

from stages.learning.bags import image_bags
from stages.learning.select_step import Selection
from stages.methods.kit import Kit
from stages.methods.selectors import psm
from stages.runtime.provenance import sha256_of
from stages.settings.propose import Propose
from stages.settings.segmenters.sam import Settings as Sam
from stages.settings.select import Select
from stages.tables.checks import validate
from stages.tables.selections import SELECTIONS
from tests.bag_tables import LABELS, ROWS, images, proposals

ORDER = {10: 0, 20: 1, 30: 2}


def test_rows_are_those_of_the_bags_without_padding() -> None:
    image, labels = images().to_pylist()[0], LABELS.slice(0, 2)
    bags = image_bags(image, labels, proposals(ROWS[:4]), None, ORDER)
    score = torch.tensor([[0.1, 0.0, 0.3], [0.2, 0.0, 0.0]])
    selection = Selection(
        score_cls=score,
        score_ins=score,
        score_dis=torch.ones(2, 3),
        score=score,
        chosen=torch.tensor([2, 0]),
        bag_score=torch.tensor([0.4, 1.00001]),
    )
    table = psm.selection_rows(bags, selection, [10, 20, 30])
    validate(table, SELECTIONS, "here")
    rows = table.to_pylist()
    assert [(r["bag_id"], r["proposal_id"]) for r in rows] == [(5, 0), (5, 1), (5, 2), (6, 0)]
    assert [r["selected"] for r in rows] == [False, False, True, True]
    assert [r["category_id"] for r in rows] == [30, 30, 30, 10]
    assert [r["score"] for r in rows] == pytest.approx([0.1, 0.0, 0.3, 0.2])
    assert [r["bag_score"] for r in rows] == pytest.approx([0.4, 0.4, 0.4, 1.0])


def test_facts_are_checksums_and_nothing_is_loaded(
    tmp_path: Path, random_sam: dict[str, Any]
) -> None:
    model = tmp_path / "model.pt"
    model.write_bytes(b"not read")
    propose = Propose(sam=Sam(**random_sam))
    facts = psm.facts_of_method(Kit(tmp_path, (10,), propose, Select(), model=model))
    assert facts["fitted"] == sha256_of(model)
    assert facts["model_sha256"] == sha256_of(Path(random_sam["checkpoint"]))
    assert "segment-anything-py" in facts["packages"]


@pytest.mark.parametrize(("model", "said"), [(None, "needs --model"), ("no.pt", "missing")])
def test_without_a_model_there_is_a_sentence(
    tmp_path: Path, random_sam: dict[str, Any], model: str | None, said: str
) -> None:
    propose = Propose(sam=Sam(**random_sam))
    kit = Kit(tmp_path, (10,), propose, Select(), model=tmp_path / model if model else None)
    with pytest.raises(ValueError, match=said):
        psm.facts_of_method(kit)
