"""The config: sound, wrong, missing, and what it asks for."""

from pathlib import Path
from typing import Any

import pytest

from stages.checkup.configured import judged_config, packages_of
from stages.checkup.finding import Finding
from stages.settings.judge import judged

ROOT = Path(__file__).resolve().parents[3]


def test_later_files_lie_over_earlier_ones_and_the_variant_over_all(tmp_path: Path) -> None:
    first, second = tmp_path / "1.yaml", tmp_path / "2.yaml"
    first.write_text("variant: full\nseed: 3\nthreads: 4\n")
    second.write_text("seed: 5\n")
    found = judged_config(ROOT, [first, second])
    assert not isinstance(found, Finding)
    assert (found["seed"], found["threads"]) == (5, 4)
    assert found["refine"]["prm"]["fit"] == "joint"  # of the variant


FAULTS = [
    ("seed: -1\n", "wrong", "seed"),
    ("sede: 1\n", "wrong", "sede"),
    ("a: [\n", "wrong", "line"),
    ("- 1\n", "wrong", ""),
    (None, "missing", "No such file"),
]


@pytest.mark.parametrize(("text", "state", "said"), FAULTS)
def test_a_faulty_config_is_one_line(
    text: str | None, state: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    found = judged_config(ROOT, [path])
    assert isinstance(found, Finding)
    assert found.state == state
    assert said in found.seen
    assert "\n" not in found.seen


ASKED: list[tuple[dict[str, Any], set[str]]] = [
    ({}, set()),
    ({"train": {"engine": "detectron2"}}, {"detectron2"}),
    ({"train": {"engine": "detectron2", "enabled": False}}, set()),
    ({"evaluate": {"backend": "faster_coco_eval"}}, {"faster-coco-eval"}),
    (
        {"select": {"psm": {"features": {"source": "transformers", "path": "x"}}}},
        {"transformers"},
    ),
]


@pytest.mark.parametrize(("changes", "packages"), ASKED)
def test_a_config_asks_for_what_its_methods_need(
    changes: dict[str, Any], packages: set[str]
) -> None:
    assert packages_of(judged(changes)) == packages
