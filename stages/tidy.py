"""tidy: what a run has left behind is removed: embeddings, answers that nobody uses, other counts.

Of a run's folder it looks at three things alone: shard files (of `prompt` to `grade`, and
the trails) of another number of shards; lists of the answers that such shards, or shards of a
folder that is gone, have used; and answers that no list names, or that a job which was killed had
not given their name yet, where they are there all the same. A folder in which a shard of the
present count is missing is left alone until the run is finished: its answers are still wanted.
Embeddings all go, since a stage that wants one makes it again.
"""

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.runtime.program import Sentence, parser_of, run, say
from stages.segmenters.answers_kept import DIGITS, LISTS, PARTIAL
from stages.tables.shard_names import shard_names

STAGES = ("prompt", "propose", "select", "refine", "grade")
EMBEDDINGS = "embeddings"
SHARD = re.compile(r"(shard|trail)-(\d{4})-of-(\d{4})\.(parquet|parquet\.parts|txt|txt\.partial)")
ANSWER = re.compile(rf"\.?([0-9a-f]{{{DIGITS}}})\b.*")  # a file that is being written too


@dataclass(frozen=True, slots=True)
class Found:
    """What a run's folder holds.

    files : shard files, and folders of work on them. lists : of answers, finished or not.
    answers : files of answers.
    """

    files: tuple[Path, ...]
    lists: tuple[Path, ...]
    answers: tuple[Path, ...]


def found_in(folder: Path) -> Found:
    """The shard files, lists and answers of a run."""
    kept = folder / "answers"  # answers first: an address is noted before its file is written
    answers = [path for path in kept.glob("??/*") if ANSWER.fullmatch(path.name)]
    lists: list[Path] = []
    files: list[Path] = []
    for place, folders, names in os.walk(folder):
        here = Path(place)
        if here.name in STAGES:
            found = [here / name for name in (*names, *folders) if SHARD.fullmatch(name)]
            (lists if here.is_relative_to(kept / LISTS) else files).extend(found)
    return Found(tuple(sorted(files)), tuple(sorted(lists)), tuple(sorted(answers)))


def is_whole(stage: Path, shards: int) -> bool:
    """Whether a stage's folder has every shard of this count."""
    return all((stage / f"shard-{name}.parquet").is_file() for name in shard_names(shards))


def stage_of(path: Path, folder: Path) -> Path:
    """The stage's folder that a shard file lies in, or that a list is about."""
    lists = folder / "answers" / LISTS
    inside = path.is_relative_to(lists)
    return folder / path.relative_to(lists).parent if inside else path.parent


def is_old(path: Path, folder: Path, shards: int) -> bool:
    """Whether a shard file or list is of no use: of another count, or of a folder that is gone."""
    stage = stage_of(path, folder)
    if not stage.is_dir():
        return True
    seen = SHARD.fullmatch(path.name)
    return seen is not None and int(seen[3]) != shards and is_whole(stage, shards)


def unused(answers: Iterable[Path], lists: Sequence[Path]) -> list[Path]:
    """The answers that none of the lists names; those that still grow are read first."""
    named = set[str]()
    for path in sorted(lists, key=lambda path: not path.name.endswith(PARTIAL)):
        try:
            named |= set(path.read_text().split())
        except FileNotFoundError:  # finished meanwhile: it goes on under its own name
            continue
    return [path for path in answers if _address(path) not in named]


def left_over(answers: Sequence[Path], lists: Sequence[Path]) -> list[Path]:
    """What killed jobs were writing; not of answers that an unfinished list names, or none."""
    growing = [path for path in lists if path.name.endswith(PARTIAL)]
    asked = set(answers) - set(unused(answers, growing))
    whole = {path for path in answers if path.stem == _address(path)} - asked
    return [p for p in answers if p.with_name(f"{_address(p)}.parquet") in whole - {p}]


def _address(path: Path) -> str:
    match = ANSWER.fullmatch(path.name)
    return match[1] if match else ""


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 for one that is gone."""
    inside = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return sum(p.stat().st_size for p in inside if p.exists())


def remove(path: Path) -> None:
    """Remove a file, or a folder of unfinished work; one that is gone already is no fault."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def unfinished(found: Found, folder: Path, shards: int) -> list[Path]:
    """Folders of stages that have shards, but not all of this count."""
    stages = {stage_of(path, folder) for path in (*found.files, *found.lists)}
    return sorted(path for path in stages if path.is_dir() and not is_whole(path, shards))


def told(what: str, paths: Sequence[Path], *, dry: bool) -> Sentence:
    """What goes, and how much room that gives."""
    total = sum(size_of(path) for path in paths)
    return f"{len(paths)} {what}, {total:,} bytes{', would be removed' if dry else ' removed'}."


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    parser = parser_of(__doc__, "tidy")
    parser.add_argument("--run", type=Path, required=True, help="such as results/demo")
    parser.add_argument("--shards", type=int, required=True, help="the present number of shards")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")
    args = parser.parse_args(argv)
    if not args.run.is_dir():
        raise ValueError(f"--run {args.run}: there is no such folder. Give results/<run>.")
    if not 1 <= args.shards <= 9999:
        raise ValueError(f"--shards: 1 to 9999, seen {args.shards}. Give the config's `shards`.")
    found = found_in(args.run)
    for stage in unfinished(found, args.run, args.shards):
        say("tidy", f"{stage}: not all of its {args.shards} shards are there; left alone.")
    files = [path for path in found.files if is_old(path, args.run, args.shards)]
    lists = [path for path in found.lists if is_old(path, args.run, args.shards)]
    named = [path for path in found.lists if path not in set(lists)]
    answers = sorted({*unused(found.answers, named), *left_over(found.answers, named)})
    for path in files:
        say("tidy", f"{path}: of another number of shards, {size_of(path):,} bytes.")
    kept = sorted((args.run / EMBEDDINGS).glob("*"))
    groups = {
        "folders of embeddings": kept,
        "answers": answers,
        "lists of answers": lists,
        "files of other shard counts": files,
    }
    for what, paths in groups.items():
        say("tidy", told(what, paths, dry=args.dry_run))
        for path in [] if args.dry_run else paths:
            remove(path)


if __name__ == "__main__":
    run("tidy", main)
