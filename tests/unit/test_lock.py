"""requirements.lock: what requirements.txt pins is in it, and every line has a checksum."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"([a-z0-9][a-z0-9.-]*)==(\S+) --hash=sha256:[0-9a-f]{64}")
REPORT = {
    "environment": {
        **{"implementation_name": "cpython", "python_version": "3.11"},
        **{"sys_platform": "linux", "platform_machine": "x86_64"},
    },
    "install": [],
}


def _program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lock", ROOT / "workflow" / "lock.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _item(name: str, digest: str | None) -> dict[str, object]:
    hashes = {"sha256": digest} if digest else {}
    info = {"url": "https://index/a.whl", "archive_info": {"hashes": hashes}}
    return {"metadata": {"name": name, "version": "1.0"}, "download_info": info}


def test_a_lock_has_a_line_for_each_package_by_name() -> None:
    lines = _program().locked(REPORT).splitlines()
    assert all(line.startswith("#") for line in lines)
    report = {**REPORT, "install": [_item("My_Own", "b" * 64), _item("a", "c" * 64)]}
    *head, first, second = _program().locked(report).splitlines()
    assert head == lines
    assert first == f"a==1.0 --hash=sha256:{'c' * 64}"
    assert LINE.fullmatch(second)
    assert second.startswith("my-own==1.0 ")


def test_a_package_without_a_checksum_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a 1\.0: the index gives no sha256"):
        _program().locked({**REPORT, "install": [_item("a", None)]})


def test_the_lock_holds_what_requirements_pin() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    entries = [LINE.fullmatch(line) for line in lines if not line.startswith("#")]
    assert all(entries)
    locked = {entry[1]: entry[2] for entry in entries if entry}
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.M)
    assert pins
    wrong = [pin for pin in pins if locked.get(pin[0]) != pin[1]]
    assert wrong == [], "requirements.txt has changed: run make lock"
