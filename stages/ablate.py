"""ablate: the ablation; variants side by side over several seeds, as Markdown, JSON and a picture.

In come the `metrics.json` of every variant with every seed, and of the detectors that were trained;
out go `ablation.json` with every number and its value for each seed, `ablation.md` with the tables,
`ablation.png`, and `detectors.png` with AP by size. SAPNet, Tables 3, 4, 6 and 7: what each
component adds to the variant without it, here also by difficulty, and with its spread over seeds.
Nothing is compared that does not rest on the same objects. Where `evaluate.match` was iou
(WeakSAM, Tables 4, 5 and 7) the rows are labels, detections and proposals, over all and by class.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.metrics.ablation import ablation, check_runs
from stages.metrics.detectors import check_detectors, detectors
from stages.metrics.matched_ablation import are_matched, check_matched, matched_ablation
from stages.reporting.ablation_figure import draw_ablation
from stages.reporting.ablation_table import ablation_table
from stages.reporting.detectors_figure import draw_detectors
from stages.reporting.matched_figure import draw_matched
from stages.reporting.matched_table import matched_table
from stages.runtime.atomic import write_text
from stages.runtime.program import Sentence, parser_of, run, say
from stages.runtime.provenance import provenance_of, sha256_of
from stages.scoring.case_metrics import runs_of
from stages.settings.overrides import FULLY_SUPERVISED
from stages.settings.report import Report
from stages.settings.section import from_json, provenance_values


def over_of(text: str) -> dict[str, str | None]:
    """JSON text to the variant that each variant is compared with.

    Raises
    ------
    ValueError : no JSON, or no object of names.
    """
    try:
        over = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"--over: not JSON ({error}).") from None
    values = over.values() if isinstance(over, dict) else [0]
    if not all(value is None or isinstance(value, str) for value in values):
        raise ValueError(f"--over: {text} does not give each variant a name or null.")
    return dict(over)


def numbers_of(args: argparse.Namespace, settings: Report) -> dict[str, Any]:
    """Everything behind the tables, as written to ablation.json."""
    over = over_of(args.over)
    runs = runs_of(args.metrics, args.variants, args.seeds, "--metrics")
    is_matched = are_matched(runs)
    (check_matched if is_matched else check_runs)(runs, args.seeds)
    names = args.detector_variants if args.detector_metrics else []
    scored = runs_of(args.detector_metrics, names, args.detector_seeds, "--detector-metrics")
    check_detectors(scored, args.detector_seeds)
    return {
        "seeds": args.seeds,
        "variants": args.variants,
        **(matched_ablation if is_matched else ablation)(runs, over),
        "detector_seeds": args.detector_seeds if scored else [],
        "detectors": detectors(scored, FULLY_SUPERVISED, over),
        "provenance": _provenance(args, settings),
    }


def _provenance(args: argparse.Namespace, settings: Report) -> dict[str, Any]:
    return provenance_of(
        "stages.ablate",
        settings=provenance_values(settings),
        seed=args.seeds[0],
        packages=("matplotlib", "numpy"),
        metrics=[sha256_of(path) for path in (*args.metrics, *args.detector_metrics)],
    )


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(__doc__, "ablate")
    parser.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="variant by variant, seed by seed"
    )
    parser.add_argument("--variants", nargs="+", required=True, help="names, in table order")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--over", default="{}", help="JSON: variant to the one it is compared with")
    parser.add_argument("--detector-metrics", type=Path, nargs="*", default=[])
    parser.add_argument(
        "--detector-variants", nargs="*", default=[], help=f"{FULLY_SUPERVISED}: the reference"
    )
    parser.add_argument("--detector-seeds", type=int, nargs="*", default=[])
    for flag in ("out", "out-table", "out-figure", "out-detectors"):
        parser.add_argument(f"--{flag}", type=Path, required=True)
    parser.add_argument("--settings", default="{}", help="JSON of the config section `report`")
    return parser


def summary(numbers: Mapping[str, Any]) -> Sentence:
    """The closing sentence of the log."""
    objects = "/".join(map(str, numbers["objects"]))
    return (
        f"{len(numbers['variants'])} variants, {len(numbers['seeds'])} seeds of {objects} objects, "
        f"{len(numbers['gains'])} gains, {len(numbers['detectors'])} detectors."
    )


def main(argv: Sequence[str] | None) -> None:
    """Command line of the stage."""
    args = _parser().parse_args(argv)
    settings = from_json(Report, args.settings, "report")
    numbers = numbers_of(args, settings)
    is_matched = "matched_rows" in numbers
    table = (matched_table if is_matched else ablation_table)(numbers)
    (draw_matched if is_matched else draw_ablation)(numbers, args.out_figure)
    draw_detectors(numbers, args.out_detectors)
    write_text(args.out_table, table)
    write_text(args.out, json.dumps(numbers, indent=1, allow_nan=False) + "\n")
    print(table, end="", flush=True)
    say("ablate", summary(numbers))


if __name__ == "__main__":
    run("ablate", main)
