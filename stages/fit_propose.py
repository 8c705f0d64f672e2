"""fit_propose: train a segmenter on the weak labels, where the chosen one learns.

In come images and their labels, and perhaps salient images with the mask of their one object, or
the pseudo-labels of the round before; out go the network's weights and a log of its losses. Stage
`propose` asks it. With a segmenter that is trained already, as SAM is, this program is not in the
DAG. BoxCaseg (Wang et al., CVPR 2021), Sec. 3: a network learns from boxes, and from salient
images, what in a box is the object. SIM (Li et al., CVPR 2023): a detector learns masks from boxes,
and in later rounds from its own masks, corrected.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.runtime.code import code_of
from stages.runtime.doors import opened
from stages.runtime.program import parser_of, run
from stages.runtime.provenance import provenance_of
from stages.runtime.threads import use_threads
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.propose import Propose
from stages.settings.readers import for_fit
from stages.settings.section import from_json, provenance_values


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    use_threads(args.threads)
    settings = from_json(Propose, args.settings, "propose")
    module = fit_module(settings)
    opened(module).trained(args, settings, facts_of(args, settings, module))


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "fit_propose")
    for flag in ("image-folder", "images", "weak-labels", "out", "out-log"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--salient-images", type=Path, help="images that have one object")
    parser.add_argument("--salient-masks", type=Path, help="their masks, by the same names")
    parser.add_argument("--salient-listed", type=Path, help="names of those that count; else all")
    parser.add_argument("--salient-single", type=float, default=0.0, help="share of one component")
    parser.add_argument(
        "--former", type=Path, nargs="+", help="shards of table pseudo_labels of the round before"
    )
    parser.add_argument("--former-model", type=Path, help="the network of the round before")
    parser.add_argument("--tensorboard", type=Path, help="folder of its event files; else none")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `propose`")
    return parser


def fit_module(settings: Propose) -> str:
    """The module that trains the chosen segmenter.

    Raises
    ------
    ValueError : it does not learn, or it has been trained already.
    """
    name = settings.segmenter
    module = SEGMENTERS[name].fit
    if not module:
        raise ValueError(
            f"propose.segmenter is {name}, which learns nothing here, so there is nothing to fit. "
            "Go on with stages.propose."
        )
    model = getattr(settings, name).model
    if model is not None:
        raise ValueError(
            f"propose.{name}.model is {model}, a network that is trained already, so there is "
            f"nothing to fit. Go on with stages.propose, or set propose.{name}.model: null."
        )
    return module


def facts_of(args: argparse.Namespace, settings: Propose, module: str) -> dict[str, Any]:
    """Provenance of the training."""
    return provenance_of(
        "stages.fit_propose",
        settings=for_fit("propose", provenance_values(settings)),
        code=code_of("stages.fit_propose", module),
        seed=args.seed,
        **opened(module).facts_of_fit(settings),
    )


if __name__ == "__main__":
    run("fit_propose", main)
