"""PRM behind the door: what it depends on."""

from pathlib import Path
from typing import Any

import pytest

from stages.methods.kit import Kit
from stages.methods.refiners import prm
from stages.runtime.provenance import sha256_of
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.segmenters.sam import Settings as Sam
from stages.settings.select import Select


def kit(folder: Path, sam: dict[str, Any], model: Path | None) -> Kit:
    propose = Propose(sam=Sam(**sam))
    return Kit(folder, (10,), propose, Select(), refine=Refine(), model=model)


def test_facts_are_checksums_and_nothing_is_loaded(
    tmp_path: Path, random_sam: dict[str, Any]
) -> None:
    model = tmp_path / "model.pt"
    model.write_bytes(b"not read")
    facts = prm.facts_of_method(kit(tmp_path, random_sam, model))
    assert facts["fitted"] == sha256_of(model)
    assert facts["model_sha256"] == sha256_of(Path(random_sam["checkpoint"]))
    assert {"segment-anything-py", "pycocotools", "torch"} <= set(facts["packages"])
    assert len(facts["packages"]) == len(set(facts["packages"]))


@pytest.mark.parametrize(("model", "said"), [(None, "needs --model"), ("no.pt", "missing")])
def test_without_a_model_there_is_a_sentence(
    tmp_path: Path, random_sam: dict[str, Any], model: str | None, said: str
) -> None:
    path = tmp_path / model if model else None
    with pytest.raises(ValueError, match=said):
        prm.facts_of_method(kit(tmp_path, random_sam, path))
