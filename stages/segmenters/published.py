"""Published weight files by name: SAM's, and those of ImageNet's networks, with their checksums.

Of SAM's three the whole sha256 is known. The others bear the first digits of theirs in their name,
by a rule of `torch.hub` (`check_hash`); these are checked, and no more is claimed: they tell a
damaged file, or another one, but not one that was forged. Weights are read with `weights_only`, so
such a file cannot run code. A room of its own beside `official`, on which SAM's answers depend.
Standard library alone.
"""

from stages.segmenters.official import OFFICIAL, OfficialWeights

_TORCHVISION = "https://download.pytorch.org/models"
_DEIT = "https://dl.fbaipublicfiles.com/deit"
IMAGENET = {  # what a network may start from, where some key takes it; sha256: its first 8 digits
    f"{model}-{digits}.pth": OfficialWeights(model, f"{folder}/{model}-{digits}.pth", digits)
    for folder, model, digits in (
        (_TORCHVISION, "resnet18", "f37072fd"),
        (_TORCHVISION, "resnet50", "0676ba61"),  # IMAGENET1K_V1
        (_TORCHVISION, "resnet50", "11ad3fa6"),  # IMAGENET1K_V2
        (_TORCHVISION, "resnet101", "63fe2227"),
        (_TORCHVISION, "resnet101", "cd907fc2"),
        (_TORCHVISION, "vgg16", "397923af"),
        (_DEIT, "deit_tiny_patch16_224", "a1311bcf"),
        (_DEIT, "deit_small_patch16_224", "cd65a155"),
        (_DEIT, "deit_base_patch16_224", "b5f2ef4d"),
    )
}
PUBLISHED = OFFICIAL | IMAGENET


def is_of(seen: str, wanted: str) -> bool:
    """Whether a whole checksum is the wanted one, of which the first digits may be all there is."""
    return bool(wanted) and seen.startswith(wanted.lower())
