"""Train the tiny SAM on PartWorld, or score a checkpoint and write its card.

Training: in go a seed and a number of steps; out go `DIR/checkpoint.pt` (all that is needed to go
on), `DIR/log.jsonl` and, once every step is done, `DIR/vit_tiny.pth`: a plain fp16 state dict of
the averaged weights. Each step depends on the seed and its number alone, so that a killed training
resumes at its last checkpoint and ends with the same weights. The learning rate warms up, stays,
and decays over the last two fifths of the steps; --steps may be changed while it stays.

Scoring (--evaluate): in goes a checkpoint, out goes a table of mask IoUs on scenes of their own
split, and with --card the same as JSON and Markdown. The splits are `sam-train` and `sam-heldout`:
neither shares a scene with the demo's `train` and `val`.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import cv2
import torch
from torch import Tensor

from stages.partworld.card import describe, table_of, write_card
from stages.partworld.sam_scores import score
from stages.partworld.sam_training import Settings, Training
from stages.runtime.atomic import replacing
from stages.runtime.weights import read_weights
from stages.segmenters.tiny import build_vit_tiny


def save_state(training: Training, path: Path) -> None:
    """Write the checkpoint that `Training.restore` takes up."""
    with replacing(path) as temporary:
        torch.save(training.state(), temporary)


def export_weights(weights: dict[str, Tensor], path: Path) -> None:
    """Write a plain state dict that `build_vit_tiny()` loads with strict=True, in half precision.

    Loading casts it back; half precision halves the file and changes no score by 0.001.
    """
    plain = {name: value.half().contiguous() for name, value in weights.items()}
    buffer = io.BytesIO()  # into a file, torch.save would write the file's temporary name too
    torch.save(plain, buffer)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def train(
    settings: Settings, out: Path, *, minutes: float, every: int = 50, keep: int = 100
) -> Training:
    """Train to the end of the schedule, or until `minutes` have passed.

    Parameters
    ----------
    settings : how to train.
    out : folder; `checkpoint.pt` in it is resumed from, and written every `keep` steps.
    minutes : > 0, time after which to save and stop early.
    every : steps between lines of log.

    Returns
    -------
    The training, at its last step; `out/vit_tiny.pth` is there if that was the schedule's last.

    Raises
    ------
    ValueError : the checkpoint belongs to other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    training, checkpoint = Training(settings), out / "checkpoint.pt"
    if checkpoint.exists():
        training.restore(read_weights(checkpoint))
    begin, first, sums = time.monotonic(), training.step, dict[str, float]()
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"resumed_at": first} | asdict(settings)) + "\n")
        while training.step < settings.steps and time.monotonic() - begin < 60 * minutes:
            for name, value in training.advance().items():
                sums[name] = sums.get(name, 0.0) + value / every
            if training.step % every == 0:
                pace = (time.monotonic() - begin) / (training.step - first)
                means = {name: round(value, 5) for name, value in sums.items()}
                log.write(
                    json.dumps({"step": training.step, "pace": round(pace, 4)} | means) + "\n"
                )
                log.flush()
                _report(training.step, settings.steps, pace, means)
                sums.clear()
            if training.step % keep == 0:
                save_state(training, checkpoint)
    save_state(training, checkpoint)
    if training.step >= settings.steps:
        export_weights(training.average, out / "vit_tiny.pth")
    return training


def _report(step: int, steps: int, pace: float, means: dict[str, float]) -> None:
    words = "  ".join(f"{name} {value:.3g}" for name, value in means.items())
    left = f"{pace:.2f} s/step  eta {(steps - step) * pace / 60:.0f} min"
    print(f"{step}/{steps}  {words}  {left}", file=sys.stderr, flush=True)


def evaluate(options: argparse.Namespace) -> None:
    """Score `--evaluate`'s checkpoint, print the table, and write the card if asked for."""
    sam = build_vit_tiny()
    sam.load_state_dict(read_weights(options.evaluate))
    scores = score(sam, options.seed, options.scenes)
    print(table_of(scores))
    if options.card:
        log = options.out / "log.jsonl" if options.out else None
        write_card(options.card, describe(options.evaluate, scores, log=log, notes=options.note))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m stages.partworld.train_sam",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, metavar="DIR", help="folder of the training, resumed if it has begun")
    add("--steps", type=int, default=10_000, metavar="N", help="length of the schedule (10000)")
    add("--minutes", type=float, default=1e6, metavar="M", help="stop early, to be resumed")
    add("--seed", type=int, default=0, metavar="S", help="weights, scenes and prompts (0)")
    add("--images", type=int, default=12, metavar="N", help="scenes per step (12)")
    add("--points", type=int, default=3, metavar="N", help="single points per scene (3)")
    add("--threads", type=int, default=1, metavar="N", help="torch threads (1)")
    add("--bf16", action="store_true", help="compute in bfloat16: 1.5 times as fast with AVX-512")
    add("--evaluate", type=Path, metavar="PTH", help="score this checkpoint instead of training")
    add("--scenes", type=int, default=200, metavar="N", help="held-out scenes to score on (200)")
    add("--card", type=Path, metavar="JSON", help="write the card there, and as .md beside it")
    add("--note", action="append", default=[], metavar="TEXT", help="a remark for the card")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Command line: train, or with --evaluate score."""
    parser = _parser()
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    if options.evaluate:
        evaluate(options)
        return 0
    if options.out is None:
        parser.error("--out is needed to train")
    settings = Settings(
        seed=options.seed,
        steps=options.steps,
        images=options.images,
        points=options.points,
        bf16=options.bf16,
    )
    try:
        train(settings, options.out, minutes=options.minutes)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
