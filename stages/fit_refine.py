"""fit_refine: train a refiner on enlarged bags and negatives, guided by what select chose.

In come proposals, selections, weak labels and images; out go the network's weights and a log of its
losses. SAPNet, Sec. 3.3 and 3.4. PRM is trained after PSM and starts from its shared layers
(`refine.prm.start: select`); the paper trains both together, which fit_select does with
`refine.prm.fit: joint`. SIM learns otherwise: its prototypes are means of what its teacher sees.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from stages.learning.arguments import add_arguments, feature_modules
from stages.learning.bags import CHOICE_COLUMNS
from stages.learning.fitting import Course, trained
from stages.learning.model_file import load_model
from stages.learning.opening import feature_facts
from stages.learning.two_branch import TwoBranch
from stages.methods.refiner import REFINERS
from stages.runtime.code import code_of
from stages.runtime.doors import opened
from stages.runtime.program import parser_of, run
from stages.runtime.provenance import provenance_of
from stages.runtime.threads import use_threads
from stages.segmenters.segmenter import SEGMENTERS
from stages.settings.propose import Propose
from stages.settings.readers import chosen, for_fit
from stages.settings.refine import Refine
from stages.settings.section import from_json, provenance_values
from stages.settings.select import Select
from stages.tables.selections import SELECTIONS
from stages.tables.shards import check_seed
from stages.tables.table import read_tables


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    use_threads(args.threads)
    refine = from_json(Refine, args.settings, "refine")
    propose = from_json(Propose, args.propose_settings, "propose")
    select = from_json(Select, args.select_settings, "select")
    module = module_of(refine)
    method = opened(module)
    if hasattr(method, "fitted"):
        facts = facts_of_own(args, module, propose=propose, select=select, refine=refine)
        method.fitted(args, propose, refine, facts)
        return
    course = Course(
        "fit_refine",
        method,
        propose=propose,
        select=select,
        refine=refine,
        training=refine.prm.training,
        start=start_of(args.select_model) if refine.prm.start == "select" else None,
    )
    for path in args.selections:
        check_seed(path, SELECTIONS, args.seed)
    choices = read_tables(args.selections, SELECTIONS, columns=CHOICE_COLUMNS)
    trained(args, course, facts_of(args, course, module), choices=choices)


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "fit_refine")
    add_arguments(parser, files=("out", "out-log"))
    parser.add_argument("--select-model", type=Path, help="that prm starts from")
    parser.add_argument("--propose-model", type=Path, help="of a segmenter that is looked through")
    parser.add_argument("--proposals", type=Path, required=True, nargs="+")
    parser.add_argument("--selections", type=Path, required=True, nargs="+")
    parser.add_argument("--select-settings", default="{}", help="JSON of the section `select`")
    return parser


def module_of(refine: Refine) -> str:
    """The module of the loss.

    Raises
    ------
    ValueError : the method learns nothing.
    """
    fit = REFINERS[refine.method].fit
    if not fit:
        raise ValueError(
            f"refine.method is {refine.method}, which learns nothing, so there is nothing to fit. "
            "Go on with stages.refine, or set refine.method: prm."
        )
    return fit


def facts_of(args: argparse.Namespace, course: Course, module: str) -> dict[str, Any]:
    """Provenance: of select's settings too, by whose choices it is trained."""
    features = course.select.block.features
    return provenance_of(
        "stages.fit_refine",
        settings=for_fit("refine", provenance_values(course.refine)),
        code=code_of("stages.fit_refine", module, *feature_modules(features, course.propose)),
        seed=args.seed,
        select_settings=chosen("select", provenance_values(course.select)),
        propose_settings=chosen("propose", provenance_values(course.propose)),
        **feature_facts(features, course.propose),
    )


def facts_of_own(
    args: argparse.Namespace, module: str, *, propose: Propose, select: Select, refine: Refine
) -> dict[str, Any]:
    """Provenance of what is learned in another way, through the segmenter perhaps."""
    asked = SEGMENTERS[propose.segmenter].module
    return provenance_of(
        "stages.fit_refine",
        settings=for_fit("refine", provenance_values(refine)),
        code=code_of("stages.fit_refine", module, asked),
        seed=args.seed,
        select_settings=chosen("select", provenance_values(select)),
        propose_settings=chosen("propose", provenance_values(propose)),
        **opened(module).facts_of_fit(args, propose),
    )


def start_of(select_model: Path | None) -> Callable[[TwoBranch], None]:
    """What lets a network start from the shared layers of PSM's.

    Raises
    ------
    ValueError : there is no model.
    """
    if select_model is None:
        raise ValueError(
            "refine.prm.start is select, which needs --select-model, and none was given. Run "
            "fit_select, or set refine.prm.start: scratch."
        )
    return partial(start_from, select_model)


def start_from(select_model: Path, network: TwoBranch) -> None:
    """Copy the shared layers of PSM's network.

    Raises
    ------
    ValueError : they are of another shape.
    """
    state, _ = load_model(select_model)
    shared = {key: value for key, value in state.items() if not key.startswith("heads.")}
    if {k: v.shape for k, v in shared.items()} != {k: v.shape for k, v in network.shared().items()}:
        raise ValueError(f"{select_model}: made with other features. Rerun with -R fit_select.")
    network.load_state_dict(shared, strict=False)


if __name__ == "__main__":
    run("fit_refine", main)
