"""Work in progress waits in `<output>.parts/<fingerprint>/`, beside the file that it will be.

The fingerprint covers everything that decides the content (settings, code, checksums, image ids),
so work of another version is never mixed in. The folder goes when the output is complete.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.runtime.provenance import fingerprint, sha256_of


def parts_folder(
    out: Path, provenance: Mapping[str, Any], items: Sequence[int], *, inputs: Sequence[Path] = ()
) -> Path:
    """Folder of the work in progress on `out`; folders of other fingerprints are removed.

    Parameters
    ----------
    items : what is worked on, such as image ids.
    inputs : files whose content decides the result.
    """
    base = out.parent / f"{out.name}.parts"
    digests = [sha256_of(path) for path in inputs]
    folder = base / fingerprint({**provenance, "items": list(items), "inputs": digests})
    for other in base.glob("*"):
        if other != folder:
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def remove_parts(folder: Path) -> None:
    """Remove the work in progress of an output that is complete."""
    shutil.rmtree(folder.parent)
