"""tidy: unused answers and files of other shard counts go; nothing else is touched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages import tidy

A, B, C = (letter * 32 for letter in "abc")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    folder.mkdir()
    return folder


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def shards(run: Path, home: str, count: int, *, stage: str = "propose", first: int = 0) -> None:
    """The shard files of a stage, from number `first` on."""
    for number in range(first, count):
        write(run / home / stage / f"shard-{number:04d}-of-{count:04d}.parquet")


def listed(run: Path, name: str, *addresses: str, home: str = "", stage: str = "propose") -> Path:
    lines = "".join(f"{address}\n" for address in addresses)
    return write(run / "answers" / "lists" / home / stage / name, lines)


def answer(run: Path, address: str, behind: str = "") -> Path:
    return write(run / "answers" / address[:2] / f"{address}{behind}.parquet", "12345")


def files(run: Path) -> set[str]:
    return {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}


def tidied(run: Path, count: int = 2, *words: str) -> set[str]:
    """What the program removes."""
    before = files(run)
    tidy.main(["--run", str(run), "--shards", str(count), *words])
    assert files(run) <= before
    return before - files(run)


def test_an_empty_run_has_nothing_to_tidy(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tidied(run) == set()
    assert "0 answers, 0 bytes removed" in capsys.readouterr().err


def test_answers_that_no_list_names_go_with_their_bytes_told(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards(run, "", 2)
    listed(run, "shard-0000-of-0002.txt", A)
    listed(run, "shard-0001-of-0002.txt", B)
    for address in (A, B, C):
        answer(run, address)
    answer(run, C, "-0123")  # left by a job that was killed
    gone = {f"answers/cc/{C}.parquet", f"answers/cc/{C}-0123.parquet"}
    assert tidied(run, 2, "--dry-run") == set()
    assert "2 answers, 10 bytes, would be removed" in capsys.readouterr().err
    assert tidied(run) == gone
    assert "2 answers, 10 bytes removed" in capsys.readouterr().err
    assert tidied(run) == set()


def test_files_of_another_count_go_where_the_present_one_is_whole(run: Path) -> None:
    shards(run, "", 2)
    shards(run, "", 3, first=1)
    shards(run, "sapnet", 2, stage="refine")
    shards(run, "sapnet", 4, stage="refine")
    write(run / "sapnet" / "refine" / "trail-0002-of-0004.parquet")
    write(run / "propose" / "shard-0000-of-0003.parquet.parts" / "0123" / "part-000000.parquet")
    gone = {f"propose/shard-000{k}-of-0003.parquet" for k in (1, 2)}
    gone |= {"propose/shard-0000-of-0003.parquet.parts/0123/part-000000.parquet"}
    gone |= {f"sapnet/refine/shard-000{k}-of-0004.parquet" for k in range(4)}
    gone |= {"sapnet/refine/trail-0002-of-0004.parquet"}
    assert tidied(run) == gone
    assert not (run / "propose" / "shard-0000-of-0003.parquet.parts").exists()


def test_lists_of_another_count_go_with_the_answers_they_alone_name(run: Path) -> None:
    shards(run, "", 2)
    listed(run, "shard-0000-of-0002.txt", A)
    old = listed(run, "shard-0000-of-0003.txt", A, B)
    answer(run, A)
    answer(run, B)
    assert tidied(run) == {str(old.relative_to(run)), f"answers/bb/{B}.parquet"}


def test_a_stage_that_is_not_finished_keeps_all_that_it_may_want(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards(run, "", 2, first=1)  # of shard 0 the old file is gone, the new one not yet there
    shards(run, "", 3)
    listed(run, "shard-0000-of-0003.txt", A)
    listed(run, "shard-0000-of-0002.txt", B)
    answer(run, A)
    answer(run, B)
    answer(run, C)
    assert tidied(run) == {f"answers/cc/{C}.parquet"}
    assert "propose: not all of its 2 shards are there; left alone" in capsys.readouterr().err


def test_another_count_of_shards_than_the_runs_costs_no_answer(run: Path) -> None:
    shards(run, "", 2)
    listed(run, "shard-0000-of-0002.txt", A)
    answer(run, A)
    assert tidied(run, 3) == set()


def test_answers_of_a_job_that_runs_are_kept(run: Path) -> None:
    shards(run, "", 2)
    listed(run, "shard-0001-of-0002.txt.partial", A)
    answer(run, A)
    answer(run, A, "-fedc")  # being written
    write(run / "answers" / "aa" / f".{A}-fedc.parquet.77.tmp")
    assert tidied(run) == set()


@pytest.mark.parametrize("stage", ["propose", "refine"])
def test_lists_of_a_home_that_is_gone_go(stage: str, run: Path) -> None:
    shards(run, "there", 2, stage=stage)
    listed(run, "shard-0000-of-0002.txt", A, home="there", stage=stage)
    old = listed(run, "shard-0000-of-0002.txt", B, home="gone/seed-1", stage=stage)
    answer(run, A)
    answer(run, B)
    assert tidied(run) == {str(old.relative_to(run)), f"answers/bb/{B}.parquet"}


def test_embeddings_go_since_they_can_be_made_again(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(run / "embeddings" / ("0" * 16) / "ab" / f"{A}.npy", "1234")
    assert tidied(run, 2, "--dry-run") == set()
    assert tidied(run) == {f"embeddings/{'0' * 16}/ab/{A}.npy"}
    assert "1 folders of embeddings, 4 bytes removed" in capsys.readouterr().err


def test_nothing_else_is_touched(run: Path) -> None:
    shards(run, "", 2)
    for name in (
        "prepare/images.parquet",
        "export/pseudo_labels.json",
        "fit_select/model.pt",
        "logs/propose/shard-0000-of-0003.log",
        "benchmarks/propose/shard-0000-of-0003.tsv",
        "train/torchvision/shard-0000-of-0003.parquet",
        "propose/notes.txt",
        "answers/README",
        "answers/aa/notes.txt",
        "homes.json",
    ):
        write(run / name)
    outside = write(run.parent / "other" / "propose" / "shard-0000-of-0003.parquet")
    (run / "linked").symlink_to(outside.parents[1])
    assert tidied(run) == set()
    assert outside.exists()


def gone_folder(run: Path) -> list[str]:
    return ["--run", str(run / "none"), "--shards", "2"]


def no_count(run: Path) -> list[str]:
    return ["--run", str(run), "--shards", "0"]


@pytest.mark.parametrize(
    ("words", "told"), [(gone_folder, "there is no such folder"), (no_count, "1 to 9999, seen 0")]
)
def test_tidy_refuses(words: Callable[[Path], list[str]], told: str, run: Path) -> None:
    with pytest.raises(ValueError, match=told):
        tidy.main(words(run))


def test_what_a_killed_job_was_writing_goes_where_the_answer_is_there(run: Path) -> None:
    shards(run, ".", 2)
    listed(run, "shard-0000-of-0002.txt", A, B)
    whole, half = answer(run, A), answer(run, A, "-" + "0" * 32)
    hidden = write(half.with_name(f".{half.name}.123.tmp"))
    alone = answer(run, B, "-" + "0" * 32)  # nobody has answered this yet
    assert tidied(run) == {str(path.relative_to(run)) for path in (half, hidden)}
    assert whole.exists()
    assert alone.exists()
