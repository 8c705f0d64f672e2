"""JSON that one of our programs has written: read, or refused with the program to run again."""

import json
from pathlib import Path
from typing import Any


def read_json(path: Path, what: str, stage: str) -> Any:
    """The value that a file holds.

    Parameters
    ----------
    what : the file should hold, and `stage` : that writes it, for the sentence.

    Raises
    ------
    ValueError : missing, or no JSON.
    """
    try:
        if not path.is_file():  # a pipe would be waited for
            raise ValueError("there is no such file")
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path}: no {what} ({reason}). Rerun {stage}.") from None
