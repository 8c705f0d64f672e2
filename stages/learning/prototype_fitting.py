"""Prototypes of SIM: what program fit_refine does for refiner `sim`, once its flags are read.

In come the teacher, its proposals with soft masks and the photographs; out go prototypes of each
class and a log of how they moved. SIM (CVPR 2023), Eq. 2 to 5. Where we depart: the paper moves
prototypes with every batch of its training; here the teacher is done, and in a pass over all images
prototypes stay as they are until each image has said to which of them its pixels belong; then they
move image by image, in the order of ids, as by Eq. 4 (`update: ema`), or to the mean of their
pixels. So shards change nothing, and what an image said, L sums, is kept where a run is cut.
They start from pixels of some images of each class (`stages.learning.prototype_start`).
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from stages.box_supervision.prototypes import image_sums
from stages.learning.arguments import category_ids
from stages.learning.prototype_model import Prototypes, save_prototypes
from stages.learning.prototype_passes import (
    distance,
    likeness,
    moved_to_means,
    replayed,
    seen_in,
)
from stages.learning.prototype_pixels import PixelReader, PixelSources, opened_sources
from stages.learning.prototype_start import sampled, sampled_images, started
from stages.learning.teacher_pixels import opened_teacher
from stages.runtime.atomic import write_text
from stages.runtime.device import leased
from stages.runtime.program import say
from stages.runtime.progress import Progress
from stages.runtime.unfinished import parts_folder, remove_parts
from stages.segmenters.on_demand import OnDemand
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.refiners.sim import Settings
from stages.tables.in_parts import write_in_parts
from stages.tables.prototype_sums import PROTOTYPE_SUMS, sums_row
from stages.tables.table import read_table, rows_table

NAME, PACKAGES = "fit_refine", ("torch", "numpy", "pyarrow")
Features = Mapping[int, np.ndarray]  # (n, D) of length 1 by category_id, rising


def facts_of_fit(args: argparse.Namespace, propose: Propose) -> dict[str, Any]:
    """Packages, the teacher's code and its checksum, for provenance.

    Raises
    ------
    ValueError : there is no teacher.
    """
    teacher = OnDemand(propose, lambda: torch.device("cpu"), args.propose_model)  # is not opened
    return {"packages": (*PACKAGES, *teacher.packages), "model_sha256": teacher.digest}


def fitted(
    args: argparse.Namespace, propose: Propose, refine: Refine, facts: Mapping[str, Any]
) -> None:
    """Make prototypes of all shards, write model and log; goes on where an earlier run was cut.

    Parameters
    ----------
    args : of program fit_refine: the tables, image_folder, propose_model, device, seed, out,
        out_log. facts : provenance, the model's header.

    Raises
    ------
    ValueError : there are no proposals, they have no soft masks, or tables do not belong together.
    """
    sources, order = opened_sources(args), category_ids(args.categories)
    files = [args.images, args.weak_labels, args.categories, *args.proposals, *args.selections]
    files.append(args.propose_model)
    folder = parts_folder(args.out, facts, list(sources.classes_of), inputs=files)
    with ExitStack() as stack:
        device = cache(lambda: stack.enter_context(leased(args.device)))
        segmenter = OnDemand(propose, device, args.propose_model)
        fitting = Fitting(refine, sources, order, segmenter, folder, args.seed)
        prototypes, log = fitting.fitted()
    save_prototypes(args.out, prototypes, facts)
    write_text(args.out_log, "".join(f"{json.dumps(line)}\n" for line in log))
    remove_parts(folder)
    found = f"{int(prototypes.known().sum())} of {len(order)} classes have prototypes"
    say(NAME, f"{len(sources.classes_of)} images, {sources.objects} objects, {found}.")


@dataclass(frozen=True, slots=True)
class Fitting:
    """Passes over the images, one after the other, from the first prototypes on.

    Attributes
    ----------
    order : all classes. folder : of the work in progress, in which what each pass found stays.
    """

    refine: Refine
    sources: PixelSources
    order: Sequence[int]
    segmenter: OnDemand
    folder: Path
    seed: int

    @property
    def settings(self) -> Settings:
        """The refiner's own keys."""
        return self.refine.sim

    def fitted(self) -> tuple[Prototypes, list[dict[str, Any]]]:
        """The prototypes after all passes, and a line of the log for each pass."""
        vectors, counts, seen = self._start()
        log: list[dict[str, Any]] = [{"pass": 0, "update": "start", **seen}]
        for number in range(1, self.settings.passes + 1):
            table = self._pass(number, vectors)
            before, (vectors, counts) = vectors, self._after(table, vectors)
            numbers = {"likeness": likeness(table, before, self.order)}
            numbers |= {"moved": distance(before, vectors), **seen_in(table, counts)}
            log.append({"pass": number, "update": self.settings.update, **numbers})
        return Prototypes(vectors, counts, tuple(self.order)), log

    def _start(self) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
        """The first prototypes, the sampled pixels of each, and numbers for the log."""
        wanted = sampled_images(self.sources.classes_of, self.order, self.settings, seed=self.seed)
        most = self.settings.start.pixels

        def rows(image_id: int, features: Features) -> pa.Table:
            mine = {number: features[number] for number in features if number in wanted[image_id]}
            return sampled(image_id, mine, self.order, most=most, seed=self.seed)

        table = self._walked("start", list(wanted), rows)
        vectors, counts = started(table, self.order, self.settings, seed=self.seed)
        return vectors, counts, seen_in(table, counts)

    def _pass(self, number: int, vectors: np.ndarray) -> pa.Table:
        """What all images say of prototypes that stay as they are."""
        of_class = dict(zip(self.order, vectors, strict=True))
        keys = self.settings.sinkhorn

        def rows(image_id: int, features: Features) -> pa.Table:
            found = []
            for category_id, mine in features.items():
                sums, counts = image_sums(
                    mine, of_class[category_id], epsilon=keys.epsilon, iterations=keys.iterations
                )
                if counts.any():
                    found.append(sums_row(image_id, category_id, sums, counts))
            return rows_table(PROTOTYPE_SUMS, found)

        return self._walked(f"pass-{number}", list(self.sources.classes_of), rows)

    def _walked(
        self, name: str, image_ids: Sequence[int], rows: Callable[[int, Features], pa.Table]
    ) -> pa.Table:
        """The rows of all these images, kept in the folder, so that none is looked at again."""
        path = self.folder / f"{name}.parquet"
        if path.exists():
            return read_table(path, PROTOTYPE_SUMS)
        teacher = cache(lambda: opened_teacher(self.segmenter))
        read = PixelReader(self.sources, teacher, sure=self.settings.sure)
        (table,) = write_in_parts(
            [(path, PROTOTYPE_SUMS)],
            image_ids,
            lambda image_id: [rows(image_id, read(image_id))],
            provenance={"pass": name},
            chunk=self.refine.chunk,
            progress=Progress(NAME, len(image_ids)),
        )
        return table

    def _after(self, table: pa.Table, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Prototypes moved by what the images say, and pixels of each."""
        if self.settings.update == "mean":
            return moved_to_means(table, vectors, self.order)
        return replayed(table, vectors, self.order, gamma=self.settings.gamma)
