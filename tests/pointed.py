"""Settings of fit_prompt that learn boxes from the small world's points, and its flags."""

from typing import Any

from tests.tagged import TRAINING, flags

__all__ = ["P2B", "flags"]

P2B: dict[str, Any] = {  # section fit_prompt that trains in a second
    "network": "p2b",
    "p2b": {
        "features": {"channels": 16, "hidden": 32, "roi_size": 3},
        "coarse": {"scales": [0.16, 0.32], "ratios": [0.5, 1.0, 2.0]},
        "finer": {"factors": [1.0, 0.8], "negatives": 20},
        "training": TRAINING,
    },
}
