"""What methods are opened with: selectors and refiners with the same, prompters that look apart."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from stages.segmenters.box_asking import KeptBoxes
    from stages.segmenters.zoom import KeptZoom
    from stages.settings.fit_prompt import FitPrompt
    from stages.settings.propose import Propose
    from stages.settings.refine import Refine
    from stages.settings.select import Select


@dataclass(frozen=True, slots=True)
class Former:
    """Tables of the round before, of the shard that is refined.

    Attributes
    ----------
    labels : table `pseudo_labels`. predictions, scores : tables `predictions` and `label_scores`.
    """

    labels: "Path"
    predictions: "Path"
    scores: "Path"


@dataclass(frozen=True, slots=True)
class Kit:
    """Settings, and where things lie.

    Attributes
    ----------
    image_folder : of the photographs.
    category_ids : all classes, sorted; their places are the columns of a network.
    propose, select, refine : sections of the config; `refine` None for a selector.
    model : that the twin stage has trained; None where nothing is learned.
    embeddings : folder in which those of the run are kept, or None.
    zoom : asks the segmenter again, close up, for a refiner; None where `refine.zoom` is off.
    boxes : asks it with boxes, for a refiner whose key `mask_source` is box_prompt; else None.
    former : tables of the round before, for a refiner that reads them; else None.
    propose_model : that fit_propose has trained, for a refiner that looks through it; else None.
    """

    image_folder: "Path"
    category_ids: tuple[int, ...]
    propose: "Propose"
    select: "Select"
    refine: "Refine | None" = None
    model: "Path | None" = None
    embeddings: "Path | None" = None
    zoom: "KeptZoom | None" = None
    boxes: "KeptBoxes | None" = None
    former: Former | None = None
    propose_model: "Path | None" = None

    @property
    def order(self) -> dict[int, int]:
        """Column of each class, by category_id."""
        return {category: column for column, category in enumerate(self.category_ids)}

    @property
    def block(self) -> "Any":
        """Keys of the method that is opened, `Settings` of its own file; None where it has none."""
        section = self.refine or self.select
        return getattr(section, section.method, None)


@dataclass(frozen=True, slots=True)
class LookingKit:
    """What a prompter that looks at pixels is opened with.

    Attributes
    ----------
    image_folder : of the photographs.
    classes : names of all classes by category_id, rising; their places are the network's columns.
    propose, fit : sections `propose` and `fit_prompt` of the config.
    model : that fit_prompt has trained, here or in another run; None where none was given.
    embeddings : folder in which those of the run are kept, or None.
    seed : of every random choice.
    """

    image_folder: "Path"
    classes: "Mapping[int, str]"
    propose: "Propose"
    fit: "FitPrompt"
    model: "Path | None"
    embeddings: "Path | None"
    seed: int

    @property
    def order(self) -> dict[int, int]:
        """Column of each class, by category_id."""
        return {category: column for column, category in enumerate(self.classes)}

    def fitted(self, source: str) -> "Path":
        """The trained network's file, for the prompter of this name.

        Raises
        ------
        ValueError : there is none.
        """
        if self.model is None:
            raise ValueError(
                f"prompt.sources: {source} needs --model, and none was given. Run fit_prompt, or "
                "set fit_prompt.model."
            )
        return self.model
