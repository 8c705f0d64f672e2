"""What went into a run and what came out, in numbers: per class, kind of label, source of mask."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Labelled:
    """One pseudo-label, as far as it is counted.

    category : name. kind : of its labels, see `cards.KINDS`. source : of its mask.
    score, quality : 0 to 1. iou : with the true object, or None.
    """

    category: str
    kind: str
    source: str
    score: float
    quality: float
    iou: float | None


@dataclass(slots=True)
class Sums:
    """Sums over labels."""

    labels: int = 0
    score: float = 0.0
    quality: float = 0.0
    iou: float = 0.0
    known: int = 0  # labels whose IoU is known

    def add(self, label: Labelled) -> None:
        """Count a label."""
        self.labels += 1
        self.score += label.score
        self.quality += label.quality
        if label.iou is not None:
            self.iou += label.iou
            self.known += 1

    def row(self, name: str) -> dict[str, Any]:
        """Name, count and means; None for what rests on nothing."""
        many = self.labels
        return {
            "name": name,
            "labels": many,
            "score": self.score / many if many else None,
            "quality": self.quality / many if many else None,
            "iou": self.iou / self.known if self.known else None,
        }


GROUPS = {"class": "category", "what was given": "kind", "source of the mask": "source"}


@dataclass(slots=True)
class Overview:
    """Collects what a run holds, label by label."""

    of: dict[str, defaultdict[str, Sums]] = field(
        default_factory=lambda: {title: defaultdict(Sums) for title in GROUPS}
    )
    all: Sums = field(default_factory=Sums)

    def add(self, label: Labelled) -> None:
        """Count a label."""
        self.all.add(label)
        for title, name in GROUPS.items():
            self.of[title][getattr(label, name)].add(label)

    def tables(self) -> list[dict[str, Any]]:
        """A table for each way to part the labels, the largest part first."""
        return [
            {
                "title": title,
                "rows": [
                    sums.row(name)
                    for name, sums in sorted(parts.items(), key=lambda p: (-p[1].labels, p[0]))
                ],
            }
            for title, parts in self.of.items()
        ]


def weak_label_counts(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many labels of each kind went in, and how many are left out as deleted.

    Parameters
    ----------
    rows : with kind and status, of table `weak_labels`.
    """
    counts: Counter[str] = Counter()
    for row in rows:
        counts["deleted" if row["status"] == "deleted" else row["kind"]] += 1
    return dict(sorted(counts.items()))
