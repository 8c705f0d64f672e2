"""The door to the selectors: what scores the proposals of a bag, and chooses among them."""

from typing import TYPE_CHECKING, Any, Protocol

from stages.runtime.doors import Method

if TYPE_CHECKING:
    import pyarrow as pa

TRIVIAL = "stages.methods.selectors.trivial"
SELECTORS = {  # by select.method
    "psm": Method(
        "stages.methods.selectors.psm",
        settings="stages.settings.selectors.psm",
        fit="stages.learning.select_step",
    ),
    "sam_top1": Method(TRIVIAL),
    "median_area": Method(TRIVIAL),
    "largest": Method(TRIVIAL),
    "fixed_slot_1": Method(TRIVIAL),
    "fixed_slot_2": Method(TRIVIAL),
    "fixed_slot_3": Method(TRIVIAL),
}


class Selector(Protocol):
    """Scores of one image after the other."""

    def scores(
        self, image: dict[str, Any], labels: "pa.Table", proposals: "pa.Table"
    ) -> "pa.Table":
        """Rows of table `selections`.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        proposals : rows of table `proposals` of this image, at least one, with `columns` of the
            method's module.
        """
