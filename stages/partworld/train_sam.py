"""Train, score and describe the tiny SAM on PartWorld (`python -m stages.partworld.train_sam`).

In go a seed and a number of steps; out go `DIR/checkpoint.pt` (all that is needed to go on),
`DIR/log.jsonl` and, at the end, `DIR/vit_tiny.pth`: a plain fp32 state dict of the averaged
weights. Each step depends on (seed, step) alone, so that a killed training resumes where its last
checkpoint was and ends with the same weights. The learning rate warms up, stays, and decays over
the last part of the steps; `--steps` may therefore be changed while resuming from the plateau.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from segment_anything.modeling import Sam
from torch import Tensor, nn

from stages.files.atomic import replacing
from stages.partworld import sam_losses
from stages.partworld.sam_batches import Batch, SceneWindow, build_batch
from stages.partworld.sam_forward import decode, dense_head, encode
from stages.sam.tiny import PROMPT_DIM, build_vit_tiny

DENSE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.

    Attributes
    ----------
    seed : >= 0; decides weights, scenes and prompts.
    steps : >= 1, length of the schedule.
    images, points : scenes per step, single-point prompts per scene.
    peak : highest learning rate; warmup : steps; decay : share of the steps, at the end.
    average : decay of the running average of the weights, per step.
    window : scenes held at a time.
    bf16 : compute in bfloat16.
    """

    seed: int
    steps: int
    images: int = 12
    points: int = 3
    peak: float = 1e-3
    warmup: int = 200
    decay: float = 0.4
    average: float = 0.998
    window: int = 600
    bf16: bool = False


class Training:
    """Model, auxiliary head, optimiser and averaged weights, and the step they are at."""

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.sam = build_vit_tiny().train()
        self.head = dense_head(PROMPT_DIM)
        self.average = {k: v.clone() for k, v in self.sam.state_dict().items()}
        plain = [p for p in self._parameters() if p.ndim < 2]
        decayed = [p for p in self._parameters() if p.ndim >= 2]
        groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=settings.peak, betas=(0.9, 0.98))
        self.scenes = SceneWindow(settings.seed, window=settings.window)
        self.step = 0

    def _parameters(self) -> list[nn.Parameter]:
        return [p for m in (self.sam, self.head) for p in m.parameters()]

    def state(self) -> dict[str, Any]:
        """Everything a resumed training needs, as plain tensors and numbers."""
        return {
            "step": self.step,
            "sam": self.sam.state_dict(),
            "head": self.head.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the state that `state` gave."""
        self.step = state["step"]
        self.sam.load_state_dict(state["sam"])
        self.head.load_state_dict(state["head"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])

    def advance(self) -> dict[str, float]:
        """One optimiser step; returns the losses, the gradient norm and the learning rate."""
        settings = self.settings
        ready, rng = self.scenes.at(self.step, settings.images)
        batch = build_batch(ready, rng, points_per_image=settings.points)
        rate = learning_rate(settings, self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        losses = batch_losses(self.sam, self.head, batch, bf16=settings.bf16)
        total = losses["point"] + losses["triple"] + losses["box"] + DENSE_WEIGHT * losses["dense"]
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self._parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self._update_average()
        numbers = {name: float(value.detach()) for name, value in losses.items()}
        return numbers | {"norm": float(norm), "rate": rate}

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = min(self.settings.average, self.step / (self.step + 10))
        for name, value in self.sam.state_dict().items():
            self.average[name].lerp_(value, 1 - keep)


def learning_rate(settings: Settings, step: int) -> float:
    """Warm-up, plateau, then half a cosine down to 1 % of the peak over the last `decay` share."""
    start = (1 - settings.decay) * settings.steps
    if step < settings.warmup:
        return settings.peak * (step + 1) / settings.warmup
    if step < start:
        return settings.peak
    done = min((step - start) / max(settings.steps - start, 1), 1.0)
    return settings.peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def batch_losses(sam: Sam, head: nn.Module, batch: Batch, *, bf16: bool) -> dict[str, Tensor]:
    """Losses of one batch: `point`, `triple`, `box` and `dense`, scalars; see `sam_losses`."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        embeddings = encode(sam, batch.images)
        dense = head(embeddings).float()
        points = decode(sam, embeddings, batch.point_image, points=batch.points)
        triples = decode(sam, embeddings, batch.triple_image, points=batch.triples)
        boxes = decode(sam, embeddings, batch.box_image, boxes=batch.boxes)
    weights = sam_losses.level_weights(batch.duplicate)
    n = len(batch.images) / len(batch.point_image)
    point = sam_losses.ambiguous_loss(points[0][:, 1:], points[1][:, 1:], batch.levels, weights)
    return {
        "point": point,
        "triple": n * sam_losses.certain_loss(*triples, batch.triple_target),
        "box": n * sam_losses.certain_loss(*boxes, batch.box_target),
        "dense": sam_losses.dense_loss(dense, batch.dense),
    }


def _save(training: Training, out: Path) -> None:
    with replacing(out / "checkpoint.pt") as path:
        torch.save(training.state(), path)


def train(settings: Settings, out: Path, *, minutes: float, every: int, keep: int) -> Training:
    """Train to the end of the schedule, or until `minutes` have passed.

    Parameters
    ----------
    settings : how to train.
    out : folder; `checkpoint.pt` in it is resumed from, and written every `keep` steps.
    minutes : > 0, time after which to save and stop early.
    every : steps between lines of log.

    Returns
    -------
    The training, at its last step.
    """
    out.mkdir(parents=True, exist_ok=True)
    training = Training(settings)
    if (out / "checkpoint.pt").exists():
        training.restore(torch.load(out / "checkpoint.pt", weights_only=True))
    begin, first, sums = time.monotonic(), training.step, dict[str, float]()
    with (out / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"resumed_at": first} | asdict(settings)) + "\n")
        while training.step < settings.steps and time.monotonic() - begin < 60 * minutes:
            for name, value in training.advance().items():
                sums[name] = sums.get(name, 0.0) + value
            if training.step % every == 0:
                pace = (time.monotonic() - begin) / (training.step - first)
                means = {k: round(v / every, 5) for k, v in sums.items()}
                log.write(
                    json.dumps({"step": training.step, "pace": round(pace, 4)} | means) + "\n"
                )
                log.flush()
                _report(training.step, settings.steps, pace, means)
                sums.clear()
            if training.step % keep == 0:
                _save(training, out)
    _save(training, out)
    return training


def _report(step: int, steps: int, pace: float, means: dict[str, float]) -> None:
    words = "  ".join(f"{name} {value:.3g}" for name, value in means.items())
    left = (steps - step) * pace / 60
    print(
        f"{step}/{steps}  {words}  {pace:.2f} s/step  eta {left:.0f} min",
        file=sys.stderr,
        flush=True,
    )


def export_weights(weights: dict[str, Tensor], path: Path) -> None:
    """Write a plain fp32 state dict that `build_vit_tiny().load_state_dict` takes with strict=True."""
    with replacing(path) as temporary:
        torch.save({name: value.float().contiguous() for name, value in weights.items()}, temporary)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m stages.partworld.train_sam", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=9000)
    parser.add_argument("--minutes", type=float, default=1e6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Command line of the training."""
    options = _parser().parse_args(argv)
    torch.set_num_threads(options.threads)
    settings = Settings(seed=options.seed, steps=options.steps, bf16=options.bf16)
    training = train(settings, options.out, minutes=options.minutes, every=50, keep=100)
    export_weights(training.average, options.out / "vit_tiny.pth")
    return 0


if __name__ == "__main__":
    sys.exit(main())
