"""Names that Snakemake can read, for the user's files whose own names it cannot.

Snakemake takes `{old}` in an input for a wildcard and `<old>` for a path variable of its own, and
knows no way to escape them; a program takes `-new` for a flag. A file of such a name is given to
the rules as a link below the run, results/<run>/links/<digest>/<name>. Standard library alone.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = "links"  # below results/<run>
MISREAD = re.compile(r"[{}<>\x00-\x1f\x7f]|^-")
UNSAFE = re.compile(r"[^\w.-]|^-")


@dataclass(frozen=True, slots=True)
class Links:
    """The links of a run.

    folder : of the run, results/<run>. fresh : links are made; False: the main process made them.
    """

    folder: Path
    fresh: bool = True

    def readable(self, path: str, key: str) -> str:
        """The path itself where Snakemake reads it as it is written, else that of a link to it.

        Parameters
        ----------
        path : of what is there. key : of the config that names it.

        Raises
        ------
        ValueError : the link cannot be made.
        """
        if misread(path) is None:
            return path
        link = self.folder / FOLDER / _digest(path) / UNSAFE.sub("_", Path(path).name)
        try:
            if self.fresh:
                _link(link, os.path.abspath(path))
        except OSError as error:
            raise ValueError(f"{refusal(path, key)} A link to it failed: {error}.") from error
        return str(link)


def misread(path: str) -> str | None:
    """The first character of a path that Snakemake or a program takes for something else."""
    found = MISREAD.search(path)
    return found[0] if found else None


def refusal(path: str, key: str) -> str:
    """The sentence that names a key and the character that stands in the way."""
    return f"{key}: Snakemake misreads the {misread(path)!r} in {path!r}. Choose another path."


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:8]


def _link(link: Path, target: str) -> None:
    """Make a link, or turn it where it leads elsewhere, since the working folder was moved."""
    if link.is_symlink() and os.readlink(link) == target:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    temporary.symlink_to(target)
    temporary.replace(link)
