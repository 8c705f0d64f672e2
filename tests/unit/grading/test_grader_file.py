"""The file of a grader: what is written is read, and what strangers write is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.grading.additive import Additive, Curve
from stages.grading.evidence import KINDS
from stages.grading.grader_file import Grader, read_graders, write_graders

SHIPPED = Path(__file__).resolve().parents[3] / "workflow" / "resources" / "grader.json"
CURVE = Curve(np.array([0.0, 0.5]), np.array([-1.0, 1.0]), 0.25)
GRADER = Grader(Additive({"spread": CURVE}, 0.5), Additive({"size": CURVE}, -0.5))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_graders(tmp_path / "a.json", {"point": GRADER}, {"fit": "nothing"})
    [(kind, found)] = read_graders(tmp_path / "a.json").items()
    assert kind == "point"
    assert (found.score.constant, found.mask_quality.constant) == (0.5, -0.5)
    assert found.score.curves["spread"].knots.tolist() == [0, 0.5]
    assert found.score.curves["spread"].missing == 0.25
    assert json.loads((tmp_path / "a.json").read_text())["about"] == {"fit": "nothing"}


def test_the_shipped_one_has_a_model_for_every_kind() -> None:
    assert set(read_graders(SHIPPED)) == set(KINDS)


def curve(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = values["kinds"]["point"]["score"]["curves"]["spread"]
    return found


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another version": (lambda v: v.update(version=2), "version 2"),
    "no format": (lambda v: v.pop("format"), "format"),
    "a list": (lambda v: v.update(kinds=[]), "AttributeError"),
    "knots that fall": (lambda v: curve(v).update(knots=[0.5, 0.0]), "knots of spread"),
    "knots that stand still": (lambda v: curve(v).update(knots=[0.5, 0.5]), "knots of spread"),
    "too few values": (lambda v: curve(v).update(values=[1.0]), "knots of spread"),
    "no knots": (lambda v: curve(v).update(knots=[], values=[]), "knots of spread"),
    "text": (lambda v: curve(v).update(missing="1"), "no number"),
    "true": (lambda v: curve(v).update(missing=True), "no number"),
    "unknown evidence": (
        lambda v: v["kinds"]["point"]["score"]["curves"].update(hearsay=curve(v)),
        "no evidence 'hearsay'",
    ),
    "half a grader": (lambda v: v["kinds"]["point"].pop("score"), "score"),
}


@pytest.mark.parametrize(("change", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_what_is_no_grader_is_refused_in_one_sentence(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], words: str
) -> None:
    path = tmp_path / "a.json"
    write_graders(path, {"point": GRADER}, {})
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(ValueError, match=f"a.json: not a grader of version 1 .*{words}") as told:
        read_graders(path)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "NaN", '{"kinds": ' * 99999])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="not a grader"):
        read_graders(path)


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_graders(path, {"point": GRADER}, {})
    path.write_text(path.read_text().replace("0.25", "NaN"))
    with pytest.raises(ValueError, match="no number"):
        read_graders(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        read_graders(tmp_path / "a.json")
