"""A training from tables to weights: what fit_select and fit_refine do alike.

The module of a loss, which a door names as `fit` or `joint`, has
* `heads(classes, select, refine) -> dict`: columns of each head that is trained;
* `step_loss(network, pixels, bags, select, refine, *, seed, step) -> (loss, numbers)`: of the
  images of a step, with numbers for the log;
* where it is not of bags of objects, `cut_of(select) -> stages.learning.bag_index.Cut`, and
  `network_of(features, inputs, heads, select, *, precision) -> TwoBranch`.
A refiner that learns in another way has in its place
* `fitted(args, propose, refine, facts)`: learns, or goes on where it was cut, and writes model and
  log; args : of program fit_refine, facts : provenance, the model's header;
* `facts_of_fit(args, propose) -> dict`: what that depends on beside settings and code.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from stages.learning.arguments import category_ids
from stages.learning.bag_index import BagIndex, Cut
from stages.learning.bags import BAG_COLUMNS, image_bags
from stages.learning.batches import Reader, StepImages
from stages.learning.certain import certain_cut, known_masks
from stages.learning.inputs import Inputs
from stages.learning.labelled import LABEL_COLUMNS, check_bags
from stages.learning.opening import open_inputs, open_network
from stages.learning.outcome import leave
from stages.learning.schedule import optimizer_of, steps_of
from stages.learning.trainer import fit
from stages.learning.two_branch import TwoBranch
from stages.runtime.device import leased
from stages.runtime.processes import Team, joined
from stages.runtime.unfinished import parts_folder
from stages.settings.propose import Propose
from stages.settings.refine import Refine
from stages.settings.select import Select
from stages.settings.training import Training
from stages.tables.categories import CATEGORIES
from stages.tables.headers import checked_header
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.shards import check_alike, check_seed
from stages.tables.table import read_table, read_tables
from stages.tables.weak_labels import WEAK_LABELS


@dataclass(frozen=True, slots=True)
class Course:
    """What is learned, and how.

    Attributes
    ----------
    name : of the program. loss : module of the loss, opened.
    start : changes the fresh network before the first step, or None.
    """

    name: str
    loss: Any
    propose: Propose
    select: Select
    refine: Refine
    training: Training
    start: Callable[[TwoBranch], None] | None = None


def trained(
    args: argparse.Namespace,
    course: Course,
    facts: dict[str, Any],
    *,
    choices: pa.Table | None = None,
) -> None:
    """Train on all shards and write model and log; goes on where an earlier run was cut.

    Parameters
    ----------
    facts : provenance, the model's header.
    choices : rows of table `selections` of all shards, where it is select's choices that are
        learned from.

    Raises
    ------
    ValueError : the tables hold nothing to learn from, or do not belong together.
    """
    is_certain = getattr(course.select.block, "given", "bag") == "certain"
    index = open_index(args, choices, cut=cut_of(course), is_certain=is_certain)
    with joined(course.training.processes, args.device) as team:
        with team.leader_first():
            folder = parts_folder(args.out, facts, index.image_ids, inputs=_files(args))
        with leased(args.device) as device:
            network, log = _fitted(args, course, index, device=device, folder=folder, team=team)
        out = {"out": args.out, "out_log": args.out_log, "folder": folder}
        leave(course.name, network, log, facts, **out, team=team, tally=index.tally())


def cut_of(course: Course) -> Cut:
    """What cuts the bags that are learned from."""
    own = getattr(course.loss, "cut_of", None)
    cut: Cut = own(course.select) if own else image_bags
    return cut


def network_of(course: Course, inputs: Inputs, classes: int) -> TwoBranch:
    """The fresh network that is trained."""
    features, precision = course.select.block.features, course.training.precision
    heads = course.loss.heads(classes, course.select, course.refine)
    own = getattr(course.loss, "network_of", None)
    if own is None:
        return open_network(features, inputs, heads, precision=precision)
    network: TwoBranch = own(features, inputs, heads, course.select, precision=precision)
    return network


def open_index(
    args: argparse.Namespace,
    choices: pa.Table | None = None,
    *,
    cut: Cut = image_bags,
    is_certain: bool = False,
) -> BagIndex:
    """The bags of all given shards, with select's choices where they are given.

    Parameters
    ----------
    is_certain : whether an object whose mask is known has a bag of that mask alone.

    Raises
    ------
    ValueError : there is not one proposal, or labels, proposals and choices do not add up.
    """
    check_alike({args.images: IMAGES, args.weak_labels: WEAK_LABELS, args.categories: CATEGORIES})
    for path in args.proposals:
        check_seed(path, PROPOSALS, checked_header(args.images, IMAGES).get("seed"))
    labels = read_table(args.weak_labels, WEAK_LABELS, columns=LABEL_COLUMNS)
    proposals = read_tables(args.proposals, PROPOSALS, columns=BAG_COLUMNS)
    if not len(proposals):
        raise ValueError(
            f"{args.proposals[0]}: there are no proposals to learn from, as where all labels are "
            "masks. Set select.method: sam_top1 and refine.method: as_it_is, which learn nothing "
            "and pass masks through, or give points or boxes as well."
        )
    check_bags(proposals, labels, args.proposals[0].parent)
    images, classes = read_table(args.images, IMAGES), category_ids(args.categories)
    if is_certain:
        cut = certain_cut(cut, known_masks(args.weak_labels, images))
    return BagIndex(images, labels, proposals, classes, choices, cut=cut)


def _files(args: argparse.Namespace) -> list[Path]:
    """The files whose content decides the weights."""
    start = getattr(args, "select_model", None)
    started = [] if start is None else [start]
    tables = [args.images, args.weak_labels, args.categories, *args.proposals]
    return [*tables, *getattr(args, "selections", ()), *started]


def _fitted(
    args: argparse.Namespace,
    course: Course,
    index: BagIndex,
    *,
    device: torch.device,
    folder: Path,
    team: Team,
) -> tuple[TwoBranch, str]:
    features, training = course.select.block.features, course.training
    cache = args.embeddings or folder / "features"  # of this training alone
    inputs = open_inputs(
        features, course.propose, folder=args.image_folder, device=device, cache=cache
    )
    torch.manual_seed(args.seed)
    network = network_of(course, inputs, len(index.order))
    inputs.start(network, features)
    if course.start:
        course.start(network)
    reader = Reader(index, inputs, training, args.seed, team)
    log = fit(
        network,
        reader,
        _loss_of(network, reader, course),
        name=course.name,
        steps=steps_of(len(index.image_ids), training),
        settings=training,
        folder=folder,
        optimizer=optimizer_of(network, training),
        team=team,
        events=args.tensorboard,
    )
    return network, log


def _loss_of(
    network: TwoBranch, reader: Reader, course: Course
) -> Callable[[StepImages], tuple[Tensor, dict[str, float]]]:
    def loss(batch: StepImages) -> tuple[Tensor, dict[str, float]]:
        network.dropout.begin(
            batch.image_ids, seed=reader.seed, step=batch.step, device=reader.inputs.device
        )
        pixels, bags = reader.network_batch(batch)
        sections = (course.select, course.refine)
        found: tuple[Tensor, dict[str, float]] = course.loss.step_loss(
            network, pixels, bags, *sections, seed=reader.seed, step=batch.step
        )
        return found

    return loss
