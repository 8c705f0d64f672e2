"""fit_select: train a selector on the bags of all shards, from labels and classes alone.

In come proposals, weak labels and images; out go the network's weights and a log of its losses.
SAPNet, Sec. 3.2: two-branch multiple-instance learning, optionally with PDG in the loss. PSM is
trained by itself, or, with `refine.prm.fit: joint`, together with PRM (Sec. 3.4): the weights then
hold both, and fit_refine has nothing to do. The segmentation branch that the paper trains beside
them is a stage of its own here.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.learning.arguments import add_arguments, feature_modules
from stages.learning.fitting import Course, trained
from stages.learning.opening import feature_facts
from stages.methods.refiner import REFINERS
from stages.methods.selector import SELECTORS
from stages.runtime.code import code_of
from stages.runtime.doors import opened
from stages.runtime.program import parser_of, run
from stages.runtime.provenance import provenance_of
from stages.runtime.threads import use_threads
from stages.settings.propose import Propose
from stages.settings.readers import chosen, for_fit
from stages.settings.refine import Refine
from stages.settings.section import from_json, provenance_values
from stages.settings.select import Select


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    parser = parser_of(__doc__, "fit_select")
    add_arguments(parser, files=("out", "out-log"))
    parser.add_argument("--proposals", type=Path, required=True, nargs="+")
    parser.add_argument("--refine-settings", help="JSON of `refine`, where its fit is joint")
    args = parser.parse_args(argv)
    use_threads(args.threads)
    select = from_json(Select, args.settings, "select")
    propose = from_json(Propose, args.propose_settings, "propose")
    refine = joint_part(args.refine_settings)
    modules = modules_of(select, refine)
    course = Course(
        "fit_select",
        opened(modules[-1]),
        propose=propose,
        select=select,
        refine=refine or Refine(),
        training=select.block.training,
    )
    trained(args, course, facts_of(args, course, modules, joint=refine is not None))


def joint_part(text: str | None) -> Refine | None:
    """Settings of PRM where it is trained here, with PSM; None where it is not."""
    settings = from_json(Refine, text, "refine") if text else Refine()
    joint = REFINERS[settings.method].joint and settings.prm.fit == "joint"
    return settings if joint else None


def modules_of(select: Select, refine: Refine | None) -> tuple[str, ...]:
    """Modules that the settings choose; the last one has the loss.

    Raises
    ------
    ValueError : the method learns nothing.
    """
    fit = SELECTORS[select.method].fit
    if not fit:
        raise ValueError(
            f"select.method is {select.method}, which learns nothing, so there is nothing to fit. "
            "Go on with stages.select, or set select.method: psm."
        )
    return (fit, REFINERS[refine.method].joint) if refine else (fit,)


def facts_of(
    args: argparse.Namespace, course: Course, modules: Sequence[str], *, joint: bool
) -> dict[str, Any]:
    """Provenance: of PRM's settings too, where it is trained here."""
    features = course.select.block.features
    sections = {"propose_settings": chosen("propose", provenance_values(course.propose))}
    if joint:
        values = provenance_values(course.refine)
        sections["refine_settings"] = for_fit("refine", values, joint=True)
    return provenance_of(
        "stages.fit_select",
        settings=for_fit("select", provenance_values(course.select), joint=joint),
        code=code_of("stages.fit_select", *modules, *feature_modules(features, course.propose)),
        seed=args.seed,
        **sections,
        **feature_facts(features, course.propose),
    )


if __name__ == "__main__":
    run("fit_select", main)
