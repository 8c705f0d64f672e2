"""Keys of OICR on the proposals of images with tags (WeakSAM, Sec. 3.3)."""

from stages.settings.section import FIT, Annotated, Field
from stages.settings.selectors.tag_heads import Supervision, TagHeads


class Settings(TagHeads):
    """OICR: learned from image tags, refined by its own best proposals."""

    supervision: Annotated[
        Supervision,
        Field(
            description="seeds of a class: oicr_multi: all with 0.9 of its best score, thinned "
            "(the code that WeakSAM uses); oicr_top1: the best alone (OICR's paper); mist: several "
            "far from each other"
        ),
        FIT,
    ] = "oicr_multi"

    @property
    def seeds(self) -> Supervision:
        """How the seeds of a class are found."""
        return self.supervision
