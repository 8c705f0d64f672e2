"""The tables that hold trails: which are there of a run, and what of them is not there yet.

Every table is optional but the first three, so that a half-finished run can be looked into.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.reporting.run_folders import RunFolders
from stages.tables.images import shard_of
from stages.tables.shard_names import shard_names

SHARD = re.compile(r"-of-(\d{4})$")  # at the end of the name of a shard's file
TOLD = ("prompt", "propose", "select", "refine", "grade")  # stages of a trail, in order


@dataclass(frozen=True, slots=True)
class TrailTables:
    """Where the tables lie that hold trails.

    images, weak_labels, categories : files. The others : of the shards that are there, of one
    shard count; none before their stage.
    """

    images: Path
    weak_labels: Path
    categories: Path
    prompts: Sequence[Path] = ()
    proposals: Sequence[Path] = ()
    selections: Sequence[Path] = ()
    trails: Sequence[Path] = ()
    pseudo_labels: Sequence[Path] = ()
    grades: Sequence[Path] = ()

    def of_stage(self, stage: str) -> Sequence[Path]:
        """The shards that a stage has written; stage : one of `TOLD`."""
        labels = (self.pseudo_labels, self.grades)
        tables = (self.prompts, self.proposals, self.selections, *labels)
        return dict(zip(TOLD, tables, strict=True))[stage]


def tables_of(folders: RunFolders, variant: str) -> TrailTables:
    """The tables of a variant that are there."""
    prepared, refined = folders.stage(variant, "prepare"), folders.stage(variant, "refine")
    return TrailTables(
        prepared / "images.parquet",
        prepared / "weak_labels.parquet",
        prepared / "categories.parquet",
        prompts=_newest(folders.stage(variant, "prompt"), "shard"),
        proposals=_newest(folders.stage(variant, "propose"), "shard"),
        selections=_newest(folders.stage(variant, "select"), "shard"),
        trails=_newest(refined, "trail"),
        pseudo_labels=_newest(refined, "shard"),
        grades=_newest(folders.stage(variant, "grade"), "shard"),
    )


def _newest(folder: Path, name: str) -> list[Path]:
    """The tables of the newest shard count in a folder; `name` is what their names begin with."""
    paths = sorted(folder.glob(f"{name}-*-of-*.parquet"))
    if not paths:
        return []
    count = max(paths, key=lambda path: path.stat().st_mtime_ns).stem.rsplit("-", 1)[-1]
    return [path for path in paths if path.stem.endswith(f"-of-{count}")]


def shard_with(paths: Sequence[Path], image_id: int) -> Path | None:
    """The shard of a table that holds an image; None where it is not among `paths`.

    A file whose name is not that of a shard holds all images.
    """
    name = shard_name(paths, image_id) if paths else ""
    return next((path for path in paths if path.stem.endswith(name)), None)


def shard_name(paths: Sequence[Path], image_id: int) -> str:
    """Name of an image's shard, such as 0003-of-0128, at the shard count of these files; or ""."""
    names = shard_names(_count(paths))
    return names[shard_of(image_id, len(names))] if names else ""


def _count(paths: Sequence[Path]) -> int:
    """Of shards, told by the first file's name; 0 where that is not the name of a shard."""
    found = SHARD.search(paths[0].stem)
    return int(found[1]) if found else 0


def missing(tables: TrailTables, stages: Sequence[str], image_id: int) -> list[str]:
    """What a trail of an image lacks, such as "select", "shard 0003-of-0128 of refine".

    Parameters
    ----------
    stages : those that a run goes through, of `TOLD`.
    """
    found = []
    for stage in stages:
        paths = tables.of_stage(stage)
        if not paths:
            found.append(stage)
        elif shard_with(paths, image_id) is None:
            found.append(f"shard {shard_name(paths, image_id)} of {stage}")
    return found


def incomplete(paths: Sequence[Path]) -> str | None:
    """How many shards are there, such as "3 of 4 shards"; None where all are."""
    there, count = len(paths), _count(paths)
    return f"{there} of {count} shards" if there < count else None
