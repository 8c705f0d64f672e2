"""Keys of MIST on the proposals of images with tags (WeakSAM, Sec. 3.3)."""

from stages.settings.selectors.tag_heads import (
    Background,
    Bce,
    FirstWeight,
    Regression,
    TagHeads,
)


class Settings(TagHeads):
    """MIST: learned from image tags, with several seeds of a class and boxes that move."""

    bce: Bce = "mean"
    first_weight: FirstWeight = 3.0
    background: Background = True
    regression: Regression = True
