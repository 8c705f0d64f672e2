"""A user's own network: detectron2's YAML, or a LazyConfig, which is a program and is run.

The file says what the network is. On which images it is trained, for how long and how, stands in
section `train`, as for our own network; what the file says of that is not read. Of its weights none
are fetched: `train.weights` names a local file.
"""

import builtins
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from detectron2.config import CfgNode, LazyConfig, get_cfg, instantiate
from detectron2.modeling import build_model
from omegaconf import DictConfig, OmegaConf
from torch import nn

from stages.engines.config_files import PYTHON
from stages.runtime.program import Sentence, say
from stages.runtime.provenance import sha256_of
from stages.runtime.weights import read_weights
from stages.settings.train import Train


def read_config(settings: Train, classes: int) -> Any:
    """The user's configuration for so many classes, with the overrides laid over it.

    Returns
    -------
    A CfgNode, or of a LazyConfig its node `model` alone, in a DictConfig.

    Raises
    ------
    ValueError : detectron2 cannot read it, or it names weights that would have to be fetched.
    """
    path = str(Path(str(settings.config)).resolve())
    read = _lazy if path.endswith(PYTHON) else _yaml
    stock_import = builtins.__import__
    try:
        config, weights = read(path, settings.overrides, classes)
    except Exception as error:  # whatever detectron2, or the user's program, raises
        raise _unread(path, error) from error
    finally:
        builtins.__import__ = stock_import  # a LazyConfig that fails leaves another one behind
    if weights and not settings.weights:
        key = "MODEL.WEIGHTS" if isinstance(config, CfgNode) else "train.init_checkpoint"
        raise ValueError(
            f"train.config {settings.config} starts from {weights}, and nothing is downloaded. "
            f"Give train.weights a local file, or start from scratch: train.overrides: [{key}=]; "
            "then nothing may stay frozen (MODEL.BACKBONE.FREEZE_AT=0, a norm that learns)."
        )
    return config


def _yaml(path: str, overrides: tuple[str, ...], classes: int) -> tuple[CfgNode, str]:
    config = get_cfg()
    config.merge_from_file(path, allow_unsafe=False)  # else YAML may run code
    config.merge_from_list([part for pair in overrides for part in pair.split("=", 1)])
    weights = str(config.MODEL.WEIGHTS)
    config.MODEL.WEIGHTS = ""
    config.MODEL.ROI_HEADS.NUM_CLASSES = classes
    config.DATASETS.TRAIN = config.DATASETS.TEST = ()
    return config, weights


def _lazy(path: str, overrides: tuple[str, ...], classes: int) -> tuple[DictConfig, str]:
    config = LazyConfig.apply_overrides(LazyConfig.load(path), list(overrides))
    config.model.roi_heads.num_classes = classes
    weights = OmegaConf.select(config, "train.init_checkpoint") or ""
    return DictConfig({"model": config.model}, flags={"allow_objects": True}), weights


def _told(error: Exception) -> Sentence:
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no more is known'}"


def _unread(path: str, error: Exception) -> ValueError:
    return ValueError(
        f"train.config: detectron2 cannot read {path} with train.overrides: {_told(error)}. "
        "Correct them; a LazyConfig needs a `model` with `roi_heads`."
    )


def users_network(config: Any, device: torch.device) -> Any:
    """The network of a user's configuration, with fresh weights and without hooks.

    Raises
    ------
    ValueError : detectron2 cannot build it; tells its error, such as a package that is missing.
    """
    try:
        return stock_network(config, device)
    except Exception as error:  # of any library that the user's network needs
        raise ValueError(
            f"train.config: detectron2 cannot build this network: {_told(error)}. Correct the "
            "file, or install what it needs."
        ) from error


def stock_network(config: Any, device: torch.device) -> Any:
    """The network of a configuration, with fresh weights and without hooks."""
    if not isinstance(config, CfgNode):
        return instantiate(config.model).to(device)
    placed = config.clone()
    placed.MODEL.DEVICE = str(device)
    return build_model(placed)


def text_of(config: Any) -> str:
    """A configuration as YAML; that of a LazyConfig is read by `LazyConfig.load`.

    Raises
    ------
    ValueError : it holds what no YAML can, such as a lambda.
    """
    if isinstance(config, CfgNode):
        return str(config.dump())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        LazyConfig.save(config, str(path))
        if not path.exists() or path.with_name("config.yaml.pkl").exists():
            raise ValueError(
                "train.config: its `model` holds what cannot be written as YAML, such as a "
                "lambda. Use functions that can be imported."
            )
        return path.read_text(encoding="utf-8")


def load_matching(network: nn.Module, settings: Train) -> None:
    """Load `settings.weights` where names and shapes agree, such as all but the classes; says so.

    Raises
    ------
    ValueError : the file is missing, has another checksum, is no state dict, or nothing agrees.
    """
    path = Path(str(settings.weights))
    digest = sha256_of(path)
    if settings.weights_sha256 and digest != settings.weights_sha256.lower():
        raise ValueError(f"{path}: its sha256 is {digest}, not train.weights_sha256.")
    own = network.state_dict()
    fits = {
        name: value
        for name, value in _state_in(path).items()
        if name in own and own[name].shape == getattr(value, "shape", None)
    }
    if not fits:
        raise ValueError(
            f"{path}: no weight has the name and the shape of one of the network in train.config. "
            "Give a state dict of that network."
        )
    network.load_state_dict(fits, strict=False)
    say("train", f"{len(fits)} of {len(own)} weights are from train.weights; the rest is fresh.")


def _state_in(path: Path) -> dict[str, Any]:
    saved = read_weights(path)
    try:
        state: dict[str, Any] = dict(saved.get("model", saved))
    except Exception as error:
        raise ValueError(
            f"{path}: no state dict ({type(error).__name__}). Save it anew with torch.save."
        ) from error
    return state
