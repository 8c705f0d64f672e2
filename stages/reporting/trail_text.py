"""A trail as lines for a terminal."""

from collections.abc import Sequence

from stages.geometry.masks import rle_areas, rle_of
from stages.grading.evidence import EVIDENCE
from stages.reporting.image_trail import InstanceTrail, Trail
from stages.reporting.tag_trail import Row, tag_text
from stages.reporting.trail_legend import legend_of

HEADS = (
    "    id  prompt                slot  IoU^   stable   area  box                    "
    "S_cls  S_ins  S_dis  S"
)
SCORES = ("score_cls", "score_ins", "score_dis", "score")


def text_of(trail: Trail, lacking: Sequence[str] = ()) -> str:
    """The trail as text, object by object, with a legend.

    Parameters
    ----------
    lacking : what of the run is not there yet, as `trail_tables.missing` names it.
    """
    image = trail.image
    lines = [
        f"image {image['image_id']}: {image['file_name']}, {image['width']} x {image['height']} px,"
        f" shard {image['shard']}, {len(trail.instances)} instances"
    ]
    if lacking:
        lines.append(f"not there yet: {', '.join(lacking)}")
    if trail.tags:
        lines.append(f"tags: {', '.join(trail.tags)}")
    if trail.tagged:
        lines += tag_text(trail.tagged)
    for instance in trail.instances:
        lines += ["", *_instance_lines(instance, trail.image, lacking)]
    return "\n".join([*lines, *legend_of(trail)])


def label_text(label: Row, image: Row) -> str:
    """What one weak label says, such as "point (5.0, 6.0)".

    Parameters
    ----------
    label : row of table `weak_labels`. image : row of table `images`.
    """
    text = label["kind"]
    if label["kind"] == "point":
        text = f"point ({label['x']:.1f}, {label['y']:.1f})"
    elif label["kind"] == "box":
        text = f"box ({_numbers(label['box'])})"
    elif label["kind"] == "mask":
        area = rle_areas([rle_of(label["rle"], image["height"], image["width"])])[0]
        text = f"mask of {area} px"
    return text if label["status"] == "given" else f"{text} ({label['status']})"


def _instance_lines(instance: InstanceTrail, image: Row, lacking: Sequence[str]) -> list[str]:
    labels = ", ".join(label_text(label, image) for label in instance.labels)
    lines = [f"instance {instance.instance_id}: {instance.category}, {labels}"]
    if instance.proposals:
        lines += [HEADS, *(_proposal_line(row, instance) for row in instance.proposals)]
    elif not instance.result:
        lines.append(_without_proposals(instance, lacking))
    lines += [step_text(row) for row in instance.steps]
    lines += [result_text(instance.result)] if instance.result else []
    return [*lines, grade_text(instance.grade)] if instance.grade else lines


def _without_proposals(instance: InstanceTrail, lacking: Sequence[str]) -> str:
    """Why an object without a pseudo-label has no proposals."""
    if any(label["kind"] == "mask" for label in instance.labels):
        return "  no proposals: its mask was given"
    if any(what.endswith("propose") for what in lacking):
        return "  no proposals yet: propose has not reached this image"
    return "  no proposals"


def _proposal_line(row: Row, instance: InstanceTrail) -> str:
    number = row["proposal_id"]
    mark = ">" if number == instance.chosen() else "s" if number == instance.selected() else " "
    prompt = prompt_text(row)
    score = instance.scores.get(number)
    tail = "  ".join(_score(score[key]) for key in SCORES) if score else ""
    return (
        f"  {mark} {number:2d}  {prompt:21s} {row['mask_index']:3d}   {row['predicted_iou']:.3f}  "
        f"{row['stability']:.3f}  {row['area']:6d}  {_numbers(row['box'], 0):21s}  {tail}"
    ).rstrip()


def prompt_text(row: Row) -> str:
    """What a proposal answers, such as "point[0]".

    Parameters
    ----------
    row : of table `proposals`.
    """
    which = row["prompt_id"] if row["derived"] is None else f"{row['prompt_id']}.{row['derived']}"
    return f"{row['prompt_kind']}[{which}]"


def step_text(row: Row) -> str:
    """What one step of a method did.

    Parameters
    ----------
    row : of table `trail`.
    """
    parts = [f"    {row['name']:8s}"]
    if row["proposal_id"] is not None:
        parts.append(f"proposal {row['proposal_id']}")
    if row["box"] is not None:
        parts.append(f"box {_numbers(row['box'])}")
    if row["score"] is not None:
        parts.append(f"score {row['score']:.4f}")
    return "  ".join([*parts, *([row["note"]] if row["note"] else [])])


def result_text(row: Row) -> str:
    """What became of an object.

    Parameters
    ----------
    row : of table `pseudo_labels`.
    """
    chosen = "no proposal" if row["proposal_id"] is None else f"proposal {row['proposal_id']}"
    box = f"box {_numbers(row['box'])}{' (given)' if row['box_given'] else ''}"
    return (
        f"    chosen: {chosen}; mask: {row['mask_source']}, quality {row['mask_quality']:.3f}, "
        f"weight {row['mask_weight']:g}; class score {row['score']:.3f}; {box}"
    )


def grade_text(row: Row) -> str:
    """How far a label can be trusted.

    Parameters
    ----------
    row : of table `grades`.
    """
    text = f"    graded: right {row['score']:.3f}, expected mask IoU {row['mask_quality']:.3f}"
    reasons = reasons_text(row)
    return f"{text}; against it: {reasons}" if reasons else text


def reasons_text(row: Row | None) -> str:
    """What speaks against a label, in words, the worst first; nothing before grade.

    Parameters
    ----------
    row : of table `grades`, or None.
    """
    return "; ".join(EVIDENCE[name] for name in row["reasons"]) if row else ""


def _numbers(values: Sequence[float], digits: int = 1) -> str:
    return (", " if digits else ",").join(f"{value:.{digits}f}" for value in values)


def _score(value: float | None) -> str:
    return "-----" if value is None else f"{value:.3f}"
