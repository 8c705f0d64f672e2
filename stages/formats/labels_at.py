"""The labels at a place, whatever their format: told by their content where nobody says it."""

from pathlib import Path

from stages.formats.format import AUTO, FORMATS, Labelled
from stages.formats.telling import format_of
from stages.runtime.doors import opened
from stages.runtime.faults import Faults


def labels_at(source: Path, images: Path, *, read: str, faults: Faults) -> tuple[str, Labelled]:
    """The format and the labels of a file or folder.

    Parameters
    ----------
    images : folder of the photographs.
    read : name of the format, or "auto". faults : takes those of single entries.

    Raises
    ------
    ValueError : the labels are missing, of no known format, or faulty as a whole.
    """
    name = format_of(source) if read == AUTO else read
    labelled: Labelled = opened(FORMATS[name].module).read(source, images, faults)
    return name, labelled
