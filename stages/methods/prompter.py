"""The door to the prompters: what turns labels, or pixels, into prompts for a segmenter."""

from typing import TYPE_CHECKING, Any, Protocol

from stages.runtime.doors import Method

if TYPE_CHECKING:
    import pyarrow as pa

PROMPTERS = {  # by `source` of prompt.sources
    "labels": Method("stages.methods.prompters.labels"),
    "grid": Method("stages.methods.prompters.grid", settings="stages.settings.prompters.grid"),
}


class Prompter(Protocol):
    """Prompts of one image after the other."""

    kinds: frozenset[str]  # kinds of weak labels that it makes prompts of

    def prompts(self, image: dict[str, Any], labels: "pa.Table") -> "pa.Table":
        """Rows of table `prompts`.

        Parameters
        ----------
        image : row of table `images`. labels : rows of table `weak_labels` of this image.
        """
