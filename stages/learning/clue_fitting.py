"""Training of clues from tags alone: what program fit_prompt does once its flags are read.

WeakSAM, Sec. 3.1. The networks stand behind the door `stages.learning.prompt_networks`. Images
without tags teach nothing here: whether they hold nothing, or nobody has said, is not known.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from stages.labels.tags import tags_of
from stages.learning.arguments import category_ids
from stages.learning.batches import StepImages
from stages.learning.clue_networks import ClueLearner
from stages.learning.outcome import leave
from stages.learning.prompt_networks import NETWORKS
from stages.learning.schedule import optimizer_of, steps_of
from stages.learning.trainer import fit, images_of_step
from stages.runtime.device import leased
from stages.runtime.doors import opened
from stages.runtime.processes import Team, joined
from stages.runtime.program import Sentence
from stages.runtime.randomness import Purpose, rng_of
from stages.runtime.unfinished import parts_folder
from stages.settings.fit_prompt import FitPrompt
from stages.settings.propose import Propose
from stages.settings.training import ClueTraining
from stages.tables.images import IMAGES
from stages.tables.table import read_table, rows_by_image
from stages.tables.weak_labels import WEAK_LABELS

TAG_COLUMNS = ("image_id", "label_id", "kind", "category_id", "status")


@dataclass(frozen=True, slots=True)
class TagIndex:
    """The images that have tags.

    Attributes
    ----------
    images : rows of table `images` by id, rising. tags : of each, places among all classes.
    """

    images: Mapping[int, Mapping[str, Any]]
    tags: Mapping[int, tuple[int, ...]]
    classes: int

    def vectors(self, image_ids: Sequence[int]) -> Tensor:
        """(b, classes) float, 1 for each tag."""
        found = torch.zeros(len(image_ids), self.classes)
        for row, image_id in enumerate(image_ids):
            found[row, list(self.tags[image_id])] = 1
        return found

    def tally(self) -> Sentence:
        """How many images and tags there are, for the log."""
        return f"{len(self.images)} images, {sum(map(len, self.tags.values()))} tags"


@dataclass(frozen=True, slots=True)
class TagReader:
    """Reads this process's part of the batch of a step; depends on the step alone."""

    index: TagIndex
    learner: ClueLearner
    settings: ClueTraining
    seed: int
    team: Team

    def __call__(self, step: int) -> StepImages:
        """The batch of `step`."""
        ids = list(self.index.images)
        whole = images_of_step(ids, step, self.settings, seed=self.seed)
        keys = self.team.share(whole)
        images = [self._read(step, *key) for key in keys]
        return StepImages(step, keys, images, [image_id for image_id, _ in whole])

    def loss(self, batch: StepImages) -> tuple[Tensor, dict[str, float]]:
        """Of a batch, with its parts for the log."""
        keys = [(self.index.images[image_id], flip) for image_id, flip in batch.keys]
        rng = rng_of(self.seed, Purpose.AUGMENT, batch.step)
        return self.learner.loss(batch.images, keys, self.index.vectors(batch.image_ids), rng)

    def _read(self, step: int, image_id: int, flip: bool) -> Tensor:
        rng: np.random.Generator = rng_of(self.seed, Purpose.AUGMENT, step, image_id)
        return self.learner.read(self.index.images[image_id], flip=flip, rng=rng)


def open_index(images: Path, weak_labels: Path, categories: Path) -> TagIndex:
    """The images of the tables that have tags.

    Raises
    ------
    ValueError : there is not one tag, or a tag is of no known class.
    """
    labels = read_table(weak_labels, WEAK_LABELS, columns=TAG_COLUMNS)
    order = {category: column for column, category in enumerate(category_ids(categories))}
    tags = {image_id: columns_of(rows, order) for image_id, rows in rows_by_image(labels).items()}
    rows = read_table(images, IMAGES).to_pylist()
    tagged = {row["image_id"]: row for row in rows if tags.get(row["image_id"])}
    if not tagged:
        raise ValueError(
            f"{weak_labels}: there are no tags to learn from. Set prepare.labels: tag, which makes "
            "tags of all labels, or take a prompter that needs none."
        )
    return TagIndex(tagged, {image_id: tags[image_id] for image_id in tagged}, len(order))


def columns_of(labels: pa.Table, order: Mapping[int, int]) -> tuple[int, ...]:
    """Places of an image's tags among all classes, rising; labels: its rows of `weak_labels`."""
    return tuple(order[category] for category in tags_of(labels))


def trained(
    args: argparse.Namespace, settings: FitPrompt, propose: Propose, facts: dict[str, Any]
) -> None:
    """Train on all images with tags, write model and log; goes on where an earlier run was cut.

    Parameters
    ----------
    facts : provenance, the model's header.

    Raises
    ------
    ValueError : there is nothing to learn from, or the loss is not finite.
    """
    index = open_index(args.images, args.weak_labels, args.categories)
    files = [args.images, args.weak_labels, args.categories]
    training = training_of(settings)
    with joined(training.processes, args.device) as team:
        with team.leader_first():
            folder = parts_folder(args.out, facts, list(index.images), inputs=files)
        with leased(args.device) as device:
            learner = _opened(args, settings, propose, index, device=device, folder=folder)
            reader = TagReader(index, learner, training, args.seed, team)
            log = _fitted(reader, folder, args.tensorboard)
        out = {"out": args.out, "out_log": args.out_log, "folder": folder}
        network = learner.network
        leave("fit_prompt", network, log, facts, **out, team=team, tally=index.tally())


def training_of(settings: FitPrompt) -> ClueTraining:
    """Optimiser and schedule of the chosen network."""
    training: ClueTraining = getattr(settings, settings.network).training
    return training


def _opened(
    args: argparse.Namespace,
    settings: FitPrompt,
    propose: Propose,
    index: TagIndex,
    *,
    device: torch.device,
    folder: Path,
) -> ClueLearner:
    torch.manual_seed(args.seed)
    learner: ClueLearner = opened(NETWORKS[settings.network].module).opened_learner(
        settings,
        propose,
        classes=index.classes,
        folder=args.image_folder,
        device=device,
        cache=args.embeddings or folder / "features",  # of this training alone
        fresh=True,
    )
    return learner


def _fitted(reader: TagReader, folder: Path, events: Path | None) -> str:
    network, training = reader.learner.network, reader.settings
    return fit(
        network,
        reader,
        reader.loss,
        name="fit_prompt",
        steps=steps_of(len(reader.index.images), training),
        settings=training,
        folder=folder,
        optimizer=optimizer_of(network, training),
        team=reader.team,
        events=events,
    )
