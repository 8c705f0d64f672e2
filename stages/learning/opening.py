"""What fit_select, select, fit_refine and refine open alike: tables, SAM, inputs, network."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from stages.learning.bags import BagIndex
from stages.learning.inputs import Inputs, PixelInputs, SamInputs
from stages.learning.trainer import load_model
from stages.learning.two_branch import TwoBranch
from stages.runtime.provenance import sha256_of
from stages.segmenters.embed import channels_of, stride_of
from stages.segmenters.sam_loading import checked_sha256, load_sam
from stages.settings.propose import Propose
from stages.settings.readers import chosen, for_fit
from stages.settings.refine import Refine
from stages.settings.section import provenance_values
from stages.settings.select import Select
from stages.settings.selectors.psm import Features
from stages.tables.categories import CATEGORIES
from stages.tables.images import IMAGES
from stages.tables.proposals import PROPOSALS
from stages.tables.selections import SELECTIONS
from stages.tables.table import read_table, read_tables
from stages.tables.weak_labels import WEAK_LABELS

BAG_COLUMNS = ("image_id", "instance_id", "proposal_id", "box", "sam_score", "valid")
CHOICE_COLUMNS = ("image_id", "instance_id", "proposal_id", "selected", "bag_score", "score")
PACKAGES = ("torch", "torchvision", "segment_anything", "numpy")


def add_arguments(parser: argparse.ArgumentParser, *, files: Sequence[str]) -> None:
    """Flags that the four programs share; `files` are further single paths."""
    for flag in ("image-folder", "images", "weak-labels", "categories", *files):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--proposals", type=Path, required=True, nargs="+")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the stage's config section")
    parser.add_argument("--sam", default="{}", help="JSON of the config section `propose`")


def add_choice_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the two programs that go on from select's choices."""
    parser.add_argument("--selections", type=Path, required=True, nargs="+")
    parser.add_argument("--select-settings", default="{}", help="JSON of the section `select`")


def open_index(args: argparse.Namespace) -> BagIndex:
    """The bags of all given shards, with select's choices where they are given."""
    proposals = read_tables(args.proposals, PROPOSALS, columns=BAG_COLUMNS)
    paths = getattr(args, "selections", None)
    selections = read_tables(paths, SELECTIONS, columns=CHOICE_COLUMNS) if paths else None
    return BagIndex(
        read_table(args.images, IMAGES),
        read_table(args.weak_labels, WEAK_LABELS),
        proposals,
        category_ids(args.categories),
        selections,
    )


def open_training_index(args: argparse.Namespace) -> BagIndex:
    """As `open_index`, for a training.

    Raises
    ------
    ValueError : there is not one proposal.
    """
    index = open_index(args)
    if not index.image_ids:
        raise ValueError(f"{args.proposals[0]}: there are no proposals to learn from.")
    return index


def category_ids(path: Path) -> list[int]:
    """Ids of all classes, sorted: their places are the network's classes."""
    table = read_table(path, CATEGORIES)
    ids: list[int] = table.column("category_id").to_pylist()
    return ids


def open_inputs(
    folder: Path, features: Features, sam: Propose, device: torch.device, cache: Path | None
) -> Inputs:
    """Inputs of the kind that `features.source` names; a SAM is loaded only where it is needed."""
    if features.source != "sam":
        return PixelInputs(folder, device, features)
    model = load_sam(sam.sam.model, Path(sam.sam.checkpoint), sam.sam.sha256, device)
    return SamInputs(folder, device, model, cache if features.cache else None)


def open_network(
    features: Features, inputs: Inputs, heads: dict[str, int], *, precision: str = "float32"
) -> TwoBranch:
    """A network for these inputs, on their device; precision as in `training.precision`."""
    mixed = precision == "bfloat16"
    if isinstance(inputs, SamInputs):
        channels, stride = channels_of(inputs.sam), stride_of(inputs.sam)
        network = TwoBranch(features, heads, channels_in=channels, stride=stride, mixed=mixed)
    else:
        network = TwoBranch(features, heads, mixed=mixed)
    return network.to(inputs.device)


def fitted_network(
    model: Path, features: Features, inputs: Inputs, heads: dict[str, int]
) -> TwoBranch:
    """The network with the weights of `model`, for inference; it may hold more heads than asked.

    Raises
    ------
    ValueError : the model was made with other settings or classes.
    """
    state, _ = load_model(model)
    network = open_network(features, inputs, heads)
    try:
        network.load_state_dict(_with_heads(state, heads))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(
            f"{model}: does not fit these settings ({reason}). Remove it and run snakemake again."
        ) from error
    return network.eval()


def _with_heads(state: dict[str, Tensor], heads: Iterable[str]) -> dict[str, Tensor]:
    """Weights without those of other heads."""
    wanted = tuple(f"heads.{name}." for name in heads)
    return {k: v for k, v in state.items() if not k.startswith("heads.") or k.startswith(wanted)}


def feature_facts(features: Features, sam: Propose) -> dict[str, Any]:
    """Checksum of the weights that the features come from, for provenance.

    Raises
    ------
    ValueError : the weight file is missing or another one.
    """
    if features.source == "sam":
        return {"model_sha256": checked_sha256(Path(sam.sam.checkpoint), sam.sam.sha256)}
    return {"model_sha256": sha256_of(Path(features.weights))} if features.weights else {}


def plain_settings(settings: Select | Refine) -> dict[str, Any]:
    """Settings for provenance: without the path of a weight file, whose checksum tells more."""
    return chosen(_section_of(settings), provenance_values(settings))


def fit_settings(settings: Select | Refine, *, joint: bool = False) -> dict[str, Any]:
    """Settings for the provenance of a training: those that it depends on."""
    return for_fit(_section_of(settings), plain_settings(settings), joint=joint)


def _section_of(settings: Select | Refine) -> str:
    return "select" if isinstance(settings, Select) else "refine"


def image_ids_of(table: pa.Table) -> list[int]:
    """Image ids of table `images`, sorted."""
    ids: list[int] = table.column("image_id").to_pylist()
    return ids
