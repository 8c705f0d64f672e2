"""What the tags of one image led to: prompts, proposals and detections, and their lines of text.

Tags are of no object, so this stands before the trails of the objects that were born of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

TOP = 5  # detections of a class that are told
PEAKS = 24  # peaks that are told
NAMES = {"peaks": "joint prompts", "grid": "grids", "peak": "peaks", "point": "points"}
HEADS = "      id  S      S_cls  S_ins  box"


@dataclass(frozen=True, slots=True)
class TagTrail:
    """The tags of one image.

    Attributes
    ----------
    classes : category_id of each tag to its name.
    prompts : rows of table `prompts` of the tags' bag; empty before stage prompt, and where that
        is not in the DAG and propose asks the prompters itself.
    proposals : rows of table `proposals` of that bag which are valid; empty before propose.
    detections : rows of table `selections` of that bag; empty before select.
    """

    classes: Mapping[int, str]
    prompts: Sequence[Row]
    proposals: Sequence[Row]
    detections: Sequence[Row]

    def peaks(self) -> list[Row]:
        """Prompts that are one peak of a map, the highest first."""
        found = [row for row in self.prompts if row["kind"] == "peak"]
        return sorted(found, key=lambda row: -(row["value"] or 0))

    def of_class(self, category_id: int) -> list[Row]:
        """Detections of a class, the best first; of equal scores the first."""
        found = [row for row in self.detections if row["category_id"] == category_id]
        return sorted(found, key=lambda row: -row["score"])

    def selected(self) -> list[Row]:
        """Detections that the method took, class by class, the best first."""
        return [row for key in self.classes for row in self.of_class(key) if row["selected"]]

    def box_of(self, detection: Row) -> Sequence[float] | None:
        """Its box, xyxy px: as the method moved it, else its proposal's; None without either."""
        if detection["box"] is not None:
            return list(detection["box"])
        rows = (r for r in self.proposals if r["proposal_id"] == detection["proposal_id"])
        return next((list(row["box"]) for row in rows), None)

    def name_of(self, category_id: int | None) -> str:
        """The name of a tag's class; a peak of a map without classes is of any."""
        if category_id is None:
            return "any"
        return self.classes.get(category_id, str(category_id))


def tag_text(tagged: TagTrail) -> list[str]:
    """Lines on prompts, proposals and detections; what is not there yet is not told."""
    lines = []
    if tagged.prompts:
        lines += _prompt_lines(tagged)
    if tagged.proposals:
        kinds = Counter(row["prompt_kind"] for row in tagged.proposals)
        lines.append(f"proposals: {len(tagged.proposals)} ({counted(kinds)})")
    for category_id, name in tagged.classes.items():
        lines += _class_lines(tagged, category_id, name)
    return lines


def counted(counts: Mapping[str, int]) -> str:
    """Such as "3 peak, 12 grid"."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def _prompt_lines(tagged: TagTrail) -> list[str]:
    kinds = Counter(str(NAMES.get(row["kind"], row["kind"])) for row in tagged.prompts)
    lines = [f"prompts: {counted(kinds)}"]
    peaks = tagged.peaks()
    for row in peaks[:PEAKS]:
        x, y = row["points"][0]
        value = "" if row["value"] is None else f" {row['value']:.3f}"
        where = f"({x:.1f}, {y:.1f})"
        lines.append(f"    peak of {row['source_map']}{value}  {where:16s} {_class(tagged, row)}")
    if len(peaks) > PEAKS:
        lines.append(f"    and {len(peaks) - PEAKS} lower ones")
    for row in tagged.prompts:
        if row["kind"] in ("grid", "peaks"):
            of = f" of {row['source_map']}" if row["source_map"] else ""
            line = f"    {row['kind']}{of}: {len(row['points'])} points  {_class(tagged, row)}"
            lines.append(line.rstrip())
    return lines


def _class(tagged: TagTrail, row: Row) -> str:
    return "" if row["kind"] == "grid" else tagged.name_of(row["category_id"])


def _class_lines(tagged: TagTrail, category_id: int, name: str) -> list[str]:
    found = tagged.of_class(category_id)
    if not found:
        return []
    taken = sum(row["selected"] for row in found)
    head = f"detections of {name}: {len(found)} scored, {taken} selected"
    lines = [f"{head}, the image's score {found[0]['bag_score']:.3f}", HEADS]
    return [*lines, *(_detection_line(tagged, row) for row in found[:TOP])]


def _detection_line(tagged: TagTrail, row: Row) -> str:
    box = tagged.box_of(row)
    place = "-" if box is None else ", ".join(f"{value:.1f}" for value in box)
    moved = " (moved)" if row["box"] is not None else ""
    scores = "  ".join(_score(row[key]) for key in ("score", "score_cls", "score_ins"))
    mark = "s" if row["selected"] else " "
    return f"  {mark} {row['proposal_id']:4d}  {scores}  {place}{moved}"


def _score(value: float | None) -> str:
    return "-----" if value is None else f"{value:.3f}"
