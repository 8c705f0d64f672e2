"""Any SAM by name: the three official ones and the shipped tiny one, from a checked weight file.

Only segment_anything's own modules are built; weights are read with `weights_only=True`, so a
weight file from a stranger cannot run code.
"""

import json
from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary

import torch
from segment_anything import build_sam_vit_b, build_sam_vit_h, build_sam_vit_l
from segment_anything.modeling import Sam

from stages.runtime.provenance import sha256_of
from stages.runtime.weights import read_weights
from stages.segmenters.compiled_encoder import with_compiled_encoder
from stages.segmenters.fused_attention import with_fused_attention
from stages.segmenters.official import OFFICIAL
from stages.segmenters.tiny import build_vit_tiny

BUILDERS: dict[str, Callable[[], Sam]] = {
    "vit_tiny": build_vit_tiny,
    "vit_b": build_sam_vit_b,
    "vit_l": build_sam_vit_l,
    "vit_h": build_sam_vit_h,
}

CARD = ".card.json"  # in place of the suffix: what a weight file is, as partworld.card writes it
_LIVE: WeakValueDictionary[tuple[str | None, ...], Sam] = WeakValueDictionary()


def checked_sha256(checkpoint: Path, expected: str | None) -> str:
    """SHA-256 of a weight file, compared with `expected`, else that of its publisher or its card.

    Raises
    ------
    ValueError : the file is missing, or its checksum is another one.
    """
    if not checkpoint.is_file():
        raise ValueError(
            f"{checkpoint}: this SAM weight file is missing. Set propose.sam.checkpoint, or name "
            f"one of the official files ({', '.join(OFFICIAL)}) and run snakemake, which fetches "
            "it."
        )
    known = OFFICIAL.get(checkpoint.name)
    wanted = expected or (known.sha256 if known else _carded(checkpoint))
    seen = sha256_of(checkpoint)
    if wanted and seen != wanted.lower():
        raise ValueError(
            f"{checkpoint}: its sha256 is {seen}, but {wanted} is wanted. The file is damaged or "
            "another one: remove it and fetch it again, or correct propose.sam.sha256."
        )
    return seen


def _carded(checkpoint: Path) -> str | None:
    """What the card beside a file says of it, as that of the shipped one does; None without."""
    try:
        card = json.loads(checkpoint.with_suffix(CARD).read_bytes())
        return str(card["sha256"]) if card["file"] == checkpoint.name else None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


def load_sam(
    model: str,
    checkpoint: Path,
    sha256: str | None,
    device: torch.device,
    *,
    attention: str = "stock",
    compiled: str | None = None,
) -> Sam:
    """SAM in evaluation mode on `device`, its weights loaded strictly from `checkpoint`.

    Who asks for the same weights while they are in use elsewhere gets the same SAM, which nobody
    may change: features and questions then share one, which matters for a large model.

    Parameters
    ----------
    attention : of the image encoder, stock or fused.
    compiled : precision that the image encoder is compiled for, float32 or bfloat16; None: as is.

    Raises
    ------
    ValueError : unknown model, missing file, wrong checksum, weights of another model, or no
        compiler.
    """
    if model not in BUILDERS:
        raise ValueError(f"propose.sam.model: {model!r} is none of {', '.join(BUILDERS)}.")
    key = (model, checked_sha256(checkpoint, sha256), str(device), attention, compiled)
    if (known := _LIVE.get(key)) is not None:
        return known
    sam = _read(model, checkpoint).to(device)
    sam = with_fused_attention(sam) if attention == "fused" else sam
    if compiled:
        sam = with_compiled_encoder(sam, half=compiled == "bfloat16")
    _LIVE[key] = sam
    return sam


def _read(model: str, checkpoint: Path) -> Sam:
    state = read_weights(checkpoint)
    sam = BUILDERS[model]()
    try:
        sam.load_state_dict(state, strict=True)
    except (RuntimeError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{checkpoint}: these are not the weights of {model} ({reason}). Set propose.sam.model "
            "to the architecture that the file was made for."
        ) from error
    return sam.eval().requires_grad_(False)
