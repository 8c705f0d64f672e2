"""The door to the refiners: what turns the scores of bags into pseudo-labels."""

from typing import TYPE_CHECKING, Any, Protocol

from stages.runtime.doors import Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

REFINERS = {  # by refine.method
    "prm": Method(
        "stages.methods.refiners.prm",
        settings="stages.settings.refiners.prm",
        fit="stages.learning.refine_step",
        joint="stages.learning.joint_step",
    ),
    "as_it_is": Method(
        "stages.methods.refiners.as_it_is", settings="stages.settings.refiners.as_it_is"
    ),
    "adaptive_pgt": Method(
        "stages.methods.refiners.adaptive_pgt", settings="stages.settings.refiners.adaptive_pgt"
    ),
    "top1_pgt": Method(
        "stages.methods.refiners.top1_pgt", settings="stages.settings.refiners.top1_pgt"
    ),
    "relabel": Method(
        "stages.methods.refiners.relabel",
        settings="stages.settings.refiners.relabel",
        former=("refine", "predict"),
    ),
    "sim": Method(
        "stages.methods.refiners.sim",
        settings="stages.settings.refiners.sim",
        fit="stages.learning.prototype_fitting",
        teacher=True,
    ),
}


class Refiner(Protocol):
    """Pseudo-labels of one image after the other.

    A refiner's module has
    * `facts_of_method(kit: Kit) -> dict`: what the labels depend on, for provenance: `packages` and
      checksums of weights; it raises ValueError where a file is missing, and loads nothing;
    * `opened_refiner(kit: Kit, device: Device) -> Refiner`; `device` is asked where a network is
      loaded, and nowhere else: it takes torch, and a lease.
    What is learned for it is in the modules `fit` and `joint` of its door, see
    `stages.learning.fitting`. Objects that have a given mask are no refiner's business: the program
    passes the mask through, whatever a refiner says of the object.
    """

    def labels(
        self,
        image: "Mapping[str, Any]",
        labels: "pa.Table",
        proposals: "pa.Table",
        scores: "pa.Table",
    ) -> tuple["pa.Table", "pa.Table"]:
        """Rows of the tables `pseudo_labels` and `trail`, one for each object.

        That is each that has a bag, and each that is born of the image's tags, with the ids -1,
        -2, ... within it.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        proposals : rows of table `proposals` of this image, at least one, masks included.
        scores : rows of table `selections` of the same proposals.
        """
