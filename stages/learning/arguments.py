"""What the command lines of fit_select, select, fit_refine and refine have in common."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from stages.learning.features import FEATURES, of_segmenter
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features
from stages.tables.categories import CATEGORIES
from stages.tables.table import read_table


def add_arguments(parser: argparse.ArgumentParser, *, files: Sequence[str]) -> None:
    """Flags that the four programs share; `files` are further single paths."""
    for flag in ("image-folder", "images", "weak-labels", "categories", *files):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--embeddings", type=Path, help="results/<run>/embeddings; else none kept")
    parser.add_argument("--tensorboard", type=Path, help="folder of its event files; else none")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the stage's config section")
    parser.add_argument("--propose-settings", default="{}", help="JSON of the section `propose`")


def category_ids(path: Path) -> tuple[int, ...]:
    """Ids of all classes, sorted: their places are the network's classes."""
    return tuple(read_table(path, CATEGORIES).column("category_id").to_pylist())


def feature_modules(features: Features, propose: Propose) -> tuple[str, ...]:
    """Modules that make the features, for digests of code."""
    module = FEATURES[features.source].module
    asked = SEGMENTERS[propose.segmenter].module
    return (module, asked) if of_segmenter(features.source, features.path) else (module,)
