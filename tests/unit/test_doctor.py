"""`python -m stages.doctor`, as users type it; here, and where no package is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from stages import doctor
from stages.checkup.finding import Finding, closing, line_of

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *flags, "-m", "stages.doctor", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_lines_say_what_to_type() -> None:
    assert line_of(Finding("ok", "Python", "3.11")) == "ok       Python: 3.11"
    said = line_of(Finding("missing", "torch", "not installed", "pip install torch"))
    assert said == "missing  torch: not installed. Type: pip install torch"
    assert closing([]) == "Nothing that was looked at will fail."
    assert closing([Finding("wrong", "a", "b"), Finding("absent", "a", "b")]).startswith("1 of 2")


def test_where_nothing_will_fail_the_exit_code_is_0(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as done:
        doctor.main([])
    text = capsys.readouterr().out
    assert done.value.code == 0, text
    for words in ("ok       torch", "the shipped tiny SAM", "config: sound", "renaming"):
        assert words in text
    assert list(tmp_path.iterdir()) == []


def test_what_will_fail_is_told_with_exit_code_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("train: {backbone: resnet50, weights: none.pth}\n")
    with pytest.raises(SystemExit) as done:
        doctor.main(["--configfile", str(path)])
    assert done.value.code == 1
    assert "missing  train.weights: there is no none.pth" in capsys.readouterr().out


def test_without_any_package_it_tells_them_all() -> None:
    done = _run(flags=("-S", "-E"))
    assert done.returncode == 1
    assert done.stderr == ""
    assert "missing  torch: not installed. Type: pip install torch==" in done.stdout
    assert "PyTorch cannot be opened" in done.stdout
    assert "missing  config: not judged" in done.stdout
    assert "as wanted" in done.stdout
