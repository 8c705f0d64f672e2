"""ablate: four files from the metrics of variants and seeds, and a sentence for what is amiss."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages import ablate
from tests.matched import matched
from tests.measured import measured

TRIVIAL = {"random": 0.3, "sam_top1": 0.4, "best_in_bag": 0.8}


def write(folder: Path, name: str, metrics: Any) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(metrics))
    return path


def metrics_of(value: float, **more: Any) -> dict[str, Any]:
    return measured({**TRIVIAL, "pseudo_label": value}, **more)


def files(folder: Path) -> list[Path]:
    """Of mil and full with the seeds 0 and 4."""
    values = {"mil-0": 0.4, "mil-4": 0.5, "full-0": 0.6, "full-4": 0.6}
    return [write(folder, name, metrics_of(value)) for name, value in values.items()]


def run(folder: Path, paths: list[Path], *more: str, seeds: str = "0 4") -> dict[str, Any]:
    words = ["--metrics", *map(str, paths), "--variants", "mil", "full", "--seeds", *seeds.split()]
    outs = {"out": "json", "out-table": "md", "out-figure": "png"}
    words += [f"--{flag}={folder / 'ablation'}.{kind}" for flag, kind in outs.items()]
    words += [f"--out-detectors={folder / 'detectors.png'}"]
    ablate.main([*words, *more])
    return json.loads((folder / "ablation.json").read_text())  # type: ignore[no-any-return]


def test_without_metrics_there_is_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, [])


def test_all_files_tell_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = run(tmp_path, files(tmp_path), '--over={"mil": null, "full": "mil"}')
    assert numbers["seeds"] == [0, 4]
    gain = numbers["gains"]["full"]["gains"]["mask_iou"]["all"]
    assert gain["per_seed"] == pytest.approx([0.2, 0.1])
    assert numbers["detectors"] == {}
    text = (tmp_path / "ablation.md").read_text()
    assert "**full** over mil" in text
    for name in ("ablation.png", "detectors.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr()
    assert printed.out == text
    assert "ablate: 2 variants, 2 seeds of 40/40 objects, 1 gains, 0 detectors." in printed.err


def test_equal_metrics_give_equal_bytes(tmp_path: Path) -> None:
    paths = files(tmp_path)
    names = ["ablation.json", "ablation.md", "ablation.png", "detectors.png"]
    run(tmp_path, paths)
    once = [(tmp_path / name).read_bytes() for name in names]
    run(tmp_path, paths)
    assert [(tmp_path / name).read_bytes() for name in names] == once
    assert str(tmp_path).encode() not in b"".join(once)


def test_detectors_have_seeds_of_their_own(tmp_path: Path) -> None:
    scored = [
        write(tmp_path, "d-full", metrics_of(0.5, detector=0.3)),
        write(tmp_path, "d-truth", {**measured({}, detector=0.4), "label_quality": None}),
    ]
    more = ["--detector-metrics", *map(str, scored), "--detector-seeds", "4"]
    more += ["--detector-variants", "full", "fully_supervised"]
    numbers = run(tmp_path, files(tmp_path), *more)
    assert numbers["detector_seeds"] == [4]
    assert numbers["detectors"]["full"]["retention"]["mask_ap"]["mean"] == pytest.approx(0.75)


def test_names_of_detectors_without_metrics_are_no_rows(tmp_path: Path) -> None:
    more = ["--detector-variants", "full", "--detector-seeds", "0"]
    assert run(tmp_path, files(tmp_path), *more)["detectors"] == {}


@pytest.mark.parametrize(
    ("change", "more", "words"),
    [
        ({}, ["--seeds", "0"], "--metrics: 4 files for 2 variants and 1 seeds. Give 2"),
        ({}, ["--seeds", "0", "0"], "seed 0 is given twice"),
        ({}, ["--variants", "full", "full"], "variant full is given twice"),
        ({}, ["--over", "{"], "--over: not JSON"),
        ({}, ["--over", "[]"], "does not give each variant a name or null"),
        ({}, ["--over", '{"full": 3}'], "does not give each variant a name or null"),
        ({}, ["--settings", '{"seedz": [0]}'], "unknown key report.seedz"),
        ({"full-4": "{"}, [], "full-4.json: no metrics"),
        ({"full-4": "[]"}, [], "counts and label_quality and label_ap and detector missing"),
        ({"full-4": None}, [], "full-4.json: no metrics"),
        ({"mil-4": json.dumps(metrics_of(0.5, sizes={"part": 9}))}, [], "seed 4: variant full was"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tmp_path: Path, change: dict[str, str | None], more: list[str], words: str
) -> None:
    paths = files(tmp_path)
    for name, text in change.items():
        path = tmp_path / f"{name}.json"
        path.unlink() if text is None else path.write_text(text)
    with pytest.raises(ValueError, match=words):
        run(tmp_path, paths, *more)
    assert not list(tmp_path.glob("ablation.*"))


def test_labels_matched_by_iou_have_a_report_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shifts = {"mil-0": 6, "mil-4": 6, "full-0": 2, "full-4": 3}
    paths = [write(tmp_path, name, matched(int(name[-1]), shift)) for name, shift in shifts.items()]
    numbers = run(tmp_path, paths, '--over={"mil": null, "full": "mil"}')
    gain = numbers["gains"]["full"]["gains"]["label_iou"]
    assert gain["per_seed"] == pytest.approx([0.3, 15 / 21 - 0.5])
    assert [row["name"] for row in numbers["matched_rows"]] == ["mil", "full"]
    text = (tmp_path / "ablation.md").read_text()
    assert "**full** over mil" in text
    assert (tmp_path / "ablation.png").read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr()
    assert printed.out == text
    assert "ablate: 2 variants, 2 seeds of 12/12 objects, 1 gains, 0 detectors." in printed.err


def test_labels_of_both_kinds_are_refused(tmp_path: Path) -> None:
    paths = [*files(tmp_path)[:2], *(write(tmp_path, f"t-{k}", matched(k, 2)) for k in (0, 4))]
    with pytest.raises(ValueError, match="variant mil, seed 0: its labels were not matched by IoU"):
        run(tmp_path, paths)
    assert not list(tmp_path.glob("ablation.*"))
