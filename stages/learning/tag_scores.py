"""OICR and MIST in one image: scores of every proposal for every class in its tags, and who stays.

WeakSAM, Sec. 3.3: the score is the mean over the refinement branches; all are kept, whatever their
score, since Sec. 3.4 compares them with each other. Departures, each a config key and off in the
paper: the segmenter's predicted IoU and the box's share of the image may multiply the score
(`quality_exponent`, `size_exponent`), the latter since what is learned from tags alone likes a
striking part better than the object.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import nms

from stages.learning.tag_bags import TagBags
from stages.learning.tag_network import Answer, TagNetwork
from stages.mil import mist, wsddn
from stages.settings.selectors.tag_heads import TagHeads

LEAST_SIDE = 1e-3  # px; a moved box that is thinner at the image's border is none


@dataclass(frozen=True, slots=True)
class TagScores:
    """What is known of u boxes for the c classes of the categories.

    cls, ins : (u, c) factors of the two-branch head. refined : (u, c) mean of the branches, or the
    two-branch scores without any. moves : (u, 1 + c, 4) mean of the branches, or None.
    phi : (c,) in [0, 1].
    """

    cls: Tensor
    ins: Tensor
    refined: Tensor
    moves: Tensor | None
    phi: Tensor


@dataclass(frozen=True, slots=True)
class Detections:
    """Every row of a bag for every class in its tags, (r, t) each, t = classes in the tags.

    boxes : (r, t, 4) xyxy px of the bag's grid, inside the image. selected : bool.
    phi : (t,). classes : (t,) int64.
    """

    cls: Tensor
    ins: Tensor
    score: Tensor
    boxes: Tensor
    selected: Tensor
    phi: Tensor
    classes: Tensor


@torch.inference_mode()
def detections(
    network: TagNetwork, views: Sequence[tuple[Tensor, TagBags]], settings: TagHeads
) -> Detections:
    """Scores and choices in one image.

    Parameters
    ----------
    views : pixels and bag of the image as it is, and perhaps of the mirrored one.
    """
    seen = []
    for number, (pixels, bags) in enumerate(views):
        [answer] = network.answers(pixels, [bags.usable()])
        start = bags.start(size=settings.head_size, quality=settings.head_quality)
        scores = scores_of(answer, settings, start)
        seen.append(mirrored_scores(scores) if number else scores)
    return detections_of(mean_scores(seen), views[0][1], settings)


def scores_of(answer: Answer, settings: TagHeads, start: Tensor) -> TagScores:
    """Logits to scores; the background is left out.

    Parameters
    ----------
    start : (u, 1), added to the logits of the proposal branch.
    """
    ahead, count = int(settings.background), len(answer.cls)
    cls = wsddn.class_shares(answer.cls)[:, ahead:]
    ins = wsddn.proposal_shares(answer.ins + start, [count])[:, ahead:]
    branches = [logits.softmax(dim=1)[:, 1:] for logits in answer.refined]
    refined = torch.stack(branches).mean(dim=0) if branches else cls * ins
    moves = torch.stack(answer.moves).mean(dim=0) if answer.moves else None
    columns = 0 if moves is None else moves.shape[1] // 4
    phi = (cls * ins).sum(dim=0).clamp(0, 1)
    return TagScores(
        cls, ins, refined, None if moves is None else moves.view(count, columns, 4), phi
    )


def mirrored_scores(scores: TagScores) -> TagScores:
    """Scores of the mirrored image, with moves as they are in the image itself."""
    if scores.moves is None:
        return scores
    turned = scores.moves * scores.moves.new_tensor([-1.0, 1.0, 1.0, 1.0])
    return TagScores(scores.cls, scores.ins, scores.refined, turned, scores.phi)


def mean_scores(seen: Sequence[TagScores]) -> TagScores:
    """Mean over views of an image."""
    if len(seen) == 1:
        return seen[0]
    names = ("cls", "ins", "refined", "phi")
    means = {n: torch.stack([getattr(one, n) for one in seen]).mean(dim=0) for n in names}
    moves = [one.moves for one in seen if one.moves is not None]
    return TagScores(moves=torch.stack(moves).mean(dim=0) if moves else None, **means)


def detections_of(scores: TagScores, bags: TagBags, settings: TagHeads) -> Detections:
    """Scores of the usable boxes to every row of the bag, with boxes, factors and choices."""
    classes = torch.nonzero(bags.tags)[:, 0]
    cls, ins, refined = (
        bags.rows_of(part[:, classes]) for part in (scores.cls, scores.ins, scores.refined)
    )
    prior = bags.prior(size=settings.size_exponent, quality=settings.quality_exponent)
    score = refined * prior[:, None]
    boxes = moved_boxes(scores.moves, bags, classes)
    chosen = selected(score, boxes, bags.stands_for >= 0, nms_iou=settings.nms)
    kept = best_of(chosen, score, settings.detections)
    return Detections(cls, ins, score, boxes, kept, scores.phi[classes], classes)


def moved_boxes(moves: Tensor | None, bags: TagBags, classes: Tensor) -> Tensor:
    """Boxes of each row for each class, (r, t, 4), inside the image.

    One that would be left without an area stays where it is.
    """
    plain = bags.boxes[:, None].expand(-1, len(classes), -1)
    if moves is None:
        return plain
    height, width = bags.size
    made = mist.moved(plain, bags.rows_of(moves[:, classes + 1]))
    limit = made.new_tensor([width, height, width, height])
    cut = torch.minimum(made.clamp(min=0), limit)
    thin = (cut[..., 2:] - cut[..., :2]).min(dim=-1).values < LEAST_SIDE
    return torch.where(thin[..., None], plain, cut)


def selected(score: Tensor, boxes: Tensor, known: Tensor, *, nms_iou: float) -> Tensor:
    """Survivors of each class's NMS, (r, t) bool.

    Parameters
    ----------
    known : (r,) bool, rows that have scores; others are never chosen.
    """
    chosen = torch.zeros_like(score, dtype=torch.bool)
    rows = torch.nonzero(known)[:, 0]
    for t in range(score.shape[1]):
        kept = nms(boxes[rows, t].float(), score[rows, t], nms_iou)
        chosen[rows[kept], t] = True
    return chosen


def best_of(chosen: Tensor, score: Tensor, count: int) -> Tensor:
    """At most `count` of the chosen, of all classes together, by score: (r, t) bool to the same.

    The best of each class stays whatever the others' scores: no tag goes without a detection.
    """
    among = score.masked_fill(~chosen, -1.0)
    best = torch.zeros_like(chosen)
    if len(score):
        best.scatter_(0, among.argmax(dim=0, keepdim=True), value=True)
    left = max(count - int(best.sum()), 0)
    ranked = among.masked_fill(best, -1.0).flatten().argsort(descending=True, stable=True)
    best.view(-1)[ranked[:left]] = True
    return chosen & best
