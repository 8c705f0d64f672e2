"""Versions, held against the pins; nothing is imported."""

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from stages.checkup.packages import (
    MODULES,
    optional_found,
    packages_found,
    pins_in,
    python_found,
    version_of,
)

ROOT = Path(__file__).resolve().parents[3]


def test_pins_are_read_without_their_comments(tmp_path: Path) -> None:
    assert pins_in(tmp_path / "none.txt") == {}
    (tmp_path / "r.txt").write_text("# a==1\n-r b.txt\na-b==2.0  # why\nc==3\n")
    assert pins_in(tmp_path / "r.txt") == {"a-b": "2.0", "c": "3"}


def test_what_the_tests_run_on_is_well() -> None:
    assert python_found().state == "ok"
    found = list(packages_found(pins_in(ROOT / "requirements.txt")))
    assert len(found) >= 15
    assert not [finding for finding in found if finding.fails]


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 2))
    assert python_found().state == "wrong"
    assert "3.10.2" in python_found().seen


SEEN = [
    ("torch", None, "missing", "pip install torch==1.2"),
    ("torch", "1.2", "ok", ""),
    ("torch", "1.2+cpu", "ok", ""),
    ("torch", "1.3", "ok", ""),
    ("hotcoco", None, "absent", "pip install hotcoco==1.2"),
    ("snakemake", "9.18.2", "wrong", "pip install snakemake==1.2"),
    ("snakemake", "9.19.0", "ok", ""),
    ("snakemake", "10.0", "ok", ""),
    ("snakemake", "?", "ok", ""),
]


@pytest.mark.parametrize(("package", "seen", "state", "remedy"), SEEN)
def test_a_package_is_held_against_its_pin(
    package: str, seen: str | None, state: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.checkup.packages.version_of", lambda name: seen)
    (found,) = packages_found({package: "1.2"})
    assert (found.state, found.remedy) == (state, remedy)
    assert ("tested with" in found.seen) == (state == "ok" and not (seen or "").startswith("1.2"))


def test_what_was_built_from_sources_is_found_by_its_module(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(name: str) -> Any:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", unknown)
    assert {version_of(name) for name in MODULES if name != "faster-coco-eval"} == {"?"}
    assert version_of("no-such-package") is None


def test_an_optional_package_counts_where_the_config_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stages.checkup.packages.version_of", lambda name: None)
    states = {f.what: f.state for f in optional_found({"detectron2"}, {})}
    assert states.pop("detectron2") == "missing"
    assert set(states.values()) == {"absent"}
    pins = {"transformers": "5.0"}
    remedies = {f.what: f.remedy for f in optional_found({"transformers"}, pins)}
    assert remedies["transformers"] == "pip install transformers==5.0"
