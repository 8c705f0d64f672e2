"""The training of the tiny SAM, one step at a time.

In go `Settings`; each `Training.advance()` draws its own batch from (seed, step), so that a resumed
training goes on exactly as an uninterrupted one. Follows Segment Anything, Appendix A; departs from
it in a dense auxiliary head on the image embedding (objects, edges, offsets to centroids), which is
dropped afterwards: it teaches a small encoder faster than the prompts alone.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from segment_anything.modeling import Sam
from torch import Tensor, nn

from stages.partworld import sam_losses
from stages.partworld.sam_batches import Batch, build_batch
from stages.partworld.sam_forward import decode, dense_head, encode
from stages.partworld.sam_scenes import SceneWindow
from stages.segmenters.tiny import PROMPT_DIM, build_vit_tiny

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
            "settings": asdict(self.settings),
            "step": self.step,
            "sam": self.sam.state_dict(),
            "head": self.head.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the state that `state` gave.

        Raises
        ------
        ValueError : it came from other settings; only `steps` may change.
        """
        theirs, ours = state["settings"] | {"steps": 0}, asdict(self.settings) | {"steps": 0}
        if theirs != ours:
            raise ValueError(
                f"train_sam: the checkpoint was trained with {theirs}, asked for are {ours}."
                " Use the same arguments or another --out."
            )
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
        every = torch.arange(len(batch.images))
        triples = decode(sam, embeddings, every, points=batch.triples)
        boxes = decode(sam, embeddings, every, boxes=batch.boxes)
    weights = sam_losses.level_weights(batch.duplicate)
    share = len(batch.images) / len(batch.point_image)  # one prompt counts like another
    point = sam_losses.ambiguous_loss(points[0][:, 1:], points[1][:, 1:], batch.levels, weights)
    return {
        "point": point,
        "triple": share * sam_losses.certain_loss(*triples, batch.triple_target),
        "box": share * sam_losses.certain_loss(*boxes, batch.box_target),
        "dense": sam_losses.dense_loss(dense, batch.dense),
    }
