"""The labels of a file in the order in which a person had best look at them, the doubtful first."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.formats.pseudo_label_file import PseudoLabelFile
from stages.grading.evidence import EVIDENCE

HEADS = (
    *("rank", "image_id", "file_name", "annotation_id", "category"),
    *("mask_quality", "score", "mask_source", "reasons"),
)
CLEAR = "nothing in particular"
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Doubt:
    """One label of the list.

    Attributes
    ----------
    image_id, annotation_id : of the file. quality, score : as graded, 0 to 1.
    category, file_name, source : names. reasons : what speaks against it, in words.
    """

    image_id: int
    annotation_id: int
    quality: float
    score: float
    category: str
    file_name: str
    source: str
    reasons: str

    def row(self, rank: int) -> dict[str, Any]:
        """The label as a row of the list, with the names of HEADS."""
        ids = {"rank": rank, "image_id": self.image_id, "file_name": self.file_name}
        ids |= {"annotation_id": self.annotation_id, "category": self.category}
        numbers = {"mask_quality": self.quality, "score": self.score}
        return {**ids, **numbers, "mask_source": self.source, "reasons": self.reasons}


def doubts(file: PseudoLabelFile, most: int) -> tuple[list[Doubt], int]:
    """The most doubtful labels, the worst first, and of how many.

    A label of lower `mask_quality` comes first; of equal ones that of the lower `score`, then the
    first of the file. Masks that a person gave, accepted or corrected are not among them.

    Parameters
    ----------
    most : how many, at most. What is held is two numbers for each label, and those that are listed.
    """
    ranked = np.array([_key(entry) for entry in file.annotations()], dtype=float).reshape(-1, 3)
    asked = np.flatnonzero(~np.isnan(ranked[:, 0]))
    order = asked[np.lexsort((asked, ranked[asked, 1], ranked[asked, 0]))][:most]
    places = {int(ranked[place, 2]): rank for rank, place in enumerate(order)}
    classes = {entry["id"]: str(entry["name"]) for entry in file.categories}
    names = {image["id"]: str(image["file_name"]) for image in file.images}
    found = {
        places[entry["id"]]: _doubt(entry, classes, names)
        for entry in file.annotations()
        if entry["id"] in places
    }
    return [found[rank] for rank in sorted(found)], len(asked)


def _key(entry: Entry) -> tuple[float, float, float]:
    """Quality, score and id; quality NaN for what a person has given."""
    quality = entry["quality"]
    is_given = quality["mask_source"] == "given"
    return (np.nan if is_given else quality["mask_quality"], entry["score"], entry["id"])


def _doubt(entry: Entry, classes: Mapping[int, str], names: Mapping[int, str]) -> Doubt:
    quality = entry["quality"]
    return Doubt(
        image_id=entry["image_id"],
        annotation_id=entry["id"],
        quality=quality["mask_quality"],
        score=entry["score"],
        category=classes[entry["category_id"]],
        file_name=names[entry["image_id"]],
        source=quality["mask_source"],
        reasons=in_words(quality.get("reasons", ())),
    )


def in_words(reasons: Sequence[str]) -> str:
    """Pieces of evidence as words, the worst first; names that nobody knows as they stand."""
    return "; ".join(EVIDENCE.get(name, str(name)) for name in reasons) or CLEAR


def image_order(found: Sequence[Doubt], most: int) -> list[int]:
    """Ids of the images of the list, at most so many, by their most doubtful label."""
    return list(dict.fromkeys(doubt.image_id for doubt in found))[:most]


def csv_text(found: Sequence[Doubt]) -> str:
    """The list as CSV; a quote stands before what a spreadsheet would take for a formula."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADS, lineterminator="\n")
    writer.writeheader()
    for rank, doubt in enumerate(found, start=1):
        writer.writerow({name: _plain(value) for name, value in doubt.row(rank).items()})
    return out.getvalue()


def _plain(value: Any) -> Any:
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if is_formula else value


def json_text(found: Sequence[Doubt], of: int) -> str:
    """The list as JSON; of : labels that it was chosen of."""
    rows = [doubt.row(rank) for rank, doubt in enumerate(found, start=1)]
    return json.dumps({"labels": rows, "of": of}, indent=1, ensure_ascii=False) + "\n"
