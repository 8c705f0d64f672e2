"""fit_prompt: train what learns where to ask: clues on image tags alone, P2BNet on points alone.

In come images and their weak labels; out go the network's weights and a log of its losses. WeakSAM,
Sec. 3.1: a classifier learns which classes an image holds, and its maps then tell where they are.
SAPNet, Sec. 4.2: P2BNet learns from points with classes which box about a point is an object.
Stage `prompt` asks either. Without an entry of `prompt.sources` that looks at pixels this program
is not in the DAG.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from stages.learning.arguments import add_arguments
from stages.learning.prompt_networks import NETWORKS
from stages.runtime.code import code_of
from stages.runtime.doors import opened
from stages.runtime.program import parser_of, run
from stages.runtime.provenance import provenance_of
from stages.runtime.threads import use_threads
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
    use_threads(args.threads)
    settings = from_json(FitPrompt, args.settings, "fit_prompt")
    propose = from_json(Propose, args.propose_settings, "propose")
    if settings.model is not None:
        raise ValueError(
            f"fit_prompt.model is {settings.model}, a network that is trained already, so there "
            "is nothing to fit. Go on with stages.prompt, or set fit_prompt.model: null."
        )
    training = opened(NETWORKS[settings.network].fit)
    training.trained(args, settings, propose, facts_of(args, settings, propose))


def facts_of(args: argparse.Namespace, settings: FitPrompt, propose: Propose) -> dict[str, Any]:
    """Provenance: with the classes, by which `prompt` knows whether a network is of its own."""
    method = NETWORKS[settings.network]
    network = opened(method.module)
    modules = (method.fit, method.module, *network.modules_of(settings, propose))
    names = read_table(args.categories, CATEGORIES).column("name").to_pylist()
    return provenance_of(
        "stages.fit_prompt",
        settings=for_fit("fit_prompt", provenance_values(settings)),
        code=code_of("stages.fit_prompt", *modules),
        seed=args.seed,
        propose_settings=chosen("propose", provenance_values(propose)),
        classes=names,
        **network.facts_of_network(settings, propose, fresh=True),
    )


if __name__ == "__main__":
    run("fit_prompt", main)
