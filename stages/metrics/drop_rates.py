"""How many masks the agreement rule would drop, at each threshold (BoxCaseg, Table 8). Pure.

In comes, for each label whose box a person gave, the agreement of its mask's box with that box, in
both ways of measuring it (`stages.labels.agreement`): half-open, and with the authors' + 1, which
drops perfect masks of small objects, too. A mask is dropped unless it is strictly above. Objects
without a mask have agreement 0.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

THRESHOLDS = (0.75, 0.85, 0.9, 0.95)  # Table 8
CONVENTIONS = ("half_open", "authors")


class DropRates:
    """Collects one label after the other; `rates` tells the result."""

    def __init__(self) -> None:
        self._count = 0
        self._dropped = np.zeros((len(CONVENTIONS), len(THRESHOLDS)), dtype=np.int64)

    def add(self, agreement: Mapping[str, float]) -> None:
        """Count one label: its agreement, 0 to 1, by convention."""
        seen = np.array([agreement[name] for name in CONVENTIONS])
        self._count += 1
        self._dropped += seen[:, None] <= np.array(THRESHOLDS)

    def rates(self) -> dict[str, Any] | None:
        """The curve, or None where nothing was counted.

        Returns
        -------
        {"n": labels with a given box, "thresholds": THRESHOLDS, and for each of CONVENTIONS the
        shares of masks that are dropped there}.
        """
        if not self._count:
            return None
        shares = (self._dropped / self._count).tolist()
        curve = {"n": self._count, "thresholds": list(THRESHOLDS)}
        return {**curve, **dict(zip(CONVENTIONS, shares, strict=True))}
