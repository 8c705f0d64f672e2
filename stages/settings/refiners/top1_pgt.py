"""Keys of the refiner that takes the best detection of each tag."""

from stages.settings.refiners.tag_masks import TagMasks


class Settings(TagMasks):
    """The best detection of each tag (WeakSAM, Table 5, the baseline)."""
