"""Lines for people: of a job that is done, and of one that has failed."""

from pathlib import Path

import pytest

from stages.planning.job_lines import TARGETS, Job, job_of, left, opening

ROOT = Path(__file__).resolve().parents[3]
BENCHMARK = "s\th:m:s\tmax_rss\n34.5\t0:00:34\t812.25\n"
NOT_MEASURED = "s\th:m:s\tmax_rss\n0.2\t0:00:00\tNA\n"


def _job(folder: Path, *, benchmark: str = "", log: str = "") -> Job:
    (folder / "select.log").write_text(log)
    (folder / "select.tsv").write_text(benchmark)
    values = {"home": "demo/sapnet", "shard": "0003-of-0128"}
    paths = [str(folder / "select.log")]
    return job_of("select", values, paths, benchmark=str(folder / "select.tsv"), began=10.0)


def test_a_job_that_left_nothing_behind_has_its_name_and_time() -> None:
    job = job_of("fetch", {"weights": "sam.pth"}, [], benchmark=None, began=10.0)
    assert job.done(13.0).split() == ["fetch", "sam.pth", "3", "s"]
    assert job.failed()[0] == "failed: fetch sam.pth"


def test_a_job_has_its_rate_and_what_snakemake_measured(tmp_path: Path) -> None:
    job = _job(tmp_path, benchmark=BENCHMARK, log="select: 9/9 images  2.10/s  0 s left\n")
    said = job.done(now=99.0).split()
    assert said == [
        "select",
        "demo/sapnet",
        "0003-of-0128",
        "2.10",
        "images/s",
        "34",
        "s",
        "812",
        "MiB",
    ]


def test_memory_that_was_not_measured_is_not_told(tmp_path: Path) -> None:
    assert "MiB" not in _job(tmp_path, benchmark=NOT_MEASURED).done(now=11.0)


def test_what_a_job_is_doing_is_the_last_progress_of_its_log(tmp_path: Path) -> None:
    job = _job(tmp_path, log="select: 0/9 images\nselect: 3/9 images  1.00/s  6 s left\n")
    assert job.doing() == "select demo/sapnet 0003-of-0128 3/9 images  1.00/s  6 s left"
    assert _job(tmp_path).doing() == "select demo/sapnet 0003-of-0128"


def test_a_failed_jobs_own_words_come_last(tmp_path: Path) -> None:
    job = _job(tmp_path, log="select: 0/9 images\nselect: image 7: no proposals.\n")
    assert job.failed() == [
        f"failed: select demo/sapnet 0003-of-0128 ({tmp_path / 'select.log'})",
        "    select: image 7: no proposals.",
    ]


def test_the_opening_counts_jobs() -> None:
    assert opening({"export": 1}) == "1 job: export 1."
    assert opening({"propose": 2, "export": 1}) == "3 jobs: propose 2, export 1."


@pytest.mark.parametrize(("done", "text"), [(0, ""), (1, "30 s left"), (4, "")])
def test_the_time_left(done: int, text: str) -> None:
    assert left(done, 4, 10.0) == text


def test_targets_are_the_rules_of_the_snakefile_itself() -> None:
    lines = (ROOT / "Snakefile").read_text().splitlines()
    assert {line[5:-1] for line in lines if line.startswith("rule ")} == TARGETS
