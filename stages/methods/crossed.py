"""Who has judged the labels of the round before: one detector of all, or two of a half each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.tables.predictions import CROSSED


def check_judge(is_crossed: bool, header: Mapping[str, Any], path: Path) -> None:
    """Raise ValueError where the predictions are not of the judges that `cross_fit` asks for.

    Parameters
    ----------
    header : of table `predictions`, in the file `path`.
    """
    if is_crossed != (CROSSED in header):
        seen = (
            "two detectors, of a half each," if CROSSED in header else "one detector of all labels"
        )
        raise ValueError(
            f"refine.relabel.cross_fit is {str(is_crossed).lower()}, but {path} is what {seen} "
            "said. Change the key, or give predict the other models."
        )
