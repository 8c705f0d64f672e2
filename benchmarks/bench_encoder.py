"""How much of a device's peak SAM's image encoder reaches: images a second, TFLOP/s, share.

    python -m benchmarks.bench_encoder --device cuda --model vit_h --peak 989
    python -m benchmarks.bench_encoder --model vit_tiny --images 1 4

Random weights will do, since the time of a network does not depend on them. FLOP are counted on the
architecture (`stages.estimating.flops`), not measured; the first pass of each line warms up and is
not timed. `--peak` is your card's, in TFLOP/s, at the precision that is looked at.
"""

import argparse
import time
from collections.abc import Sequence

import torch

from stages.estimating.flops import work_of
from stages.segmenters.fused_attention import with_fused_attention
from stages.segmenters.sam_loading import BUILDERS

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--model", choices=sorted(BUILDERS), default="vit_b")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--images", type=int, nargs="+", default=[1], help="at once")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--attention", choices=("stock", "fused"), default="stock")
    parser.add_argument("--compile", action="store_true", help="by PyTorch, for this machine")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each line, at least")
    parser.add_argument("--peak", type=float, help="TFLOP/s of the device")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    sam = BUILDERS[args.model]()
    sam = with_fused_attention(sam) if args.attention == "fused" else sam
    encoder = sam.image_encoder.to(args.device).eval()
    if args.compile:
        encoder.compile(dynamic=False)
    work = work_of(args.model).encoder / 1e12
    made = "compiled, " if args.compile else ""
    seen = f"{args.model}, attention {args.attention}, {made}on {_name(args.device)}"
    print(f"{seen}: {work:.4f} TFLOP an image")
    print(f"{'precision':10} {'at once':>8} {'images/s':>9} {'TFLOP/s':>8} {'of peak':>8}")
    for precision in args.precision:
        for count in args.images:
            pace = images_a_second(encoder, count, PRECISIONS[precision], args.seconds)
            share = f"{pace * work / args.peak:8.1%}" if args.peak else f"{'':>8}"
            print(f"{precision:10} {count:8} {pace:9.3f} {pace * work:8.3f} {share}", flush=True)


@torch.inference_mode()
def images_a_second(
    encoder: torch.nn.Module, count: int, precision: torch.dtype, seconds: float
) -> float:
    """Pace of the encoder on `count` images at once, over at least `seconds` and two passes."""
    device = next(encoder.parameters()).device
    pixels = torch.zeros(count, 3, encoder.img_size, encoder.img_size, device=device)
    half = precision != torch.float32
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
        encoder(pixels)
        start, passes = _now(device), 0
        while passes < 2 or _now(device) - start < seconds:
            encoder(pixels)
            passes += 1
        return passes * count / (_now(device) - start)


def _now(device: torch.device) -> float:
    """The clock, once all that was asked of the device is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _name(device: str) -> str:
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


if __name__ == "__main__":
    main()
