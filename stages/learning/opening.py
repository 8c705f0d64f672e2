"""What methods that learn open: features and networks."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from stages.learning.features import FEATURES
from stages.learning.inputs import Inputs
from stages.learning.model_file import load_model, put_weights
from stages.learning.two_branch import TwoBranch
from stages.runtime.doors import opened
from stages.settings.propose import Propose
from stages.settings.selectors.psm import Features

N = TypeVar("N", bound=TwoBranch)


def feature_facts(features: Features, propose: Propose) -> dict[str, Any]:
    """Packages, and checksums of the weights that the features come from, for provenance.

    Raises
    ------
    ValueError : a weight file is missing or another one.
    """
    module = opened(FEATURES[features.source].module)
    return {"packages": module.PACKAGES, **module.facts_of_features(features, propose)}


def open_inputs(
    features: Features,
    propose: Propose,
    *,
    folder: Path,
    device: torch.device,
    cache: Path | None = None,
) -> Inputs:
    """Inputs of the kind that `features.source` names; `cache` is where embeddings are kept."""
    module = opened(FEATURES[features.source].module)
    inputs: Inputs = module.opened_inputs(
        features, propose, folder=folder, device=device, cache=cache
    )
    return inputs


def open_network(
    features: Features, inputs: Inputs, heads: dict[str, int], *, precision: str = "float32"
) -> TwoBranch:
    """A network for these inputs, on their device; precision as in `training.precision`."""
    maps, strides = inputs.maps(features)
    network = TwoBranch(features, heads, maps, strides, mixed=precision == "bfloat16")
    return network.to(inputs.device)


def fitted_network(
    model: Path, features: Features, inputs: Inputs, heads: dict[str, int]
) -> TwoBranch:
    """The network with the weights of `model`, for inference; it may hold more heads than asked.

    Raises
    ------
    ValueError : the model was made with other settings or classes.
    """
    return with_weights(open_network(features, inputs, heads), model, heads)


def with_weights(network: N, model: Path, heads: Iterable[str] | None = None) -> N:
    """The network with the weights of `model`, for inference.

    Parameters
    ----------
    heads : names of the heads that are wanted, where the model may hold more; None: all.

    Raises
    ------
    ValueError : the model was made with other settings or classes.
    """
    state, _ = load_model(model)
    put_weights(network, state if heads is None else _with_heads(state, heads), model)
    return network.eval()


def _with_heads(state: dict[str, Tensor], heads: Iterable[str]) -> dict[str, Tensor]:
    """Weights without those of other heads."""
    wanted = tuple(f"heads.{name}." for name in heads)
    return {k: v for k, v in state.items() if not k.startswith("heads.") or k.startswith(wanted)}
