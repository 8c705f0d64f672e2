"""Keys of the convolutions on a frozen map: the demo's clues, not in the paper."""

from typing import Self

from pydantic import model_validator

from stages.settings.section import FIT, Annotated, Field, Section
from stages.settings.selectors.psm import Features
from stages.settings.training import ClueTraining, Epochs, Rate, Warmup, WeightDecay

FROZEN = ("sam", "transformers")  # sources of maps that are not trained


class ConvTraining(ClueTraining):
    """Optimiser, schedule and checkpoints: a minute of one core for 1,000 drawn images."""

    epochs: Epochs = 25
    lr: Rate = 5e-3
    weight_decay: WeightDecay = 0.01
    warmup: Warmup = 20


class Settings(Section):
    """Convolutions on a frozen map: learned, in minutes (not in the paper)."""

    features: Annotated[
        Features, Field(description="the frozen map; hidden, roi_size and dropout are not read")
    ] = Features()
    layers: Annotated[
        int,
        Field(
            ge=0, description="3x3 convolutions before the one that tells classes; WeakTr's head: 0"
        ),
    ] = 3
    training: Annotated[ConvTraining, Field(description="optimiser and schedule"), FIT] = (
        ConvTraining()
    )

    @model_validator(mode="after")
    def _frozen(self) -> Self:
        if self.features.source not in FROZEN:
            raise ValueError(
                f"{{at}}.features.source: {self.features.source} is trained with its selector, but "
                f"clues look through a frozen map; choose one of {', '.join(FROZEN)}, or set "
                "network: vit"
            )
        return self
