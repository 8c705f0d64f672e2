"""fit_prompt: train a network of clues on image tags alone.

In come images and their tags; out go the network's weights and a log of its losses. WeakSAM,
Sec. 3.1: a classifier learns which classes an image holds, and its maps then tell where they are.
Stage `prompt` asks it. Without an entry of `prompt.sources` that looks at pixels this program is
not in the DAG.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import torch

from stages.learning.arguments import add_arguments
from stages.learning.clue_fitting import trained
from stages.learning.clue_networks import CLUES
from stages.runtime.code import code_of
from stages.runtime.doors import opened
from stages.runtime.program import parser_of, run
from stages.runtime.provenance import provenance_of
from stages.settings.fit_prompt import FitPrompt
from stages.settings.propose import Propose
from stages.settings.readers import chosen, for_fit
from stages.settings.section import from_json, provenance_values
from stages.tables.categories import CATEGORIES
from stages.tables.table import read_table


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "fit_prompt")
    add_arguments(parser, files=("out", "out-log"))
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    settings = from_json(FitPrompt, args.settings, "fit_prompt")
    propose = from_json(Propose, args.propose_settings, "propose")
    if settings.model is not None:
        raise ValueError(
            f"fit_prompt.model is {settings.model}, a network that is trained already, so there "
            "is nothing to fit. Go on with stages.prompt, or set fit_prompt.model: null."
        )
    trained(args, settings, propose, facts_of(args, settings, propose))


def facts_of(args: argparse.Namespace, settings: FitPrompt, propose: Propose) -> dict[str, Any]:
    """Provenance: with the classes, by which `prompt` knows whether a network is of its own."""
    module = CLUES[settings.network].module
    network = opened(module)
    names = read_table(args.categories, CATEGORIES).column("name").to_pylist()
    return provenance_of(
        "stages.fit_prompt",
        settings=for_fit("fit_prompt", provenance_values(settings)),
        code=code_of("stages.fit_prompt", module, *network.modules_of(settings, propose)),
        seed=args.seed,
        propose_settings=chosen("propose", provenance_values(propose)),
        classes=names,
        **network.facts_of_clues(settings, propose, fresh=True),
    )


if __name__ == "__main__":
    run("fit_prompt", main)
