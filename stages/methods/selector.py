"""The door to the selectors: what scores the proposals of a bag, and chooses among them."""

from typing import TYPE_CHECKING, Any, Protocol

from stages.runtime.doors import Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

TRIVIAL = "stages.methods.selectors.trivial"
OICR = "stages.methods.selectors.oicr"
SELECTORS = {  # by select.method
    "psm": Method(
        "stages.methods.selectors.psm",
        settings="stages.settings.selectors.psm",
        fit="stages.learning.select_step",
    ),
    "oicr": Method(
        OICR,
        settings="stages.settings.selectors.oicr",
        fit="stages.learning.oicr_step",
    ),
    "mist": Method(
        OICR,
        settings="stages.settings.selectors.mist",
        fit="stages.learning.oicr_step",
    ),
    "clue_top1": Method("stages.methods.selectors.clue_top1"),
    "sam_top1": Method(TRIVIAL),
    "median_area": Method(TRIVIAL),
    "largest": Method(TRIVIAL),
    "fixed_slot_1": Method(TRIVIAL),
    "fixed_slot_2": Method(TRIVIAL),
    "fixed_slot_3": Method(TRIVIAL),
}


class Selector(Protocol):
    """Scores of one image after the other.

    A selector's module has
    * `COLUMNS`: of table `proposals`, all that it reads beside the key;
    * `facts_of_method(kit: Kit) -> dict`: what the scores depend on, for provenance: `packages` and
      checksums of weights; it raises ValueError where a file is missing, and loads nothing;
    * `opened_selector(kit: Kit, device: Device) -> Selector`; `device` is asked where a network is
      loaded, and nowhere else: it takes torch, and a lease.
    What is learned for it is in the module `fit` of its door, see `stages.learning.fitting`.
    """

    def scores(
        self, image: "Mapping[str, Any]", labels: "pa.Table", proposals: "pa.Table"
    ) -> "pa.Table":
        """Rows of table `selections`: one for each proposal, and for each class that is scored.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        proposals : rows of table `proposals` of this image, at least one, with COLUMNS.
        """
