r"""Train a grader: what evidence says of a mask, learnt where the truth is known.

    python -m stages.grading.train_grader --out grader.json \
        --fit results/a/sapnet/grade results/a/sapnet/evaluate/objects.parquet \
        --test results/b/sapnet/grade results/b/sapnet/evaluate/objects.parquet

In come folders of table `grades`, each with the table in which `evaluate` wrote the IoU of every
label; out goes a file for `grade.model`, for the kinds of labels that were among them, and a table
on stdout: how well it foretells labels of the tests, on which nothing was fitted, beside what the
segmenter predicts of its masks. `own` graders do for the fit: the evidence is the same.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.grading.additive_fitting import fitted
from stages.grading.evidence import EVIDENCE, KINDS
from stages.grading.grader_file import Grader, write_graders
from stages.metrics.calibration import GOOD
from stages.metrics.trust import trust_of
from stages.runtime.program import parser_of, run
from stages.tables.grades import GRADES
from stages.tables.judged_objects import JUDGED_OBJECTS
from stages.tables.table import read_table

KEY = ("image_id", "instance_id")
NAMES = tuple(EVIDENCE)
SHOWN = ("n", "iou_error", "good_error", "auroc", "spearman")
FEWEST = 100  # labels of a kind to fit to


def graded_rows(folder: Path, objects: Path) -> pa.Table:
    """Rows of table `grades` with the mask IoU of each, in the order of the key.

    Raises
    ------
    ValueError : there is no table, or none of its labels is among the objects.
    """
    paths = sorted(folder.glob("shard-*.parquet"))
    if not paths:
        raise ValueError(
            f"{folder}: no shards of table grades there. Give a folder of stage grade."
        )
    grades = pa.concat_tables([read_table(path, GRADES) for path in paths])
    known = read_table(objects, JUDGED_OBJECTS).select([*KEY, "mask_iou"])
    order = [(key, "ascending") for key in KEY]
    lists = grades.drop_columns(["reasons"])  # a join takes no lists
    rows = lists.join(known, list(KEY), join_type="inner").sort_by(order)
    rows = rows.filter(pc.is_in(rows.column("kind"), pa.array(KINDS)))
    if not len(rows):
        raise ValueError(f"{objects}: none of its objects has a label in {folder}.")
    return rows.combine_chunks()


def evidence_in(rows: pa.Table) -> np.ndarray:
    """(n, e) float64 of the rows, columns as EVIDENCE, NaN where missing."""
    return np.stack([_floats(rows, name) for name in NAMES], axis=1)


def _floats(rows: pa.Table, name: str) -> np.ndarray:
    values = rows.column(name).cast(pa.float64()).fill_null(np.nan)
    return np.asarray(values.to_numpy())


def of_kind(rows: pa.Table, kind: str) -> pa.Table:
    """The labels of one kind."""
    return rows.filter(pc.equal(rows.column("kind"), kind))


def graders_for(cases: Sequence[pa.Table]) -> dict[str, Grader]:
    """A grader for each kind of label that there is enough of.

    Raises
    ------
    ValueError : there is too little of all kinds.
    """
    whole = pa.concat_tables(cases)
    parts = {kind: of_kind(whole, kind) for kind in KINDS}
    found = {kind: _grader(rows) for kind, rows in parts.items() if len(rows) >= FEWEST}
    if not found:
        raise ValueError(
            f"--fit: {len(whole)} labels, fewer than {FEWEST} of each kind. Give more."
        )
    return found


def _grader(rows: pa.Table) -> Grader:
    numbers, ious = evidence_in(rows), _floats(rows, "mask_iou")
    is_good = (ious >= GOOD).astype(float)
    return Grader(fitted(numbers, is_good, NAMES), fitted(numbers, ious, NAMES))


def trusts(graders: Mapping[str, Grader], rows: pa.Table) -> Iterator[tuple[str, str, Any]]:
    """Yield (kind, what foretells, what `trust_of` measures), kind by kind."""
    for kind, grader in graders.items():
        mine = of_kind(rows, kind)
        if not len(mine):
            continue
        numbers, ious = evidence_in(mine), _floats(mine, "mask_iou")
        foretold = {
            "score": grader.score.probabilities(numbers, NAMES),
            "mask_quality": grader.mask_quality.probabilities(numbers, NAMES),
            "predicted_iou": _floats(mine, "predicted_iou"),
        }
        for name, values in foretold.items():
            yield kind, name, trust_of(values, ious, good=GOOD)


def table_of(found: Sequence[tuple[str, str, str, Any]]) -> str:
    """Markdown of (case, kind, what foretells, measured)."""
    heads = ["case", "labels of", "foretold by", *SHOWN]
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    for *names, trust in found:
        lines.append(f"| {' | '.join([*names, *(_shown(trust[key]) for key in SHOWN)])} |")
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    return "-" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"


def main(argv: Sequence[str] | None) -> None:
    """Command line of the program."""
    parser = parser_of(__doc__, "grading.train_grader")
    case: Any = {"nargs": 2, "action": "append", "type": Path, "metavar": ("GRADES", "OBJECTS")}
    parser.add_argument("--fit", required=True, help="to learn from", **case)
    parser.add_argument("--test", default=[], help="to measure on", **case)
    parser.add_argument("--about", default="{}", help="JSON that the file tells people")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    graders = graders_for([graded_rows(*paths) for paths in args.fit])
    write_graders(args.out, graders, json.loads(args.about))
    found = [
        (str(folder), *trust)
        for folder, objects in args.test
        for trust in trusts(graders, graded_rows(folder, objects))
    ]
    print(table_of(found))


if __name__ == "__main__":
    run("grading.train_grader", main)
