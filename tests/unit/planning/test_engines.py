"""Which engines can train, and whose code a training rests on."""

import pytest

from stages.engines.engine import ENGINES
from stages.planning.engines import engines_here
from stages.runtime.code import code_of


def test_with_conda_every_engine_can_train() -> None:
    assert engines_here(conda=True) == ("torchvision", "detectron2")


def test_without_conda_an_engine_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stages.planning.engines.is_importable", lambda name: name == "torchvision")
    assert engines_here(conda=False) == ("torchvision",)


@pytest.mark.parametrize(
    ("engine", "wanted", "others"),
    [
        ("torchvision", "stages.engines.roi_heads", "detectron2"),
        ("detectron2", "stages.engines.detectron2.heads", "engines.torchvision"),
    ],
)
def test_the_code_of_a_training_is_that_of_its_engine(
    engine: str, wanted: str, others: str
) -> None:
    names = [entry.split("@")[0] for entry in code_of("stages.train", ENGINES[engine].module)]
    assert wanted in names
    assert "stages.engines.hooks" in names
    assert not [name for name in names if others in name]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_rests_on_no_other(engine: str) -> None:
    others = {method.module for name, method in ENGINES.items() if name != engine}
    alone = {entry.split("@")[0] for entry in code_of(ENGINES[engine].module)}
    assert not alone & others
