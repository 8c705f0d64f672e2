"""Where the files of a run lie: each stage of a variant has its home, which others may share.

Planning writes down what it dealt (`results/<run>/homes.json`); a run without that file has the
plain layout: the data in `<run>`, everything else in `<run>/<variant>`. Beside it, planning writes
down where the photographs are (`photographs.json`), which no table tells.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from stages.runtime.program import Sentence

NOTES, PHOTOGRAPHS = "homes.json", "photographs.json"
DRAWN = "{home}"  # in the path of photographs that are drawn, in each home its own
IN_RUN = (
    "partworld",
    "prepare",
    "fit_prompt",
    "prompt",
    "fit_propose",
    "propose",
)  # stages that lie in the run itself, in a plain layout
PATTERNS = ("*/select", "*/seed-*/select", "seed-*/*/select")


@dataclass(frozen=True, slots=True)
class RunFolders:
    """Folders of the stages.

    Attributes
    ----------
    run : folder `results/<run>`.
    homes : of each variant, such as "sapnet" or "seed-1/full": stage to its home below `results`.
    photographs : their folder as planning noted it, from the folder that holds `results`; None
        where nothing is noted.
    """

    run: Path
    homes: Mapping[str, Mapping[str, str]]
    photographs: str | None = None

    def variants(self) -> list[str]:
        """Names of the variants, with their seeds, by name."""
        if self.homes:
            return sorted(self.homes)
        found = [path for pattern in PATTERNS for path in self.run.glob(pattern) if path.is_dir()]
        return sorted(path.parent.relative_to(self.run).as_posix() for path in found)

    def stage(self, variant: str, stage: str) -> Path:
        """Folder of a stage of a variant; it need not be there."""
        home = self.homes.get(variant, {}).get(stage)
        if home is not None:
            return self.run.joinpath(*PurePosixPath(home).parts[1:], stage)
        return self.run / stage if stage in IN_RUN else self.run / variant / stage

    def stages(self, variant: str, among: Sequence[str]) -> tuple[str, ...]:
        """Those of some stages that a variant goes through; in a plain layout all but prompt."""
        known = self.homes.get(variant, {stage: "" for stage in among if stage != "prompt"})
        return tuple(stage for stage in among if stage in known)

    def furthest(self, among: Sequence[str]) -> str:
        """The variant that has most of some stages; of equals the plain run's, then by name."""
        return max(
            self.variants(),
            key=lambda name: (
                sum(self.stage(name, stage).is_dir() for stage in self.stages(name, among)),
                -name.count("/"),
            ),
            default="",
        )

    def image_folder(self, variant: str) -> Path:
        """Folder of the photographs of a variant.

        Raises
        ------
        ValueError : nobody noted where it is, or it is not there.
        """
        drawn = self.stage(variant, "partworld") / "train" / "images"
        noted = self.photographs
        if noted is None and not drawn.is_dir():
            raise ValueError(
                f"{self.run}: where its photographs are is not noted there. Name their folder with "
                "--image-folder, or run snakemake once more, which notes it."
            )
        base = Path(os.path.abspath(self.run)).parents[1]
        folder = drawn if noted is None or DRAWN in noted else base / noted
        if not folder.is_dir():
            raise ValueError(
                f"{folder}: the photographs are not there any more. Name their folder with "
                "--image-folder."
            )
        return folder


def run_folders(run: Path) -> RunFolders:
    """The folders of a run.

    Raises
    ------
    ValueError : there is no such run, or a file of notes is damaged.
    """
    if not run.is_dir():
        near = sorted(path.name for path in run.parent.glob("*/")) if run.parent.is_dir() else []
        there = f"In {run.parent} there are {', '.join(near)}" if near else "Run snakemake first"
        raise ValueError(f"{run}: there is no such run. {there}.")
    homes = {
        _variant(name): {str(k): str(v) for k, v in of.items()}
        for name, of in _notes(run / NOTES, dict).items()
    }
    return RunFolders(run, homes, _notes(run / PHOTOGRAPHS, str).get("train"))


def _notes(path: Path, kind: type) -> dict[str, Any]:
    """What planning noted, values of one kind by name; nothing where the file is missing."""
    if not path.is_file():
        return {}
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
        odd = [name for name, value in notes.items() if not isinstance(value, kind)]
    except (ValueError, AttributeError) as error:
        raise ValueError(_refused(path, str(error))) from None
    if odd:
        raise ValueError(_refused(path, f"{odd[0]!r} holds something else"))
    return dict(notes)


def _refused(path: Path, why: str) -> Sentence:
    return f"{path}: not what planning notes there ({why}). Remove it; snakemake writes it anew."


def _variant(home: str) -> str:
    """A variant's name with its seed, out of its home below `results`: that behind the run."""
    return str(PurePosixPath(*PurePosixPath(home).parts[1:]))
