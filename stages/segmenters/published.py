"""Published weight files by name: SAM's, and those of ImageNet's networks, with their checksums.

Of SAM's three the whole sha256 is known. The others bear the first digits of theirs in their name,
by a rule of `torch.hub` (`check_hash`); these are checked, and no more is claimed: they tell a
damaged file, or another one, but not one that was forged. Weights are read with `weights_only`, so
such a file cannot run code. A room of its own beside `official`, on which SAM's answers depend.
Standard library alone.
"""

import os
from pathlib import Path

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
MOST = {  # bytes of each model's file at most: SAM's lengths, the others' rounded up
    **{"vit_h": 2_564_550_879, "vit_l": 1_249_524_607, "vit_b": 375_042_383},
    **{"resnet18": 47_000_000, "resnet50": 103_000_000, "resnet101": 179_000_000},
    **{"vgg16": 554_000_000},
    **{"deit_tiny_patch16_224": 24_000_000, "deit_small_patch16_224": 90_000_000},
    **{"deit_base_patch16_224": 350_000_000},
}


def refuse_outside(path: str) -> None:
    """Raise ValueError where a file would be fetched to a place outside of the working folder."""
    inside = Path(os.path.abspath(path)).is_relative_to(Path.cwd())
    if not inside or ".." in Path(path).parts:
        raise ValueError(
            f"{path} is not there, and nothing is fetched to a place outside of the working "
            f"folder. Put {Path(path).name} there yourself, or name a path below {Path.cwd()}."
        )


def is_of(seen: str, wanted: str) -> bool:
    """Whether a whole checksum is the wanted one, of which the first digits may be all there is."""
    return bool(wanted) and seen.startswith(wanted.lower())
