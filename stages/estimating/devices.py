"""How fast GPUs that are not here are, by published numbers, each with its source.

One throughput of SAM was measured in public with its settings told: segment-anything-fast on an
A100. What another card does is arithmetic: the same share of its own peak. Where a card has no
number, none is made up.
"""

from dataclasses import dataclass

FAST = (
    "segment-anything-fast (pytorch-labs), experiments/: SAM vit_h on an A100-40GB, batch of 8 "
    "images, one point each, images/s of the whole prediction"
)
MODEL = "vit_h"  # that it was measured with
IMAGES = {"float32": 2.78, "bfloat16": 14.9}  # images/s there; bfloat16 without compilation
MEASURED = "a100"


@dataclass(frozen=True, slots=True)
class Device:
    """A card. peak : TFLOP/s without sparsity, by precision. source : of the peaks."""

    name: str
    peak: dict[str, float]
    source: str


DEVICES = {
    "a100": Device(
        "A100 40 GB", {"float32": 19.5, "bfloat16": 312.0}, "NVIDIA's data sheet of the A100"
    ),
    "h100": Device(
        "H100 SXM", {"float32": 67.0, "bfloat16": 989.0}, "NVIDIA's data sheet of the H100"
    ),
    "h200": Device("H200", {"float32": 67.0, "bfloat16": 989.0}, "NVIDIA's data sheet of the H200"),
    "l4": Device("L4", {"float32": 30.3, "bfloat16": 121.0}, "NVIDIA's data sheet of the L4"),
    "t4": Device("T4", {"float32": 8.1}, "NVIDIA's data sheet of the T4"),
}


def rate_on(device: str, precision: str, work: float) -> float | None:
    """FLOP/s of SAM's image encoder on a device; None where there is no number for it.

    Parameters
    ----------
    precision : float32 or bfloat16. work : FLOP of an image of the model that was measured.
    """
    peak = DEVICES[device].peak.get(precision)
    if peak is None:
        return None
    share = IMAGES[precision] * work / (DEVICES[MEASURED].peak[precision] * 1e12)
    return share * peak * 1e12


def told_of(device: str) -> str:
    """What the numbers of a device rest on."""
    card = DEVICES[device]
    if device == MEASURED:
        return f"{card.name}: {FAST}"
    return (
        f"{card.name}: nobody measured it in the source; arithmetic, the A100's share of its peak "
        f"at the peak of this card ({card.source}). {FAST}"
    )
