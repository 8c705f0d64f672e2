"""What evaluate measured of several variants and seeds, and other files of theirs, by variant."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.runtime.json_files import read_json

KEYS = ("counts", "label_quality", "label_ap", "detector")  # of metrics.json, that are read


def read_metrics(path: Path) -> dict[str, Any]:
    """One metrics.json of `evaluate`.

    Raises
    ------
    ValueError : missing, no JSON, or not one of evaluate's.
    """
    metrics = read_json(path, "metrics", "evaluate")
    absent = [key for key in KEYS if not isinstance(metrics, dict) or key not in metrics]
    if absent:
        raise ValueError(f"{path}: no metrics, {' and '.join(absent)} missing. Rerun evaluate.")
    return dict(metrics)


def runs_of(
    paths: Sequence[Path], variants: Sequence[str], seeds: Sequence[int], flag: str
) -> dict[str, list[dict[str, Any]]]:
    """Metrics by variant, in the order of the seeds; parameters and errors as `by_case`."""
    found = by_case(paths, variants, seeds, flag)
    return {name: [read_metrics(path) for path in mine] for name, mine in found.items()}


def by_case(
    paths: Sequence[Path], variants: Sequence[str], seeds: Sequence[int], flag: str
) -> dict[str, list[Path]]:
    """Files by variant, in the order of the seeds.

    Parameters
    ----------
    paths : in the order of product(variants, seeds), seeds running fastest.
    flag : name of the argument that held them, for the sentence.

    Raises
    ------
    ValueError : a name or seed is there twice, or the number of files is another.
    """
    for kind, names in (("variant", variants), ("seed", seeds)):
        twice = [name for number, name in enumerate(names) if name in names[:number]]
        if twice:
            raise ValueError(f"{flag}: {kind} {twice[0]} is given twice. Give it once.")
    wanted = len(variants) * len(seeds)
    if len(paths) != wanted:
        raise ValueError(
            f"{flag}: {len(paths)} files for {len(variants)} variants and {len(seeds)} seeds. "
            f"Give {wanted}, variant by variant."
        )
    found: dict[str, list[Path]] = {name: [] for name in variants}
    for path, (name, _) in zip(paths, itertools.product(variants, seeds), strict=True):
        found[name].append(path)
    return found
