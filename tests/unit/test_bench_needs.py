"""What jobs took, beside what is asked for, on files that Snakemake could have written."""

from pathlib import Path

import pytest

from benchmarks.bench_needs import main

HEADER = "s\tmax_rss\tcpu_time\n"


def _measured(folder: Path, name: str, *mib: str) -> None:
    path = folder / "benchmarks" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(f"1.0\t{value}\t0.5\n" for value in mib))


def test_the_largest_of_all_runs_stands_beside_what_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _measured(tmp_path / "a" / "sapnet", "propose/shard-0000-of-0002", "700.5")
    _measured(tmp_path / "a" / "sapnet", "propose/shard-0001-of-0002", "811.2")
    _measured(tmp_path / "b" / "x", "prepare", "NA")
    _measured(tmp_path / "b" / "x", "something_else", "9999")
    main([str(tmp_path)])
    first, _, *lines = capsys.readouterr().out.splitlines()
    assert first == "3 jobs"
    assert [line.split() for line in lines] == [
        ["prepare", "1", "0", "1000"],
        ["propose", "2", "811", "2500"],
    ]


def test_without_runs_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there are no benchmarks of jobs"):
        main([str(tmp_path)])
