"""What the letters and columns of a trail mean, for a terminal and below a picture."""

from stages.reporting.image_trail import Trail

SCORE = "S_cls x S_ins x S_dis x IoU^ ** select.psm.quality_exponent"  # SAPNet, Sec. 3.2, Eq. 3
Part = tuple[tuple[str, str], ...]  # words, and what each means
OBJECTS: Part = (
    ("> s", "chosen; select's choice, where refine chose another one"),
    ("id", "place of the mask in the bag of proposals of its object, from 0"),
    ("prompt", "what the segmenter was asked: kind[prompt.derived], derived: of earlier answers"),
    ("slot", "which of the segmenter's answers to one prompt it is, from 0"),
    ("IoU^", "the segmenter's own guess of its mask's IoU with the object"),
    ("stable", "IoU of the mask at two thresholds of its logits, 0 to 1"),
    ("area, box", "px of the mask; its hull x0,y0,x1,y1 in px"),
    ("S_cls", "share of the object's class among all classes, for this mask, 0 to 1"),
    ("S_ins", "share of this mask among those of the bag, for the class, 0 to 1"),
    ("S_dis", "below 1 where the mask's box holds the point of another object of the class"),
    ("S", f"what select chooses by; of psm {SCORE}"),
    ("-----", "a part that the method of select does not have"),
)
STEPS: Part = (
    ("score", "of a step: what it chose by; class score: how sure the class is, 0 to 1"),
    ("quality", "what the method or the segmenter says of the mask; weight 0: no training sees it"),
    ("graded", "chance that the label is right, and mask IoU to expect, without ground truth"),
)
TAGS: Part = (
    ("s", "a detection that select took for the tag"),
    ("id", "place of the proposal in the bag of the image's tags, from 0"),
    ("S", "what detections are ranked by; S_cls, S_ins: its parts, -----: there are none"),
    ("peak of", "the map in which the peak was found, and its value there, 0 to 1"),
)
PICTURE = (
    "in a title: what the segmenter was asked, its own guess IoU^ of the mask's IoU, and S, what "
    f"select chose by\nS of psm: {SCORE}   S_cls: share of the class   S_ins: of the mask in its "
    "bag   S_dis: distance to points of others"
)


def legend_of(trail: Trail) -> list[str]:
    """Lines for a terminal on what is shown of a trail; none where there is nothing to explain."""
    parts: list[Part] = [TAGS] if trail.tagged and trail.tagged.detections else []
    if any(instance.proposals for instance in trail.instances):
        parts.append(OBJECTS)
    if any(instance.result for instance in trail.instances):
        parts.append(STEPS)
    lines = [f"  {word:10s} {text}" for part in parts for word, text in part]
    return ["", "legend", *lines] if lines else []
