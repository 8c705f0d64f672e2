"""Maps of clues once more, for a person to look at: no stage stores them.

WeakSAM, Sec. 3.1. How the network looked stands in the header of the table of its peaks, so that
the maps are those that the peaks are of; weights are looked for where they usually lie.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.learning.clue_networks import CLASS_MAPS
from stages.methods.kit import LookingKit
from stages.methods.prompters.clues import opened_prompter
from stages.settings.fit_prompt import FitPrompt
from stages.settings.prompters.clues import Settings
from stages.settings.propose import Propose
from stages.settings.section import from_values
from stages.tables.headers import checked_header
from stages.tables.prompts import PROMPTS

CLUES = "clues"  # the prompter whose maps these are


def shown_maps(
    prompts: Path,
    image: Mapping[str, Any],
    tags: Mapping[int, str],
    *,
    classes: Mapping[int, str],
    model: Path,
    folder: Path,
) -> dict[str, np.ndarray]:
    """The maps of one image, on the CPU.

    Parameters
    ----------
    prompts : a shard of table `prompts` that the network made.
    image : row of table `images`. tags : names of its tags by category_id, at least one.
    classes : of all classes, rising. model : of fit_prompt. folder : of the photographs.

    Returns
    -------
    {title: (height, width) float32, 0 to 1}: a map for each tag, and of cross-attention, which has
    many maps and no classes, the highest value of all.

    Raises
    ------
    ValueError : a file is missing, the model does not fit, or the prompts are of no map.
    """
    header = checked_header(prompts, PROMPTS)
    keys = [entry for entry in header["settings"]["sources"] if entry["source"] == CLUES]
    if not keys:
        raise ValueError(f"{prompts}: no prompter of this run looks at maps. Leave --maps out.")
    values = {name: value for name, value in keys[0].items() if name != "source"}
    kit = LookingKit(
        image_folder=folder,
        classes=dict(classes),
        propose=from_values(Propose, header["propose_settings"], "propose"),
        fit=from_values(FitPrompt, header["fit_settings"], "fit_prompt"),
        model=model,
        embeddings=None,
        seed=header["seed"],
    )
    settings = from_values(Settings, values, "prompt.sources")
    prompter = opened_prompter(settings, kit, torch.device("cpu"))
    columns = [kit.order[category_id] for category_id in tags]
    with torch.inference_mode():
        maps = prompter.provider.maps(image, columns, prompter.looks)
    return _titled(maps, list(tags.values()))


def _titled(
    maps: Mapping[str, Sequence[np.ndarray] | np.ndarray], names: list[str]
) -> dict[str, np.ndarray]:
    titled: dict[str, np.ndarray] = {}
    for kind, values in maps.items():
        if kind in CLASS_MAPS:
            titled |= {f"{kind}: {name}": own for name, own in zip(names, values, strict=True)}
        else:
            titled[f"{kind}: highest of {len(values)}"] = functools.reduce(np.maximum, values)
    return titled
