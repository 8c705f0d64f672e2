"""Section `fit_prompt`: what learns, from tags or from points, where to ask."""

from typing import TYPE_CHECKING

from stages.learning.prompt_networks import NETWORKS
from stages.settings.blocks import OneOf, with_blocks
from stages.settings.section import PLACE, Annotated, Field, Section

if TYPE_CHECKING:
    from stages.settings.box_networks.p2b import Settings as P2b
    from stages.settings.clue_networks.conv import Settings as Conv
    from stages.settings.clue_networks.vit import Settings as Vit


class FitPromptShared(Section):
    """What is trained, or a frozen network in its place."""

    model: Annotated[
        str | None,
        Field(
            description="network that another run has trained (its fit_prompt/model.pt), of the "
            "same classes and keys; nothing is trained then; null: train one"
        ),
        PLACE,
    ] = None
    network: Annotated[
        str,
        OneOf(NETWORKS),
        Field(
            description="for the source clues: conv, convolutions on a frozen map, which give "
            "coarse maps alone, or vit, a token per class, the paper's, which gives coarse and "
            "fine maps and cross-attention; for the source p2b: p2b"
        ),
    ] = "conv"


if TYPE_CHECKING:

    class FitPrompt(FitPromptShared):
        """The section with a block of keys per network."""

        conv: Conv = Conv()
        vit: Vit = Vit()
        p2b: P2b = P2b()

else:
    FitPrompt = with_blocks(FitPromptShared, "FitPrompt", NETWORKS)
