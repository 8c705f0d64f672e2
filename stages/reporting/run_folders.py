"""Where the files of a run lie: each stage of a variant has its home, which others may share.

Planning writes down what it dealt (`results/<run>/homes.json`); a run without that file has the
plain layout: the data in `<run>`, everything else in `<run>/<variant>`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

NOTES = "homes.json"
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
    """

    run: Path
    homes: Mapping[str, Mapping[str, str]]

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


def run_folders(run: Path) -> RunFolders:
    """The folders of a run.

    Raises
    ------
    ValueError : the file that lists them is damaged.
    """
    path = run / NOTES
    if not path.is_file():
        return RunFolders(run, {})
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
        homes = {
            _variant(name): {str(k): str(v) for k, v in of.items()} for name, of in notes.items()
        }
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"{path}: no list of homes ({error}). Remove it; snakemake writes it anew."
        ) from None
    return RunFolders(run, homes)


def _variant(home: str) -> str:
    """A variant's name with its seed, out of its home below `results`: that behind the run."""
    return str(PurePosixPath(*PurePosixPath(home).parts[1:]))
