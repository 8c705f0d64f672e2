"""The door to the prompters: what turns labels, or pixels, into prompts for a segmenter."""

from typing import TYPE_CHECKING, Any, Protocol

from stages.runtime.doors import Method

if TYPE_CHECKING:
    import pyarrow as pa

PROMPTERS = {  # by `source` of prompt.sources
    "labels": Method(
        "stages.methods.prompters.labels", settings="stages.settings.prompters.labels"
    ),
    "grid": Method("stages.methods.prompters.grid", settings="stages.settings.prompters.grid"),
    "clues": Method(
        "stages.methods.prompters.clues",
        settings="stages.settings.prompters.clues",
        fit="stages.learning.clue_fitting",
    ),
    "p2b": Method(
        "stages.methods.prompters.p2b",
        settings="stages.settings.prompters.p2b",
        fit="stages.learning.p2b_fitting",
    ),
}


def is_looking(source: str) -> bool:
    """Whether a prompter looks at pixels: stage `prompt` then asks all prompters, in their order.

    One that does has in its door the module that trains its network.
    """
    return bool(PROMPTERS[source].fit)


class Prompter(Protocol):
    """Prompts of one image after the other.

    The module of a prompter that sees labels alone has
    * `opened_prompter(settings) -> Prompter`; settings: the entry of `prompt.sources`.
    That of one that looks at pixels (`is_looking`) has
    * `facts_of_method(kit: LookingKit) -> dict`: what its prompts depend on beside the settings,
      for provenance: `packages` and checksums of weights; it raises ValueError where a file is
      missing, and loads nothing;
    * `modules_of(kit: LookingKit) -> tuple[str, ...]`: modules that the settings choose, for
      digests of code;
    * `opened_prompter(settings, kit: LookingKit, device: torch.device) -> Prompter`.
    """

    kinds: frozenset[str]  # kinds of weak labels that it makes prompts of

    def prompts(self, image: dict[str, Any], labels: "pa.Table") -> "pa.Table":
        """Rows of table `prompts`.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        """
